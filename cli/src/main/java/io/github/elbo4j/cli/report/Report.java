package io.github.elbo4j.cli.report;

import io.github.elbo4j.model.Losses;
import io.github.elbo4j.training.EpochReport;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the report of a run says. Texts may hold anything; they are shown, never interpreted.
 *
 * @param title what the run is
 * @param table how it was made
 * @param command what a user types to get the same run again
 * @param history losses after every epoch, ascending, in nats; may be empty
 * @param pictures in the order in which they are shown; may be empty
 * @param scatters maps of the latent space; may be empty
 */
public record Report(
        String title,
        List<Row> table,
        String command,
        List<EpochReport> history,
        List<Picture> pictures,
        List<Scatter> scatters) {
    /**
     * Copies the lists.
     *
     * @throws IllegalArgumentException if the history is not ascending, or has a loss that is not finite or beyond 1e300
     */
    public Report {
        table = List.copyOf(table);
        history = List.copyOf(history);
        pictures = List.copyOf(pictures);
        scatters = List.copyOf(scatters);
        int last = Integer.MIN_VALUE;
        for (EpochReport epoch : history) {
            if (epoch.epoch() <= last) {
                throw new IllegalArgumentException("epoch " + epoch.epoch() + " stands after epoch " + last);
            }
            last = epoch.epoch();
            requireDrawable(epoch.epoch(), epoch.train());
            requireDrawable(epoch.epoch(), epoch.test());
        }
    }

    private static void requireDrawable(int epoch, @Nullable Losses losses) {
        if (losses != null
                && !(Axis.contains(losses.reconstruction())
                        && Axis.contains(losses.kl())
                        && Axis.contains(losses.loss()))) {
            throw new IllegalArgumentException(
                    "epoch " + epoch + " has a loss that is not finite or beyond " + Axis.LARGEST + ": " + losses);
        }
    }

    /** {@return the epoch of the lowest test loss, or training loss where an epoch has no other; null without epochs} */
    @Nullable
    EpochReport best() {
        boolean tested = tested();
        return history.stream()
                .filter(epoch -> !tested || epoch.test() != null)
                .min(Comparator.comparingDouble(epoch -> judged(epoch).loss()))
                .orElse(null);
    }

    /** {@return whether any epoch has test losses} */
    boolean tested() {
        return history.stream().anyMatch(epoch -> epoch.test() != null);
    }

    /** {@return the losses that an epoch is judged by} */
    static Losses judged(EpochReport epoch) {
        Losses test = epoch.test();
        return test == null ? epoch.train() : test;
    }

    /**
     * A line of the table.
     *
     * @param name what it is
     * @param value its value
     */
    public record Row(String name, String value) {}
}
