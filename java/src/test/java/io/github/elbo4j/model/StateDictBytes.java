package io.github.elbo4j.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Safetensors files of PyTorch, put together by hand: eight bytes with the length of the header, the header as JSON padded
 * with spaces to a multiple of eight, then the numbers, all little-endian.
 */
final class StateDictBytes {
    /** A tensor: the beginning of its member of the header, and its bytes. */
    private record Tensor(String typeAndShape, ByteBuffer data) {}

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private String metadata = "\"__metadata__\":{\"format\":\"pt\"}";

    /** The bytes of a file with this header and these numbers as F32. */
    static byte[] file(String header, float... numbers) {
        ByteBuffer data = ByteBuffer.allocate(numbers.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float number : numbers) {
            data.putFloat(number);
        }
        return file(header, data.array());
    }

    private static byte[] file(String header, byte[] data) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        int padded = Math.ceilDiv(json.length, 8) * 8;
        ByteBuffer file = ByteBuffer.allocate(8 + padded + data.length).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(padded).put(json);
        while (file.position() < 8 + padded) {
            file.put((byte) ' ');
        }
        return file.put(data).array();
    }

    /** Leaves the metadata out, as {@code save_file} does when it is given none. */
    StateDictBytes withoutMetadata() {
        metadata = "";
        return this;
    }

    /** Adds or replaces a tensor, its numbers rounded to the type. */
    StateDictBytes add(String name, String dtype, long[] shape, double... numbers) {
        ByteBuffer data = ByteBuffer.allocate(numbers.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (double number : numbers) {
            switch (dtype) {
                case "F64" -> data.putDouble(number);
                case "F32" -> data.putFloat((float) number);
                case "F16" -> data.putShort(Float.floatToFloat16((float) number));
                case "BF16" -> data.putShort((short) (Float.floatToRawIntBits((float) number) >>> 16));
                case "I64" -> data.putLong((long) number);
                default -> throw new IllegalArgumentException(dtype);
            }
        }
        return addRaw(name, dtype, shape, Arrays.copyOf(data.array(), data.position()));
    }

    StateDictBytes addRaw(String name, String dtype, long[] shape, byte[] data) {
        String extents = Arrays.toString(shape).replace(" ", "");
        String member = "\"%s\":{\"dtype\":\"%s\",\"shape\":%s".formatted(name, dtype, extents);
        tensors.put(name, new Tensor(member, ByteBuffer.wrap(data.clone())));
        return this;
    }

    /** Adds a linear layer {@code [out, in]} whose numbers are multiples of 1/16 that differ from layer to layer. */
    StateDictBytes linear(String name, String dtype, int in, int out) {
        int salt = tensors.size() * 5 + 1;
        return add(name + ".weight", dtype, new long[] {out, in}, numbers(in * out, salt))
                .add(name + ".bias", dtype, new long[] {out}, numbers(out, salt + 3));
    }

    private static double[] numbers(int count, int salt) {
        double[] numbers = new double[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = ((i * 7 + salt * 11) % 23 - 11) / 16.0;
        }
        return numbers;
    }

    StateDictBytes remove(String name) {
        if (tensors.remove(name) == null) {
            throw new IllegalArgumentException(name);
        }
        return this;
    }

    byte[] bytes() {
        List<String> members = new ArrayList<>();
        if (!metadata.isEmpty()) {
            members.add(metadata);
        }
        int at = 0;
        for (Tensor tensor : tensors.values()) {
            int end = at + tensor.data.remaining();
            members.add(tensor.typeAndShape + ",\"data_offsets\":[%d,%d]}".formatted(at, end));
            at = end;
        }
        ByteBuffer data = ByteBuffer.allocate(at);
        tensors.values().forEach(tensor -> data.put(tensor.data.duplicate()));
        return file("{" + String.join(",", members) + "}", data.array());
    }
}
