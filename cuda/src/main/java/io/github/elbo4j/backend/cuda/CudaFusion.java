package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Scratch;
import io.github.elbo4j.backend.cuda.CudaLatentKernels.GaussianKl;
import io.github.elbo4j.backend.cuda.CudaLatentKernels.Reparameterize;
import io.github.elbo4j.backend.cuda.CudaLinearKernels.BackwardInput;
import io.github.elbo4j.backend.cuda.CudaLinearKernels.BackwardWeights;
import io.github.elbo4j.backend.cuda.CudaLinearKernels.Forward;
import io.github.elbo4j.backend.cuda.CudaLossKernels.BernoulliGradient;
import io.github.elbo4j.backend.engine.Engine.Issued;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Merges neighbours of a recording whose intermediate need not be stored, or not be read again: a product's bias with the
 * loss that takes its logits, and with the latent sample and the KL divergence that take its heads; the gradient of an
 * activation with that of the bias before it.
 */
final class CudaFusion {
    /**
     * Calls that run as one command.
     *
     * @param calls in the order they were issued
     * @param command what runs
     */
    record Group(List<KernelCall> calls, CudaCommand command) {}

    private CudaFusion() {}

    /** {@return the calls in order, merged where that is possible} */
    static List<Group> of(List<Issued<CudaCommand>> issued) {
        List<Group> groups = new ArrayList<>();
        for (int at = 0; at < issued.size(); at += groups.getLast().calls().size()) {
            List<Issued<CudaCommand>> rest = issued.subList(at, issued.size());
            Optional<CudaCommand> two = rest.size() < 2
                    ? Optional.empty()
                    : loss(issued, rest.get(0), rest.get(1)).or(() -> gradients(rest.get(0), rest.get(1)));
            Optional<CudaCommand> three =
                    rest.size() < 3 ? Optional.empty() : latent(rest.get(0), rest.get(1), rest.get(2));
            int merged = two.isPresent() ? 2 : three.isPresent() ? 3 : 1;
            groups.add(new Group(
                    rest.subList(0, merged).stream().map(Issued::call).toList(),
                    two.or(() -> three).orElseGet(() -> rest.getFirst().command())));
        }
        return groups;
    }

    private static Optional<CudaCommand> loss(
            List<Issued<CudaCommand>> all, Issued<CudaCommand> first, Issued<CudaCommand> second) {
        if (first.command() instanceof Forward layer
                && layer.activation() == Activation.IDENTITY
                && second.command() instanceof BernoulliGradient loss
                && loss.logits().equals(layer.y())
                && loss.rows().equals(layer.rows())
                && apart(loss.target(), layer.y())
                && apart(loss.logLikelihood(), layer.b())
                && apart(loss.dLogits(), layer.b())
                && usedByThese(all, first.call(), second.call())) {
            return Optional.of(new CudaLossKernels.LinearBernoulliGradient(layer, loss));
        }
        return Optional.empty();
    }

    /** Whether what one call writes is nothing that a kernel which does both reads elsewhere; calls check only themselves. */
    private static boolean apart(CudaOperand one, CudaOperand other) {
        return !one.region().overlaps(other.region());
    }

    /** Whether the layer's output is an intermediate that no other call names. */
    private static boolean usedByThese(List<Issued<CudaCommand>> all, KernelCall layer, KernelCall loss) {
        return layer.outputs().getFirst() instanceof Scratch logits
                && all.stream()
                        .map(Issued::call)
                        .filter(call -> call != layer && call != loss)
                        .noneMatch(call ->
                                call.inputs().contains(logits) || call.outputs().contains(logits));
    }

    private static Optional<CudaCommand> gradients(Issued<CudaCommand> first, Issued<CudaCommand> second) {
        return first.command() instanceof BackwardInput input
                        && second.command() instanceof BackwardWeights weights
                        && CudaLinearKernels.mergeable(input, weights)
                ? Optional.of(new CudaLinearKernels.BackwardInputWeights(input, weights))
                : Optional.empty();
    }

    private static Optional<CudaCommand> latent(
            Issued<CudaCommand> first, Issued<CudaCommand> second, Issued<CudaCommand> third) {
        if (first.command() instanceof Forward layer
                && layer.activation() == Activation.IDENTITY
                && second.command() instanceof Reparameterize sample
                && third.command() instanceof GaussianKl kl
                && layer.rows().fold() == 1
                && sample.rows().equals(layer.rows())
                && sample.muLogVar().equals(layer.y())
                && kl.muLogVar().equals(layer.y())
                && kl.clamp().equals(sample.clamp())
                && apart(sample.z(), kl.kl())
                && apart(sample.z(), layer.b())
                && apart(kl.kl(), layer.b())) {
            return Optional.of(new CudaLatentKernels.LinearLatent(layer, sample, kl));
        }
        return Optional.empty();
    }

    /** {@return the groups in words, a line a call, and a line more for what is merged or on the second branch} */
    static String explain(List<Group> groups) {
        return groups.stream()
                .map(group -> {
                    List<String> lines = new ArrayList<>(
                            group.calls().stream().map(KernelCall::toString).toList());
                    int calls = group.calls().size();
                    int onMain = group.command().onMain(calls);
                    if (calls > 1) {
                        lines.add("  merged: "
                                + group.calls().stream().map(KernelCall::kernel).collect(Collectors.joining(" + ")));
                    }
                    if (onMain < calls) {
                        lines.add(onMain == 0 ? "  on the second branch" : "  its product on the second branch");
                    }
                    return String.join("\n", lines);
                })
                .collect(Collectors.joining("\n"));
    }
}
