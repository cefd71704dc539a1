package io.gatun.cli.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The figures of one workload on one stack over the rounds. */
final class Sample {
    private final List<Double> values = new ArrayList<>();

    void add(final double value) {
        values.add(value);
    }

    boolean isEmpty() {
        return values.isEmpty();
    }

    double median() {
        final List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        final int n = sorted.size();
        return n % 2 == 1 ? sorted.get(n / 2) : (sorted.get(n / 2 - 1) + sorted.get(n / 2)) / 2;
    }

    double min() {
        return Collections.min(values);
    }

    double max() {
        return Collections.max(values);
    }
}
