package io.gatun.spi.socket;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Mtx;

/**
 * One direction of a socket: a queue of records (by nextPkt), each a chain of mbufs (by next), with limits and
 * waiters. A stream is one endless record.
 *
 * <p>Methods named {@code ...Locked} are called with {@link #lock} held; their twins take it, here, so that an
 * implementation has the first only. Readers ({@link #avail}, {@link #space}, {@link #state}) may be called without it
 * and are then advisory.
 *
 * @bsd struct sockbuf
 */
public interface SockBuf {
    /** This direction's lock (one with the socket's under COALESCED). @bsd SOCKBUF_LOCK */
    Mtx lock();

    // ---- readings ------------------------------------------------------------

    /** Octets a reader can take. @bsd sbavail */
    int avail();

    /** Octets in the buffer, ready or not, control and addresses included. @bsd sbused */
    int used();

    /** Octets that may still be appended, by octet and by storage limits; negative when over. @bsd sbspace */
    int space();

    /** Storage in use: mbufs and clusters, octets. @bsd sb_mbcnt */
    int mbcnt();

    /** @bsd sb_mbmax */
    int mbmax();

    /** Octet limit. @bsd sb_hiwat */
    int hiwat();

    /** Fewest octets worth waking for. @bsd sb_lowat */
    int lowat();

    /** Sets it; 1 to {@link #hiwat}. */
    void setLowat(int octets);

    /** SB_*. @bsd sb_flags */
    int flags();

    /** Changes SB_* bits, under the lock; in attach, when nobody else knows the socket yet, without. */
    void setFlagBits(int set, int clear);

    /** SBS_*. @bsd sb_state */
    int state();

    /** Changes SBS_* bits, under the lock. */
    void setStateBits(int set, int clear);

    /** Of a send buffer the way past it, of a receive buffer the way into it; null for none. */
    default Fusion fusion() {
        return null;
    }

    /** First mbuf of the first record, or null; under the lock. @bsd sb_mb */
    Mbuf mb();

    // ---- appending: all consume m, control ------------------------------------------------------------

    /** Appends to the last record. @bsd sbappend */
    default void append(final Mbuf m, final int flags) {
        lock().lock();
        try {
            appendLocked(m, flags);
        } finally {
            lock().unlock();
        }
    }

    /** @bsd sbappend_locked */
    void appendLocked(Mbuf m, int flags);

    /** Appends to a stream; small mbufs are compressed into the space of the last. @bsd sbappendstream */
    default void appendStream(final Mbuf m, final int flags) {
        lock().lock();
        try {
            appendStreamLocked(m, flags);
        } finally {
            lock().unlock();
        }
    }

    /** @bsd sbappendstream_locked */
    void appendStreamLocked(Mbuf m, int flags);

    /** Begins a new record. @bsd sbappendrecord */
    default void appendRecord(final Mbuf m) {
        lock().lock();
        try {
            appendRecordLocked(m);
        } finally {
            lock().unlock();
        }
    }

    /** @bsd sbappendrecord_locked */
    void appendRecordLocked(Mbuf m);

    /**
     * Appends address, control and data as a record, if there is room.
     *
     * @param from copied; may be null
     * @return false when there is no room or no mbuf: then nothing is consumed
     * @bsd sbappendaddr
     */
    default boolean appendAddr(final SockAddr from, final Mbuf m, final Mbuf control) {
        lock().lock();
        try {
            return appendAddrLocked(from, m, control);
        } finally {
            lock().unlock();
        }
    }

    /** @bsd sbappendaddr_locked */
    boolean appendAddrLocked(SockAddr from, Mbuf m, Mbuf control);

    /**
     * Appends a message straight from a user's memory, if this buffer does that and there is room, and wakes readers.
     *
     * @param from its sender, copied
     * @return false when a message is to be made of it first: nothing was done
     * @throws IllegalStateException the user's memory is gone: nothing was appended
     */
    default boolean appendUioLocked(final SockAddr from, final Uio uio) {
        return false;
    }

    /** Appends control and data as a record. @bsd sbappendcontrol */
    default void appendControl(final Mbuf m, final Mbuf control, final int flags) {
        lock().lock();
        try {
            appendControlLocked(m, control, flags);
        } finally {
            lock().unlock();
        }
    }

    /** @bsd sbappendcontrol_locked */
    void appendControlLocked(Mbuf m, Mbuf control, int flags);

    // ---- taking ------------------------------------------------------------

    /** Drops octets off the front. @bsd sbdrop */
    default void drop(final int octets) {
        lock().lock();
        try {
            dropLocked(octets);
        } finally {
            lock().unlock();
        }
    }

    /** @bsd sbdrop_locked */
    void dropLocked(int octets);

    /**
     * Takes octets off the front; the chain is the caller's to free, outside the lock if it likes. It holds the mbufs
     * that are used up (null when there is none), not the part of one that stays.
     *
     * @bsd sbcut_locked
     */
    Mbuf cutLocked(int octets);

    /** Drops the first record. @bsd sbdroprecord */
    default void dropRecord() {
        lock().lock();
        try {
            dropRecordLocked();
        } finally {
            lock().unlock();
        }
    }

    /** @bsd sbdroprecord_locked */
    void dropRecordLocked();

    /** Drops everything. @bsd sbflush */
    default void flush() {
        lock().lock();
        try {
            flushLocked();
        } finally {
            lock().unlock();
        }
    }

    /** @bsd sbflush_locked */
    void flushLocked();

    /**
     * A shared copy of {@code length} octets from {@code offset} of a stream, for transmission: clusters are shared,
     * nothing is copied. Keeps a cursor, so that successive calls do not walk the buffer.
     *
     * @return a chain without packet header, owned by the caller; null when out of mbufs
     * @bsd sbsndptr_adv
     */
    Mbuf sndCopyLocked(int offset, int length);

    // ---- limits ------------------------------------------------------------

    /**
     * Sets the limits for {@code octets}; false beyond {@code kern.ipc.maxsockbuf}. In attach, and of a
     * child that waits for its handshake, nobody else has the socket yet: then the lock need not be held.
     *
     * @bsd sbreserve_locked
     */
    boolean reserveLocked(long octets);

    /** Empties the buffer and gives its limits back, at the very end. @bsd sbdestroy */
    void destroy();

    /** Recounts everything and fails on a difference; for assertions: {@code assert sb.check();}. @bsd sbcheck */
    boolean check();
}
