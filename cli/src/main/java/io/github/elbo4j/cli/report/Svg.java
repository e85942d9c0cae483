package io.github.elbo4j.cli.report;

/**
 * Writes a drawing into a page. Numbers have one decimal, and styles are classes of the page.
 *
 * <p>Which font the reader has is unknown: {@link #textWidth} is what a wide one needs.
 */
final class Svg {
    /** Height of letters in charts, in units of the drawing; the page's style sheet says the same. */
    static final double FONT_SIZE = 11;

    /** Widths in the widest common sans-serif font, DejaVu Sans Bold, as shares of the font's size. */
    private static final double MINUS_WIDTH = 0.84;

    private static final double DIGIT_WIDTH = 0.7;

    private final StringBuilder out = new StringBuilder();

    /**
     * Begins a drawing.
     *
     * @param id tells it from other drawings of the page
     * @param title what it shows, in a few words
     * @param description the same in sentences
     */
    Svg(String id, double width, double height, String title, String description) {
        out.append("<svg viewBox=\"0 0 ").append(number(width)).append(' ').append(number(height));
        out.append("\" role=\"img\" aria-labelledby=\"")
                .append(id)
                .append("-title ")
                .append(id);
        out.append("-description\">\n<title id=\"").append(id).append("-title\">");
        out.append(Html.escape(title))
                .append("</title>\n<desc id=\"")
                .append(id)
                .append("-description\">");
        out.append(Html.escape(description)).append("</desc>\n");
    }

    Svg line(String style, double x1, double y1, double x2, double y2) {
        return path(style, "M" + number(x1) + ' ' + number(y1) + 'L' + number(x2) + ' ' + number(y2));
    }

    Svg path(String style, CharSequence commands) {
        out.append("<path class=\"")
                .append(style)
                .append("\" d=\"")
                .append(commands)
                .append("\"/>\n");
        return this;
    }

    Svg dot(String style, double x, double y, double radius) {
        circle(style, x, y, radius);
        out.append("/>\n");
        return this;
    }

    /** Draws a dot that says something when it is pointed at. */
    Svg dot(String style, double x, double y, double radius, String hint) {
        circle(style, x, y, radius);
        out.append("><title>").append(Html.escape(hint)).append("</title></circle>\n");
        return this;
    }

    private void circle(String style, double x, double y, double radius) {
        out.append("<circle class=\"").append(style).append("\" cx=\"").append(number(x));
        out.append("\" cy=\"")
                .append(number(y))
                .append("\" r=\"")
                .append(number(radius))
                .append('"');
    }

    /**
     * Draws a text.
     *
     * @param anchor where x is: {@code start}, {@code middle} or {@code end} of it
     * @param y the line that its letters stand on
     */
    Svg text(String style, String anchor, double x, double y, String text) {
        out.append("<text class=\"").append(style).append("\" text-anchor=\"").append(anchor);
        out.append("\" x=\"")
                .append(number(x))
                .append("\" y=\"")
                .append(number(y))
                .append("\">");
        out.append(Html.escape(text)).append("</text>\n");
        return this;
    }

    /** {@return the drawing, ended} */
    String end() {
        return out + "</svg>\n";
    }

    /** {@return the room that a number or a short word needs, whatever the font} */
    static double textWidth(String text) {
        return FONT_SIZE
                * text.chars()
                        .mapToDouble(c -> c == '\u2212' ? MINUS_WIDTH : DIGIT_WIDTH)
                        .sum();
    }

    /** {@return a coordinate in tenths, as short as it can be written} */
    static String number(double value) {
        long tenths = Math.round(value * 10);
        String sign = tenths < 0 ? "-" : "";
        long size = Math.abs(tenths);
        return sign + size / 10 + (size % 10 == 0 ? "" : "." + size % 10);
    }
}
