package io.gatun.spi.vnet;

/**
 * The only source of time of a vnet. Reading costs some 30 ns on real hardware, so data paths read it once a batch.
 *
 * @bsd sbinuptime
 */
@FunctionalInterface
public interface Clock {
    /** The machine's monotonic clock. */
    Clock SYSTEM = System::nanoTime;

    /** Nanoseconds since an arbitrary origin; never goes back. Compare by difference. */
    long nanoTime();
}
