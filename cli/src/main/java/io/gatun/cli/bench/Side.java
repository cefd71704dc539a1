package io.gatun.cli.bench;

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
    },
    KERNEL {
        @Override
        Stack stack(final boolean packets) {
            return new KernelStack();
        }
    };

    /** @param packets of the stack itself: whether all it sends to itself is to go in packets */
    abstract Stack stack(boolean packets);

    /** The column's name. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
