package io.gatun.cli.bench;

import java.util.List;
import java.util.Locale;

/** Who runs a workload, in the order of the columns. */
enum Side {
    GATUN {
        @Override
        Stack stack(final boolean packets) {
            return new GatunStack(packets);
        }
    },
    POLL {
        @Override
        Stack stack(final boolean packets) {
            return new PollStack(packets);
        }

        @Override
        List<String> flags() {
            // One thread wants no collector that runs beside it, nor stores of references that are made for one.
            return List.of("-XX:+UseSerialGC");
        }
    },
    KERNEL {
        @Override
        Stack stack(final boolean packets) {
            return new KernelStack();
        }
    };

    /** @param packets of the stack itself: whether all it sends to itself is to go in packets */
    abstract Stack stack(boolean packets);

    /** Flags of its JVM beside those of this one. */
    List<String> flags() {
        return List.of();
    }

    /** The column's name. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
