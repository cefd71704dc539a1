package io.gatun.spi.mbuf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Fills freed octets with a pattern and looks for the pattern when they are handed out again, so that a write through
 * a stale handle is found. On exactly when assertions are.
 *
 * @bsd trash_dtor
 */
final class Poison {
    static final boolean ON = Poison.class.desiredAssertionStatus();
    private static final byte PATTERN = (byte) 0xde;
    /** As much of the pattern as the largest item has octets, to copy from and to compare with. */
    private static final MemorySegment SPOILT = ON ? Arena.global().allocate(Mbuf.MJUM16BYTES).fill(PATTERN)
        : MemorySegment.NULL;

    private Poison() {
    }

    /** Spoils all of a segment. */
    static void fill(MemorySegment seg) {
        seg.fill(PATTERN);
    }

    /** Spoils {@code len} octets, those of an item at most. */
    static void fill(MemorySegment seg, long off, long len) {
        // Not asSlice().fill(): nothing may be allocated here, with assertions on either.
        MemorySegment.copy(SPOILT, 0, seg, off, len);
    }

    /** True when nobody wrote since {@link #fill}; {@code len} is that of an item at most. */
    static boolean intact(MemorySegment seg, long off, long len) {
        return MemorySegment.mismatch(SPOILT, 0, len, seg, off, off + len) < 0;
    }
}
