package io.github.elbo4j.cli;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.TextTable;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * Help in the order of a manual page: name, synopsis, description, options, exit status, examples.
 *
 * <p>The first line of a command's description is its purpose, the others are its text; the footer holds examples.
 */
final class Manual {
    private static final int WIDTH = 80;
    private static final int INDENT = 2;

    /** The blank before an option, or before a bracket, which holds an option together with its value. */
    private static final Pattern OPTION = Pattern.compile(" (?![^\\[]*])(?=\\[|--)");

    private static final Map<String, String> EXIT_STATUS = new LinkedHashMap<>();

    static {
        EXIT_STATUS.put("0", "success");
        EXIT_STATUS.put("1", "failure, or a check that fails");
        EXIT_STATUS.put("2", "wrong usage or bad input, said in one line on standard error");
    }

    private Manual() {}

    /** Gives a command and those below it their help. */
    static void apply(CommandLine command) {
        UsageMessageSpec usage = command.getCommandSpec().usageMessage();
        usage.width(WIDTH)
                .synopsisHeading("SYNOPSIS%n" + " ".repeat(INDENT))
                .optionListHeading("%nOPTIONS%n")
                .commandListHeading("%nCOMMANDS%n")
                .exitCodeListHeading("%nEXIT STATUS%n")
                .exitCodeList(EXIT_STATUS)
                .parameterListHeading("%nARGUMENTS%n");
        String[] synopsis = usage.customSynopsis();
        if (synopsis.length > 0) {
            usage.customSynopsis(wrapped(synopsis[0]));
        }
        Map<String, IHelpSectionRenderer> sections = command.getHelpSectionMap();
        sections.put(UsageMessageSpec.SECTION_KEY_HEADER, Manual::name);
        sections.put(UsageMessageSpec.SECTION_KEY_DESCRIPTION, Manual::description);
        sections.put(UsageMessageSpec.SECTION_KEY_FOOTER, Manual::examples);
        command.setHelpSectionMap(sections);
        command.getSubcommands().values().forEach(Manual::apply);
    }

    private static String name(Help help) {
        String[] lines = help.commandSpec().usageMessage().description();
        return "NAME\n" + paragraph(help, help.commandSpec().qualifiedName() + " - " + lines[0]) + "\n";
    }

    private static String description(Help help) {
        StringBuilder text = new StringBuilder("\nDESCRIPTION\n");
        Arrays.stream(help.commandSpec().usageMessage().description())
                .skip(1)
                .forEach(line -> text.append(paragraph(help, line)));
        return text.toString();
    }

    private static String examples(Help help) {
        StringBuilder text = new StringBuilder("\nEXAMPLES\n");
        List.of(help.commandSpec().usageMessage().footer()).forEach(line -> text.append(paragraph(help, line)));
        return text.toString();
    }

    private static String paragraph(Help help, String line) {
        TextTable table = TextTable.forColumns(help.colorScheme(), new Column(WIDTH, INDENT, Column.Overflow.WRAP));
        Text text = help.colorScheme().text(line);
        table.indentWrappedLines = 0;
        table.addRowValues(text);
        return table.toString();
    }

    /** {@return a synopsis in lines, the later ones further in} */
    private static String[] wrapped(String synopsis) {
        StringBuilder lines = new StringBuilder();
        int length = INDENT;
        for (String part : OPTION.splitAsStream(synopsis).toList()) {
            if (length + 1 + part.length() > WIDTH) {
                lines.append('\n').append(" ".repeat(3 * INDENT));
                length = 3 * INDENT;
            } else if (!lines.isEmpty()) {
                lines.append(' ');
            }
            lines.append(part);
            length += 1 + part.length();
        }
        return lines.toString().lines().toArray(String[]::new);
    }
}
