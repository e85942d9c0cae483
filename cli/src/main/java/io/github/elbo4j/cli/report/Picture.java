package io.github.elbo4j.cli.report;

import java.awt.image.BufferedImage;
import org.jspecify.annotations.Nullable;

/**
 * A picture with the words around it.
 *
 * @param title a heading
 * @param alt what it shows, for those who cannot see it
 * @param caption how to read it; may be empty
 * @param image the picture
 * @param still for an animation, what readers who asked for less motion get, and what is printed; null for none
 */
public record Picture(
        String title,
        String alt,
        String caption,
        InlineImage image,
        @Nullable InlineImage still) {
    /**
     * Checks the words.
     *
     * @throws IllegalArgumentException if the title or the alternative text is blank
     */
    public Picture {
        if (title.isBlank() || alt.isBlank()) {
            throw new IllegalArgumentException("a picture needs a title and a text that stands for it");
        }
    }

    /**
     * {@return a picture that stands still}
     *
     * @param title a heading
     * @param alt what it shows
     * @param caption how to read it; may be empty
     * @param image the picture, kept without loss
     */
    public static Picture of(String title, String alt, String caption, BufferedImage image) {
        return new Picture(title, alt, caption, InlineImage.png(image), null);
    }

    /**
     * {@return a picture that moves}
     *
     * @param title a heading
     * @param alt what it shows
     * @param caption how to read it; may be empty
     * @param gif the file, see {@link AnimatedGif}
     * @param still one of its frames
     */
    public static Picture animation(String title, String alt, String caption, byte[] gif, BufferedImage still) {
        return new Picture(title, alt, caption, InlineImage.of(gif), InlineImage.png(still));
    }
}
