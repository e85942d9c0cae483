package io.github.elbo4j.files;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Bytes of npy files and npz archives, written independently of the library. An npy file is: 93 "NUMPY", the version in two
 * bytes, the header's length (two bytes, from version 2.0 on four, little-endian), the header, the data.
 */
public final class RawNpy {
    private RawNpy() {}

    /** {@return what numpy.save writes: version 1.0, the header padded so that the data begins at byte 128} */
    public static byte[] numpy(String descr, boolean fortranOrder, String shape, byte... data) {
        String dict = "{'descr': '" + descr + "', 'fortran_order': " + (fortranOrder ? "True" : "False") + ", 'shape': "
                + shape + ", }";
        return file(1, dict + " ".repeat(117 - dict.length()) + "\n", data);
    }

    /** {@return a file with exactly this header, in UTF-8} */
    public static byte[] file(int major, String header, byte... data) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(8 + (major == 1 ? 2 : 4) + text.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        out.put(hex("93 4e 55 4d 50 59")).put((byte) major).put((byte) 0);
        if (major == 1) {
            out.putShort((short) text.length);
        } else {
            out.putInt(text.length);
        }
        return out.put(text).put(data).array();
    }

    /** {@return bytes of hexadecimal pairs with blanks or line ends between them} */
    public static byte[] hex(String pairs) {
        return HexFormat.ofDelimiter(" ").parseHex(pairs.strip().replace('\n', ' '));
    }

    /** {@return an archive of entries: name, content, name, content, ...} */
    public static byte[] zip(boolean deflated, Object... entries) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (int i = 0; i < entries.length; i += 2) {
                byte[] content = (byte[]) entries[i + 1];
                ZipEntry entry = new ZipEntry((String) entries[i]);
                if (!deflated) {
                    CRC32 crc = new CRC32();
                    crc.update(content);
                    entry.setMethod(ZipEntry.STORED);
                    entry.setSize(content.length);
                    entry.setCrc(crc.getValue());
                }
                zip.putNextEntry(entry);
                zip.write(content);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
