package io.github.elbo4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisabledOnOs(value = OS.WINDOWS, disabledReason = "it needs bash")
class CompletionCommandTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "./elbo4j sam | sample",
                "elbo4j int | interpolate",
                "/opt/elbo4j/elbo4j tra | traverse train",
                "./elbo4j sample --o | --out --overwrite",
                "./elbo4j sample runs --o | --out --overwrite",
                "./elbo4j traverse --d | --data --device --dims",
                "./elbo4j encode runs --what lo | logvar",
                "./elbo4j encode runs --what sample --w | --what",
                "./elbo4j interpolate runs --path sp | spherical",
                "./elbo4j evaluate runs --part tr | train",
                "./elbo4j evaluate runs --part train --b | --backend --batch --binarize",
                "./elbo4j reconstruct runs --z me | mean",
                "./elbo4j train --backend j | java",
                "./elbo4j train --precision tf | tf32",
                "./elbo4j train --activation leaky-relu --init g | glorot",
                "./elbo4j sample mod | model.safetensors",
                "./elbo4j sample runs --out mod | model.safetensors",
                "./elbo4j completion z | zsh"
            })
    void completesCommandsOptionsNamesAndFiles(String line, String expected) throws Exception {
        Files.createDirectories(folder.resolve("runs"));
        Files.createFile(folder.resolve("model.safetensors"));
        assertThat(complete(line.strip()))
                .containsExactlyInAnyOrder(expected.strip().split(" "));
    }

    /** {@return what bash offers for the last word of a line, after it found the function by the first} */
    private List<String> complete(String line) throws Exception {
        Path script = folder.resolve("script");
        Files.write(script, Cli.run("completion").ok().out());
        // As bash looks it up: the whole first word, then what follows its last slash.
        String bash = """
                . ./script
                read -ra COMP_WORDS <<< "$1"
                COMP_LINE=$1
                COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                complete -p "${COMP_WORDS[0]##*/}" >/dev/null || exit 3
                _complete_elbo4j 2>/dev/null
                printf '%s\\n' "${COMPREPLY[@]}"
                """;
        Process process = new ProcessBuilder("bash", "-c", bash, "bash", line)
                .directory(folder.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> words = process.inputReader().lines().toList();
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).isZero();
        return words;
    }

    @Test
    void theScriptIsTheSameEveryTimeAndNamesItsShell() {
        List<String> bash = Cli.run("completion", "bash").ok().out();
        assertThat(Cli.run("completion").ok().out()).isEqualTo(bash);
        assertThat(bash.getFirst()).startsWith("#").contains("elbo4j completion bash");
        List<String> zsh = Cli.run("completion", "ZSH").ok().out();
        assertThat(zsh.getFirst()).startsWith("#").contains("elbo4j completion zsh");
        assertThat(zsh.subList(1, zsh.size())).isEqualTo(bash.subList(1, bash.size()));
        assertThat(String.join("\n", zsh)).contains("bashcompinit");
    }
}
