package io.github.elbo4j.cli;

import io.github.elbo4j.backend.BackendException;
import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.BackendUnavailableException;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.training.NonFiniteException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Turns what was thrown into an exit status and one line. */
final class Failures {
    /** Exit status of success. */
    static final int OK = 0;

    /** Exit status of everything that is not {@link #INPUT}. */
    static final int FAILED = 1;

    /** Exit status of wrong usage and bad input. */
    static final int INPUT = 2;

    private Failures() {}

    static int status(Throwable failure) {
        return switch (failure) {
            case InputException _, IllegalArgumentException _, FormatException _, BackendUnavailableException _ ->
                INPUT;
            // More than the machine holds was asked for.
            case BackendMemoryException _, NoSuchFileException _, AccessDeniedException _ -> INPUT;
            default -> FAILED;
        };
    }

    /** {@return cause and remedy in one line} */
    static String line(Throwable failure, String command) {
        String message = String.valueOf(failure.getMessage());
        String line = switch (failure) {
            case InputException _, FormatException _, NonFiniteException _ -> message;
            case IllegalArgumentException _ -> message + "; see `" + command + " --help`";
            // What a backend throws says what to do.
            case BackendMemoryException _
            when !message.contains("; ") -> message + "; take a smaller model, batch or data set";
            case BackendException _ -> message;
            case OutOfMemoryError _ ->
                "out of memory (" + message + "); take a smaller model, batch or data set, or give more with"
                        + " ELBO4J_JAVA_OPTS=-Xmx8g";
            case NoSuchFileException missing -> missing.getFile() + ": does not exist; check the path";
            case AccessDeniedException denied -> denied.getFile() + ": permission denied; check the permissions";
            case FileSystemException disk ->
                disk.getFile() + ": " + reason(disk) + "; check the disk, its free space and the permissions";
            case IOException _ -> message;
            default ->
                "internal error: " + failure.getClass().getSimpleName() + ": " + message
                        + "; please report it with what --stacktrace prints";
        };
        return "elbo4j: " + oneLine(line);
    }

    static String oneLine(String text) {
        // Names in hostile files may hold escapes for a terminal.
        return text.strip().replaceAll("\\s*\\R\\s*", " ").replaceAll("[\\p{Cc}\\p{Cf}]", "?");
    }

    /** {@return why a file operation failed, in words} */
    static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException _ -> "no such file or folder";
            case AccessDeniedException _ -> "permission denied";
            case FileAlreadyExistsException _ -> "it exists and is not a folder";
            case FileSystemException disk when disk.getReason() != null -> disk.getReason();
            default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    }
}
