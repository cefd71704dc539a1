package io.gatun.spi.socket;

import io.gatun.spi.mbuf.Mbuf;

/**
 * What a receive call wants and what it got. Reused by its owner, one thread at a time. With {@link #wantMbufs} the
 * data comes as an mbuf chain without a copy and belongs to the caller; otherwise it is copied into {@link #uio}.
 *
 * @bsd soreceive
 */
public final class RecvMsg {
    /** Where the data goes; with {@link #wantMbufs} only the largest number of octets wanted. */
    public final Uio uio = new Uio();
    /** In: storage to fill with the sender's address, or null. AF_UNSPEC afterwards when there is none. */
    public SockAddr from;
    /** In: deliver mbufs. */
    public boolean wantMbufs;
    /** In: deliver control messages. */
    public boolean wantControl;
    /** In: MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT, MSG_OOB. Out: MSG_EOR, MSG_TRUNC, MSG_CTRUNC, MSG_OOB. */
    public int flags;
    /** Out: the data, owned by the caller, when {@link #wantMbufs}. */
    public Mbuf mbufs;
    /** Out: the control messages, owned by the caller, when {@link #wantControl}. */
    public Mbuf control;

    /** Wants nothing yet. */
    public RecvMsg() {
        // fields start as nothing wanted
    }

    /** Back to nothing wanted, nothing got. The caller has freed what it got. */
    public void clear() {
        uio.clear();
        from = null;
        wantMbufs = false;
        wantControl = false;
        flags = 0;
        mbufs = null;
        control = null;
    }
}
