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

    /** A user's call into the stack begins: until its end one reading may serve for several. By default none does. */
    default void callBegins() {
        // each reading is a new one
    }

    /** The call ends, or one within it does. */
    default void callEnds() {
        // as above
    }
}
