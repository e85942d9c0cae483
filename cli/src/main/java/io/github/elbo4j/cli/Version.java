package io.github.elbo4j.cli;

import picocli.CommandLine.IVersionProvider;

/** The version of this build: the jar's manifest on the class path, the module's version on the module path. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {"elbo4j " + number() + " (Java " + Runtime.version() + ")"};
    }

    static String number() {
        String manifest = Version.class.getPackage().getImplementationVersion();
        if (manifest != null) {
            return manifest;
        }
        var descriptor = Version.class.getModule().getDescriptor();
        return descriptor == null ? "unknown" : descriptor.rawVersion().orElse("unknown");
    }
}
