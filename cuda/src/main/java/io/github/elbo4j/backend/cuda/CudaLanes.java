package io.github.elbo4j.backend.cuda;

/**
 * The two branches of a step; for calls that run at once both are one lane.
 *
 * @param main first branch
 * @param side second branch: gradients of weights
 * @param fork marks a place on the first branch
 * @param join marks a place on the second
 */
record CudaLanes(CudaLane main, CudaLane side, CudaEvent fork, CudaEvent join) {
    CudaLane of(boolean second) {
        return second ? side : main;
    }
}
