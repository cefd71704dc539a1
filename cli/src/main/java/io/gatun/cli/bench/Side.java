package io.gatun.cli.bench;

import java.util.Locale;

/** Who runs a workload, in the order of the columns. */
enum Side {
    GATUN {
        @Override
        Stack stack() {
            return new GatunStack();
        }
    },
    POLL {
        @Override
        Stack stack() {
            return new PollStack();
        }
    },
    KERNEL {
        @Override
        Stack stack() {
            return new KernelStack();
        }
    };

    abstract Stack stack();

    /** The column's name. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
