package io.github.elbo4j.testkit;

import java.lang.management.ManagementFactory;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The threads of a backend's workers, found by their name.
 *
 * @param threads those that were alive
 */
public record WorkerThreads(Set<Thread> threads) {
    /** {@return the threads of that name that are alive now} */
    public static WorkerThreads named(String name) {
        return new WorkerThreads(Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(name))
                .collect(Collectors.toUnmodifiableSet()));
    }

    /** {@return those that are not among others} */
    public WorkerThreads without(WorkerThreads others) {
        return new WorkerThreads(threads.stream()
                .filter(thread -> !others.threads.contains(thread))
                .collect(Collectors.toUnmodifiableSet()));
    }

    /** {@return how long they have computed so far; of those that have ended nothing is counted} */
    public long cpuNanos() {
        return threads.stream()
                .mapToLong(thread ->
                        Math.max(0, ManagementFactory.getThreadMXBean().getThreadCpuTime(thread.threadId())))
                .sum();
    }
}
