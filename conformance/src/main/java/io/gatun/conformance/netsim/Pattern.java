package io.gatun.conformance.netsim;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Octets that depend on their position in a stream, to be compared where they arrive. */
public final class Pattern {
    /** A prime, so that no boundary of the stack's falls on the same octet twice. */
    private static final int PERIOD = 65_521;

    private final MemorySegment octets;

    /** @param longest the most that is asked for or compared at a time */
    public Pattern(final int longest) {
        octets = Arena.ofAuto().allocate((long) PERIOD + longest);
        final SplittableRandom r = new SplittableRandom(PERIOD);
        for (long i = 0; i < octets.byteSize(); i++) {
            final byte b = i < PERIOD ? (byte) r.nextInt() : octets.get(ValueLayout.JAVA_BYTE, i - PERIOD);
            octets.set(ValueLayout.JAVA_BYTE, i, b);
        }
    }

    /** Where the octets are. */
    public MemorySegment segment() {
        return octets;
    }

    /** Where in it those of a position begin. */
    public long offset(final long position) {
        return position % PERIOD;
    }

    /** Fails unless the first {@code n} octets are those of a position. */
    public void check(final MemorySegment in, final long n, final long position) {
        final long at = offset(position);
        final long wrong = MemorySegment.mismatch(in, 0, n, octets, at, at + n);
        if (wrong >= 0) {
            throw new AssertionError("octet " + (position + wrong) + " is wrong");
        }
    }
}
