package io.github.elbo4j.backend;

import java.util.List;

/**
 * All parameters of a model in one flat arena: values, gradients and each moment contiguous, with named views.
 *
 * <p>A view begins at a multiple of {@link Tensor#VIEW_ALIGNMENT} bytes; the gaps hold zeros and stay zero. Views follow
 * the order of their specifications, and a group's views are neighbours, so that an optimizer is one kernel call on one
 * range.
 */
public interface Parameters {
    /**
     * One named tensor of a model.
     *
     * @param name unique name, as it stands in files
     * @param shape extents; linear weights are {@code [out, in]}
     * @param group the group whose range it lies in
     * @param trained false for buffers that have no gradient, such as codebook averages
     */
    record Spec(String name, List<Long> shape, String group, boolean trained) {
        /** A trained parameter. */
        public static Spec trained(String name, String group, long... shape) {
            return new Spec(name, java.util.Arrays.stream(shape).boxed().toList(), group, true);
        }

        /** {@return the same tensor, not trained} */
        public Spec untrained() {
            return new Spec(name, shape, group, false);
        }

        /** {@return the number of elements} */
        public long size() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }
    }

    /** {@return what the arena holds, in order} */
    List<Spec> specs();

    /** {@return the number of moments kept for each value} */
    int moments();

    /**
     * {@return the view of a parameter's values}
     *
     * @throws IllegalArgumentException if there is no such parameter
     */
    View value(String name);

    /**
     * {@return the view of a parameter's gradient}
     *
     * @throws IllegalArgumentException if there is no such parameter or it is not trained
     */
    View gradient(String name);

    /** {@return all values, gaps included} */
    Tensor values();

    /**
     * {@return all gradients, laid out as the values}
     *
     * @throws IllegalStateException if nothing is trained: no memory is taken for gradients then
     */
    Tensor gradients();

    /**
     * {@return one moment of every value, laid out as the values}
     *
     * @param index 0 to {@link #moments()} - 1
     */
    Tensor moment(int index);

    /** {@return the first element of a group's range} */
    long groupOffset(String group);

    /** {@return the number of elements of a group's range, inner gaps included} */
    long groupSize(String group);

    /** {@return a number that changes whenever values may have changed; packed copies are refreshed by it} */
    long version();
}
