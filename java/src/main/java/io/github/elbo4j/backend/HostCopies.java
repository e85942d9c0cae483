package io.github.elbo4j.backend;

import java.lang.foreign.MemorySegment;

/** Conversions between host arrays and the floating type of a tensor. */
final class HostCopies {
    private HostCopies() {}

    static void uploadFloats(Tensor tensor, float[] values) {
        requireCount(tensor, values.length);
        if (tensor.type() == DType.F32) {
            tensor.upload(MemorySegment.ofArray(values), 0);
        } else {
            double[] wide = new double[values.length];
            for (int i = 0; i < wide.length; i++) {
                wide[i] = values[i];
            }
            uploadDoubles(tensor, wide);
        }
    }

    static void uploadDoubles(Tensor tensor, double[] values) {
        requireCount(tensor, values.length);
        switch (tensor.type()) {
            case F64 -> tensor.upload(MemorySegment.ofArray(values), 0);
            case F32 -> {
                float[] narrow = new float[values.length];
                for (int i = 0; i < narrow.length; i++) {
                    narrow[i] = (float) values[i];
                }
                tensor.upload(MemorySegment.ofArray(narrow), 0);
            }
            default -> throw notFloating(tensor);
        }
    }

    static float[] downloadFloats(Tensor tensor) {
        if (tensor.type() == DType.F32) {
            float[] values = new float[arraySize(tensor)];
            tensor.download(MemorySegment.ofArray(values), 0);
            return values;
        }
        double[] wide = downloadDoubles(tensor);
        float[] values = new float[wide.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) wide[i];
        }
        return values;
    }

    static double[] downloadDoubles(Tensor tensor) {
        double[] values = new double[arraySize(tensor)];
        switch (tensor.type()) {
            case F64 -> tensor.download(MemorySegment.ofArray(values), 0);
            case F32 -> {
                float[] narrow = downloadFloats(tensor);
                for (int i = 0; i < values.length; i++) {
                    values[i] = narrow[i];
                }
            }
            default -> throw notFloating(tensor);
        }
        return values;
    }

    private static void requireCount(Tensor tensor, int count) {
        if (count != tensor.size()) {
            throw new IllegalArgumentException(
                    count + " values for tensor '" + tensor.name() + "' of " + tensor.size() + " elements");
        }
    }

    private static int arraySize(Tensor tensor) {
        if (tensor.size() > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("tensor '" + tensor.name() + "' of " + tensor.size()
                    + " elements does not fit an array; download it in parts to memory segments");
        }
        return (int) tensor.size();
    }

    private static IllegalArgumentException notFloating(Tensor tensor) {
        return new IllegalArgumentException("tensor '" + tensor.name() + "' of " + tensor.type()
                + " is not converted; move it as it is by upload and download");
    }
}
