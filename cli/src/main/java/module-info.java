/** The command elbo4j: trains models, uses them, and proves backends. */
module io.github.elbo4j.cli {
    requires static org.jspecify;
    requires info.picocli;
    requires io.github.elbo4j;
    requires java.desktop;
    requires java.logging;
    requires jdk.management;
    requires me.tongfei.progressbar;

    opens io.github.elbo4j.cli to
            info.picocli;
}
