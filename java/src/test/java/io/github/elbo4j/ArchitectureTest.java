package io.github.elbo4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendProvider;
import io.github.elbo4j.backend.Backends;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The direction of dependencies, what the public API shows, and how backends are found. */
class ArchitectureTest {
    private static final String ROOT = "io.github.elbo4j.";
    private static final Path CLASSES = location();
    private static final JavaClasses CORE = new ClassFileImporter().importPath(CLASSES);

    private static Path location() {
        try {
            return Path.of(Backend.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ArchRule never(String from, String... to) {
        return noClasses()
                .that()
                .resideInAnyPackage(ROOT + from)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(Stream.of(to).map(name -> ROOT + name).toArray(String[]::new));
    }

    @Test
    void theSeamKnowsNeitherItsImplementationsNorItsUsers() {
        never(
                        "backend",
                        "backend.*..",
                        "model..",
                        "training..",
                        "inference..",
                        "data..",
                        "files..",
                        "validation..",
                        "cli..")
                .check(CORE);
    }

    @Test
    void theReferenceDependsOnTheSeamOnly() {
        never("backend.java..", "model..", "training..", "data..", "files..", "validation..", "cli..")
                .check(CORE);
        classes()
                .that()
                .resideInAPackage(ROOT + "backend.java..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        ROOT + "backend", ROOT + "backend.engine", ROOT + "backend.java..", "java..", "org.jspecify..")
                .check(CORE);
    }

    @Test
    void whatBackendsShareDependsOnTheSeamOnly() {
        classes()
                .that()
                .resideInAPackage(ROOT + "backend.engine..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(ROOT + "backend", ROOT + "backend.engine", "java..", "org.jspecify..")
                .check(CORE);
    }

    @Test
    void nothingDependsOnTheReferenceButTheServiceLoaderFindsIt() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + "backend.java..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(ROOT + "backend.java..")
                .check(CORE);
    }

    @Test
    void theModelKnowsNoTrainingAndDataAndFilesKnowNeither() {
        never("model..", "training..", "inference..", "validation..", "cli..").check(CORE);
        never("data..", "model..", "training..", "inference..", "validation..", "cli..")
                .check(CORE);
        never("files..", "model..", "training..", "inference..", "data..", "validation..", "cli..")
                .check(CORE);
        never("training..", "inference..", "validation..", "cli..").check(CORE);
        never("inference..", "training..", "validation..", "cli..").check(CORE);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching(ROOT + "(**)").should().beFreeOfCycles().check(CORE);
    }

    @Test
    void theLibraryRunsWithoutADesktopButDecodesNoImages() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(ROOT + "data.ImageDecoder")
                .and()
                .haveNameNotMatching(".*\\.data\\.ImageDecoder\\$.*")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.awt..", "javax.swing..", "javax.imageio..")
                .check(CORE);
        assertThat(descriptor().requires())
                .filteredOn(requires -> requires.name().equals("java.desktop"))
                .singleElement()
                .satisfies(requires ->
                        assertThat(requires.modifiers()).contains(ModuleDescriptor.Requires.Modifier.STATIC));
    }

    @Test
    void thePublicApiShowsTypesOfTheLibraryAndTheJdkOnly() {
        Set<String> exported = descriptor().exports().stream()
                .map(ModuleDescriptor.Exports::source)
                .collect(Collectors.toSet());
        assertThat(exported).contains(ROOT + "backend", ROOT + "model").doesNotContain(ROOT + "backend.java");
        classes()
                .that()
                .arePublic()
                .and()
                .resideInAnyPackage(exported.toArray(String[]::new))
                .should(showOnly(List.of("java.", "org.jspecify."), exported))
                .check(CORE);
    }

    private static ArchCondition<JavaClass> showOnly(List<String> prefixes, Set<String> packages) {
        return new ArchCondition<>("show only types of the JDK and of exported packages") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                Stream<JavaType> members = type.getMembers().stream()
                        .filter(member -> member.getModifiers().contains(JavaModifier.PUBLIC)
                                || member.getModifiers().contains(JavaModifier.PROTECTED))
                        .flatMap(member -> switch (member) {
                            case com.tngtech.archunit.core.domain.JavaField field -> Stream.of(field.getType());
                            case com.tngtech.archunit.core.domain.JavaCodeUnit code ->
                                Stream.of(
                                                code.getParameterTypes().stream(),
                                                Stream.of(code.getReturnType()),
                                                code.getExceptionTypes().stream())
                                        .flatMap(each -> each);
                            default -> Stream.of();
                        });
                Stream<JavaType> parents = Stream.concat(type.getSuperclass().stream(), type.getInterfaces().stream());
                Stream.concat(members, parents)
                        .flatMap(each -> each.getAllInvolvedRawTypes().stream())
                        .map(JavaClass::getBaseComponentType)
                        .filter(each -> !each.isPrimitive()
                                && !packages.contains(each.getPackageName())
                                && prefixes.stream().noneMatch(each.getName()::startsWith))
                        .forEach(each -> events.add(
                                SimpleConditionEvent.violated(type, type.getName() + " shows " + each.getName())));
            }
        };
    }

    @Test
    void aBrokenRuleIsFound() {
        // The model does use the seam and the files do use Jackson: rules against it must fail.
        assertThatThrownBy(() -> never("model..", "backend..").check(CORE)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> never("backend.java..", "backend.*..").check(CORE))
                .isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> noClasses()
                        .should()
                        .dependOnClassesThat()
                        .resideInAPackage("tools.jackson..")
                        .check(CORE))
                .isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> classes()
                        .that()
                        .haveSimpleName("Dataset")
                        .should(showOnly(List.of("java."), Set.of()))
                        .check(CORE))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("shows " + ROOT + "data.ImageShape");
        assertThat(CORE).hasSizeGreaterThan(80);
    }

    private static ModuleDescriptor descriptor() {
        try (InputStream in = Files.newInputStream(CLASSES.resolve("module-info.class"))) {
            return ModuleDescriptor.read(in);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void theServiceFileAndTheModuleDescriptorNameTheSameProviders() throws IOException {
        List<String> file =
                Files.readAllLines(CLASSES.resolve("META-INF/services/" + BackendProvider.class.getName())).stream()
                        .map(line -> line.replaceFirst("#.*", "").strip())
                        .filter(line -> !line.isEmpty())
                        .toList();
        List<String> module = descriptor().provides().stream()
                .filter(provides -> provides.service().equals(BackendProvider.class.getName()))
                .flatMap(provides -> provides.providers().stream())
                .toList();
        assertThat(file)
                .containsExactlyInAnyOrderElementsOf(module)
                .containsExactly(ROOT + "backend.java.JavaProvider");
        assertThat(descriptor().provides()).hasSize(1);
        try (Stream<Path> services = Files.list(CLASSES.resolve("META-INF/services"))) {
            assertThat(services).hasSize(1);
        }
        assertThat(descriptor().uses()).containsExactly(BackendProvider.class.getName());
    }

    @Test
    void theReportListsTheReferenceOnClassPathAndModulePath() {
        boolean module = Backend.class.getModule().isNamed();
        System.out.println("tests run on the " + (module ? "module path" : "class path"));
        assertThat(Backends.report())
                .filteredOn(report -> report.name().equals("java"))
                .singleElement()
                .satisfies(report -> {
                    assertThat(report.available()).isTrue();
                    assertThat(report.rank()).isZero();
                    assertThat(report.options()).containsOnlyKeys("threads", "precision");
                });
    }
}
