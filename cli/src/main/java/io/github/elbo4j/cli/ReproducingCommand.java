package io.github.elbo4j.cli;

import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.training.Optimizer;
import io.github.elbo4j.training.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The command that trains the same model again, with everything said that could differ. */
final class ReproducingCommand {
    private ReproducingCommand() {}

    /**
     * {@return what a user types}
     *
     * @param spec how the data is named
     * @param model architecture and objective
     * @param training how it was trained
     * @param profile numeric profile of the backend, such as {@code java-fp32} or {@code cuda-tf32-sm90}
     */
    static String of(String spec, VaeConfig model, TrainingConfig training, String profile) {
        List<String> words = new ArrayList<>(List.of("./elbo4j", "train"));
        option(words, "--data", spec);
        option(words, "--hidden", widths(model.encoder()));
        if (!model.decoder().equals(model.encoder().reversed())) {
            option(words, "--decoder", widths(model.decoder()));
        }
        option(words, "--latent", model.latent());
        option(words, "--activation", model.activation().label());
        option(words, "--init", model.initialization().label());
        option(words, "--beta", number(model.beta()));
        option(words, "--epochs", training.epochs());
        option(words, "--batch", training.batch());
        option(words, "--optimizer", training.optimizer() instanceof Optimizer.Adam ? "adam" : "sgd");
        option(words, "--lr", number(training.optimizer().learningRate()));
        option(words, "--seed", training.seed());
        if (training.pixels() == Pixels.BERNOULLI) {
            words.add("--binarize");
        }
        String[] parts = profile.split("-", 3);
        option(words, "--backend", parts[0]);
        if (parts.length > 1) {
            option(words, "--precision", parts[1]);
        }
        String command = String.join(" ", words);
        List<String> missing = withoutOption(model, training);
        // A comment, so that what is copied runs and says itself why it gives another model.
        return missing.isEmpty()
                ? command
                : command + "\n# and, which only the Java API can say: " + String.join(", ", missing);
    }

    /** {@return what differs from the defaults and no option says} */
    private static List<String> withoutOption(VaeConfig model, TrainingConfig training) {
        List<String> missing = new ArrayList<>();
        if (!model.logVarClamp().equals(Clamp.DEFAULT)) {
            missing.add("log-variance within " + model.logVarClamp().low() + " to "
                    + model.logVarClamp().high());
        }
        if (training.optimizer() instanceof Optimizer.Adam adam
                && !adam.equals(new Optimizer.Adam(adam.learningRate()))) {
            missing.add("Adam with beta1 " + adam.beta1() + ", beta2 " + adam.beta2() + ", epsilon " + adam.epsilon());
        }
        if (!training.shuffle()) {
            missing.add("rows in order");
        }
        if (training.reduction() != Reduction.MEAN) {
            missing.add("gradients summed over the batch");
        }
        return missing;
    }

    private static void option(List<String> words, String option, Object value) {
        words.add(option);
        words.add(Shell.quoted(value));
    }

    private static String widths(List<Integer> widths) {
        return widths.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e9
                ? String.valueOf((long) value)
                : String.valueOf(value);
    }
}
