package io.gatun.spi.mbuf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Fills freed octets with a pattern and looks for the pattern when they are handed out again, so that a write through
 * a stale handle is found. On exactly when assertions are.
 *
 * @bsd trash_dtor
 */
final class Poison {
    static final boolean ON = Poison.class.desiredAssertionStatus();
    private static final long PATTERN = 0xdedededededededeL;
    private static final int WIDTH = Long.BYTES;

    private Poison() {
    }

    /** Spoils {@code len} octets, a multiple of 8. */
    static void fill(MemorySegment seg, long off, long len) {
        // Not asSlice().fill(): nothing may be allocated here, with assertions on either.
        for (long i = 0; i < len; i += WIDTH) {
            seg.set(ValueLayout.JAVA_LONG_UNALIGNED, off + i, PATTERN);
        }
    }

    /** True when nobody wrote since {@link #fill}; {@code len} is a multiple of 8. */
    static boolean intact(MemorySegment seg, long off, long len) {
        long differs = 0;
        for (long i = 0; i < len; i += WIDTH) {
            differs |= seg.get(ValueLayout.JAVA_LONG_UNALIGNED, off + i) ^ PATTERN;
        }
        return differs == 0;
    }
}
