package io.github.elbo4j.backend.nativecpu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** A library's file, where it is in ELF. */
final class ElfFile {
    private static final int HEADER = 64;
    // Elf64_Ehdr.
    private static final int SECTIONS = 0x28;
    private static final int SECTION_SIZE = 0x3A;
    private static final int SECTION_COUNT = 0x3C;
    private static final int MAGIC = 0x464C457F;
    private static final byte CLASS_64 = 2;
    private static final byte LITTLE_ENDIAN = 1;

    private ElfFile() {}

    /**
     * {@return whether a file has all that its header announces; linkers write the table of sections last. Files of other
     * formats and word sizes are left to the system's loader}
     */
    static boolean isWhole(Path file) throws IOException {
        try (SeekableByteChannel channel = Files.newByteChannel(file)) {
            ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
            while (header.hasRemaining() && channel.read(header) >= 0) {
                // Until the header is read or the file has ended.
            }
            header.flip();
            if (header.limit() < HEADER) {
                return false;
            }
            if (header.getInt(0) != MAGIC || header.get(4) != CLASS_64 || header.get(5) != LITTLE_ENDIAN) {
                return true;
            }
            long sections = header.getLong(SECTIONS);
            long bytes = Short.toUnsignedLong(header.getShort(SECTION_SIZE))
                    * Short.toUnsignedLong(header.getShort(SECTION_COUNT));
            return sections >= 0 && sections <= channel.size() - bytes;
        }
    }
}
