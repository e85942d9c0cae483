package io.github.elbo4j.backend;

import java.util.List;
import java.util.Map;

/**
 * Opens one kind of backend; found by {@link java.util.ServiceLoader}. Loading and asking it never needs the hardware.
 */
public interface BackendProvider {
    /**
     * Version of this package's contract. A constant, so each provider carries the number it was compiled with, and a jar
     * of another version is found out before it is used.
     */
    int SEAM_VERSION = 1;

    /**
     * Why a backend cannot be opened here.
     *
     * @param reason what is missing or wrong
     * @param remedy what to do about it
     */
    record Problem(String reason, String remedy) {
        @Override
        public String toString() {
            return reason + "; " + remedy;
        }
    }

    /** {@return the name to open it by: lower case} */
    String name();

    /** {@return the place in the choice of {@link Backends#best}: the highest that opens wins} */
    int rank();

    /** {@return {@link #SEAM_VERSION}, as compiled into the provider} */
    int seamVersion();

    /** {@return every reason why it cannot be opened here, found once and kept; empty when it can} */
    List<Problem> problems();

    /**
     * {@return what it found on this machine, by name, in the order of looking, for {@code doctor}; empty if there is
     * nothing to tell}
     */
    default Map<String, String> findings() {
        return Map.of();
    }

    /**
     * {@return the names of the options it takes, each with its values in words}
     */
    Map<String, String> options();

    /**
     * Opens a backend.
     *
     * @param options values by name
     * @throws BackendUnavailableException if it cannot be opened here
     * @throws IllegalArgumentException if an option is unknown or has an impossible value
     */
    Backend open(Map<String, String> options);
}
