package io.github.elbo4j.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;

/**
 * The characters of a CSV file in strict UTF-8, without a byte order mark, and after them a record of its own:
 * {@link #END}. A quote that is never closed swallows that record, which no other sign tells. Used by one thread.
 */
final class CsvText extends Reader {
    /** The only character of the last record; Unicode assigns it to nothing. */
    static final char END = '\uFFFF';

    private static final String TAIL = "\n" + END;
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final Reader in;
    private boolean started;
    private int tailRead;

    /**
     * Reads nothing yet.
     *
     * @param in the file's bytes; closed with this reader
     */
    CsvText(InputStream in) {
        // A new decoder reports bad bytes, where the charset alone would replace them.
        this.in = new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder());
    }

    @Override
    public int read(char[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        int count = in.read(target, offset, length);
        if (!started && count > 0) {
            started = true;
            if (target[offset] == BYTE_ORDER_MARK) {
                count--;
                System.arraycopy(target, offset + 1, target, offset, count);
                return count > 0 ? count : read(target, offset, length);
            }
        }
        if (count >= 0) {
            return count;
        }
        int left = Math.min(length, TAIL.length() - tailRead);
        TAIL.getChars(tailRead, tailRead + left, target, offset);
        tailRead += left;
        return left > 0 ? left : -1;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
