package io.gatun.spi.socket;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A user's octets on their way in or out: one segment, or several in turn, with what is left of them. Reused by its
 * owner; one thread at a time.
 *
 * @bsd struct uio
 * @see <a href="https://man.freebsd.org/uio/9">uio(9)</a>
 */
public final class Uio {
    // The present piece: mostly the only one, so it stands in fields.
    private MemorySegment seg;
    private long start;
    private long offset;
    private long length;
    private long resid;
    private int count;
    private int index;
    // All pieces, where there are several.
    private MemorySegment[] segs = new MemorySegment[0];
    private long[] starts = new long[0];
    private long[] ends = new long[0];

    /** Holds nothing. */
    public Uio() {
        // filled by set and add
    }

    /**
     * Points it at one piece of a segment.
     *
     * @throws IndexOutOfBoundsException that is not all in the segment; then it stays as it was
     */
    public Uio set(final MemorySegment s, final long off, final long octets) {
        check(s, off, octets);
        present(s, off, octets);
        return this;
    }

    /** Only counts: no memory, {@code octets} to {@link #skip}. For calls that move mbufs. */
    public Uio limit(final long octets) {
        present(null, 0, octets);
        return this;
    }

    private void present(final MemorySegment s, final long off, final long octets) {
        if (count > 1) {
            clear();
        }
        seg = s;
        start = off;
        offset = off;
        length = octets;
        resid = octets;
        count = 1;
    }

    /** Forgets all pieces. */
    public void clear() {
        if (count > 1) {
            Arrays.fill(segs, 0, count, null);
        }
        seg = null;
        start = 0;
        offset = 0;
        length = 0;
        resid = 0;
        count = 0;
        index = 0;
    }

    /**
     * Adds a further piece. Allocates only when it holds more pieces than ever before.
     *
     * @throws IndexOutOfBoundsException as {@link #set}
     */
    public void add(final MemorySegment s, final long off, final long octets) {
        check(s, off, octets);
        if (count == 0) {
            present(s, off, octets);
            return;
        }
        if (count >= segs.length) {
            final int room = 2 * count;
            segs = Arrays.copyOf(segs, room);
            starts = Arrays.copyOf(starts, room);
            ends = Arrays.copyOf(ends, room);
        }
        if (count == 1) {
            keep(0, seg, start, offset + length);
        }
        keep(count, s, off, off + octets);
        count++;
        resid += octets;
    }

    private void keep(final int i, final MemorySegment s, final long from, final long to) {
        segs[i] = s;
        starts[i] = from;
        ends[i] = to;
    }

    private static void check(final MemorySegment s, final long off, final long octets) {
        if (off < 0 || octets < 0 || off > s.byteSize() - octets) {
            throw new IndexOutOfBoundsException(
                "offset " + off + ", length " + octets + " of " + s.byteSize() + " octets");
        }
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
        access(seg);
        for (int i = index + 1; i < count; i++) {
            access(segs[i]);
        }
    }

    private static void access(final MemorySegment s) {
        if (s == null) {
            return;
        }
        if (!s.scope().isAlive()) {
            throw new IllegalStateException("the arena is closed");
        }
        if (!s.isAccessibleBy(Thread.currentThread())) {
            throw new WrongThreadException("memory of another thread");
        }
    }

    /** Moves the next {@code n} octets, at most {@link #resid}, out of this into {@code dst}. @bsd uiomove */
    public void moveTo(final MemorySegment dst, final long dstOffset, final int n) {
        if (0 < n && n <= length) {
            MemorySegment.copy(seg, offset, dst, dstOffset, n);
            advance(n);
            return;
        }
        int done = 0;
        while (done < n) {
            final int chunk = chunk(n - done);
            MemorySegment.copy(seg, offset, dst, dstOffset + done, chunk);
            advance(chunk);
            done += chunk;
        }
    }

    /** Moves {@code n} octets, at most {@link #resid}, from {@code src} into this. @bsd uiomove */
    public void moveFrom(final MemorySegment src, final long srcOffset, final int n) {
        if (0 < n && n <= length) {
            MemorySegment.copy(src, srcOffset, seg, offset, n);
            advance(n);
            return;
        }
        int done = 0;
        while (done < n) {
            final int chunk = chunk(n - done);
            MemorySegment.copy(src, srcOffset + done, seg, offset, chunk);
            advance(chunk);
            done += chunk;
        }
    }

    /** Gives back the {@code n} octets that were moved last, as if they had not been. */
    public void back(final long n) {
        long left = n;
        while (left > 0) {
            while (offset == start) {
                turnTo(index - 1);
                offset = ends[index];
                length = 0;
            }
            final long chunk = Math.min(left, offset - start);
            offset -= chunk;
            length += chunk;
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
        while (length == 0) {
            turnTo(index + 1);
        }
        return (int) Math.min(wanted, length);
    }

    /** Makes piece i the present one, nothing of it moved. */
    private void turnTo(final int i) {
        seg = segs[i];
        start = starts[i];
        offset = start;
        length = ends[i] - start;
        index = i;
    }

    private void advance(final int n) {
        offset += n;
        length -= n;
        resid -= n;
    }
}
