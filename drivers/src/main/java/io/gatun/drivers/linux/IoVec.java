package io.gatun.drivers.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A reusable {@code struct iovec} array: the pieces of one frame, wherever they lie, for readv and writev.
 *
 * <p>Filled with {@link #add}, passed to a call, emptied with {@link #clear}. It keeps the added segments reachable
 * until then, so a frame handed to the kernel cannot be collected under it. Belongs to one thread at a time; nothing
 * but the constructor allocates.
 */
public final class IoVec {
    /** The most pieces the kernel takes at once, UIO_MAXIOV. */
    public static final int MAX_PIECES = 1024;

    private static final long PIECE = iovec.sizeof();

    private final MemorySegment vector;
    private final MemorySegment[] pieces;
    private int count;
    private long octets;

    /** Room for {@code max} pieces, 1 to {@link #MAX_PIECES}. */
    public IoVec(int max) {
        if (max < 1 || max > MAX_PIECES) {
            throw new IllegalArgumentException("pieces: " + max);
        }
        vector = Arena.ofAuto().allocate(iovec.layout().byteSize() * max, iovec.layout().byteAlignment());
        pieces = new MemorySegment[max];
    }

    /**
     * Appends {@code len} octets of the native segment {@code seg} from {@code off}.
     *
     * @return false, and nothing added, when there is no room for another piece
     */
    public boolean add(MemorySegment seg, long off, long len) {
        if (count == pieces.length) {
            return false;
        }
        long at = count * PIECE;
        vector.set(Linux.C_LONG, at + iovec.iov_base$offset(), LibC.address(seg, off, len));
        vector.set(Linux.C_LONG, at + iovec.iov_len$offset(), len);
        pieces[count++] = seg;
        octets += len;
        return true;
    }

    /** Forgets every piece. */
    public void clear() {
        Arrays.fill(pieces, 0, count, null);
        count = 0;
        octets = 0;
    }

    /** How many pieces there are. */
    public int count() {
        return count;
    }

    /** How many octets all pieces have together. */
    public long octets() {
        return octets;
    }

    long address() {
        return vector.address();
    }
}
