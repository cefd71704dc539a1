package io.gatun.spi.socket;

import java.lang.foreign.MemorySegment;

/**
 * A user's octets on their way in or out: one segment, or several in turn, with what is left of them. Reused by its
 * owner; one thread at a time.
 *
 * @bsd struct uio
 * @see <a href="https://man.freebsd.org/uio/9">uio(9)</a>
 */
public final class Uio {
    private MemorySegment[] segs = new MemorySegment[1];
    private long[] starts = new long[1];
    private long[] offsets = new long[1];
    private long[] lengths = new long[1];
    private int count;
    private int index;
    private long resid;

    /** Holds nothing. */
    public Uio() {
        // filled by set and add
    }

    /** Points it at one piece of a segment. */
    public Uio set(final MemorySegment seg, final long offset, final long length) {
        if (count > 1) {
            clear();
        }
        count = 0;
        index = 0;
        resid = 0;
        add(seg, offset, length);
        return this;
    }

    /** Only counts: no memory, {@code octets} to {@link #skip}. For calls that move mbufs. */
    public Uio limit(final long octets) {
        clear();
        starts[0] = 0;
        offsets[0] = 0;
        lengths[0] = octets;
        count = 1;
        resid = octets;
        return this;
    }

    /** Forgets all pieces. */
    public void clear() {
        for (int i = 0; i < count; i++) {
            segs[i] = null;
        }
        count = 0;
        index = 0;
        resid = 0;
    }

    /** Adds a further piece. Allocates only when it holds more pieces than ever before. */
    public void add(final MemorySegment seg, final long offset, final long length) {
        if (offset < 0 || length < 0 || offset > seg.byteSize() - length) {
            throw new IndexOutOfBoundsException(
                "offset " + offset + ", length " + length + " of " + seg.byteSize() + " octets");
        }
        if (count == segs.length) {
            segs = java.util.Arrays.copyOf(segs, 2 * count);
            starts = java.util.Arrays.copyOf(starts, 2 * count);
            offsets = java.util.Arrays.copyOf(offsets, 2 * count);
            lengths = java.util.Arrays.copyOf(lengths, 2 * count);
        }
        segs[count] = seg;
        starts[count] = offset;
        offsets[count] = offset;
        lengths[count] = length;
        count++;
        resid += length;
    }

    /** Octets not yet moved. @bsd uio_resid */
    public long resid() {
        return resid;
    }

    /**
     * Fails where memory that is left cannot be touched, before anything has been done that would be lost with it.
     *
     * @throws IllegalStateException its arena is closed
     * @throws WrongThreadException it is another thread's alone
     * @bsd useracc
     */
    public void access() {
        for (int i = index; i < count; i++) {
            final MemorySegment s = segs[i];
            if (s != null && !s.scope().isAlive()) {
                throw new IllegalStateException("the arena is closed");
            }
            if (s != null && !s.isAccessibleBy(Thread.currentThread())) {
                throw new WrongThreadException("memory of another thread");
            }
        }
    }

    /** Moves the next {@code n} octets, at most {@link #resid}, out of this into {@code dst}. @bsd uiomove */
    public void moveTo(final MemorySegment dst, final long dstOffset, final int n) {
        int done = 0;
        while (done < n) {
            final int chunk = chunk(n - done);
            MemorySegment.copy(segs[index], offsets[index], dst, dstOffset + done, chunk);
            advance(chunk);
            done += chunk;
        }
    }

    /** Moves {@code n} octets, at most {@link #resid}, from {@code src} into this. @bsd uiomove */
    public void moveFrom(final MemorySegment src, final long srcOffset, final int n) {
        int done = 0;
        while (done < n) {
            final int chunk = chunk(n - done);
            MemorySegment.copy(src, srcOffset + done, segs[index], offsets[index], chunk);
            advance(chunk);
            done += chunk;
        }
    }

    /** Gives back the {@code n} octets that were moved last, as if they had not been. */
    public void back(final long n) {
        long left = n;
        while (left > 0) {
            while (offsets[index] == starts[index]) {
                index--;
            }
            final long chunk = Math.min(left, offsets[index] - starts[index]);
            offsets[index] -= chunk;
            lengths[index] += chunk;
            resid += chunk;
            left -= chunk;
        }
    }

    /** Counts {@code n} octets as moved without touching them. */
    public void skip(final long n) {
        long left = n;
        while (left > 0) {
            final int chunk = chunk((int) Math.min(left, Integer.MAX_VALUE));
            advance(chunk);
            left -= chunk;
        }
    }

    private int chunk(final int wanted) {
        while (lengths[index] == 0) {
            index++;
        }
        return (int) Math.min(wanted, lengths[index]);
    }

    private void advance(final int n) {
        offsets[index] += n;
        lengths[index] -= n;
        resid -= n;
    }
}
