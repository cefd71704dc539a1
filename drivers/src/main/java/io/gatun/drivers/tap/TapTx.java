package io.gatun.drivers.tap;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.drivers.linux.IoVec;
import io.gatun.drivers.linux.Linux;
import io.gatun.drivers.linux.TapDevice;
import io.gatun.drivers.linux.TapOptions;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The sending half: a bounded queue, and a writer's bit. Who finds the bit free takes it and writes what is queued,
 * one system call a frame, straight from the mbufs; who finds it taken leaves the frame to the writer. A writer that
 * has written much, with its pcb locked, leaves the rest to the agent.
 *
 * <p>Locking key: (q) {@code qlock}, a leaf: any lock may be held by a sender; (w) whoever holds the writer's bit.
 */
final class TapTx {
    private static final int ETHER_HDR_LEN = 14;
    private static final int VLAN_ENCAP_LEN = 4;
    /** A chain of more pieces is compacted first. */
    private static final int MAX_PIECES = 128;
    /** Frames one sender writes before it leaves the rest to the agent. */
    private static final int BUDGET = 128;

    private final Mtx qlock = new Mtx(LockClass.LEAF, "tap");
    private final Ifnet ifp;
    private final TapDevice device;
    private final boolean offload;
    private final int qlimit;
    private final MemorySegment hdr = Arena.ofAuto().allocate(TapOptions.VNET_HDR, Long.BYTES); // (w)
    private final IoVec iov = new IoVec(1 + MAX_PIECES); // (w)
    @GuardedBy("qlock")
    private Mbuf head;      // (q)
    @GuardedBy("qlock")
    private Mbuf tail;      // (q)
    @GuardedBy("qlock")
    private int queued;     // (q) frames
    @GuardedBy("qlock")
    private boolean busy;   // (q) the writer's bit
    @GuardedBy("qlock")
    private boolean closed; // (q)

    TapTx(final Ifnet ifp, final TapDevice device, final TapConfig config) {
        this.ifp = ifp;
        this.device = device;
        offload = config.offload();
        qlimit = config.qlimit();
    }

    /** Queues frames and writes them unless somebody is writing. Consumes first and what follows. @bsd tunstart_l2 */
    Errno transmit(final Mbuf first) {
        Errno result = Errno.OK;
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            final Errno e = admit(m);
            result = e == Errno.OK ? result : e;
            m = next;
        }
        kick();
        return result;
    }

    private Errno admit(final Mbuf m) {
        final boolean tso = (m.csumFlags() & Csum.CSUM_TSO) != 0 && offload;
        if (!tso && m.pktLen() > ifp.mtu() + ETHER_HDR_LEN + VLAN_ENCAP_LEN) {
            ifp.count(IfCounter.OERRORS, 1);
            ifp.vnet().drop(m, DropReason.IF_TOOBIG);
            return Errno.EMSGSIZE;
        }
        if (m.pktLen() < ETHER_HDR_LEN) {
            ifp.count(IfCounter.OERRORS, 1);
            ifp.vnet().drop(m, DropReason.IF_TOOSHORT);
            return Errno.EINVAL;
        }
        final boolean gone;
        qlock.lock();
        try {
            gone = closed;
            if (!gone && queued < qlimit) {
                if (tail == null) {
                    head = m;
                } else {
                    tail.nextPkt(m);
                }
                tail = m;
                queued++;
                return Errno.OK;
            }
        } finally {
            qlock.unlock();
        }
        ifp.count(IfCounter.OQDROPS, 1);
        ifp.vnet().drop(m, gone ? DropReason.IF_DETACHED : DropReason.IF_OQFULL);
        return gone ? Errno.ENETDOWN : Errno.ENOBUFS;
    }

    /** Writes what is queued, unless somebody is at it. */
    void kick() {
        qlock.lock();
        try {
            if (busy || head == null || closed) {
                return;
            }
            busy = true;
        } finally {
            qlock.unlock();
        }
        int written = 0;
        Mbuf m = next(false);
        while (m != null) {
            final Mbuf refused = write(m);
            if (refused != null) {
                putBack(refused);
                return;
            }
            written++;
            m = next(written >= BUDGET && ifp.vnet().threaded());
        }
    }

    /** The first in the queue; null, the writer's bit given up, when there is none or the writer did its share. */
    private Mbuf next(final boolean enough) {
        final boolean more;
        qlock.lock();
        try {
            final Mbuf m = head;
            more = m != null;
            if (more && !enough) {
                head = m.nextPkt();
                tail = head == null ? null : tail;
                m.nextPkt(null);
                queued--;
                return m;
            }
            busy = false;
        } finally {
            qlock.unlock();
        }
        if (more) {
            device.wake();
        }
        return null;
    }

    /** The device would not take it now: first in the queue again, and somebody has to come back. */
    private void putBack(final Mbuf m) {
        final boolean gone;
        ifp.setDrvFlagBits(Ifnet.IFF_DRV_OACTIVE, 0);
        qlock.lock();
        try {
            busy = false;
            gone = closed;
            if (!gone) {
                m.nextPkt(head);
                head = m;
                tail = tail == null ? m : tail;
                queued++;
            }
        } finally {
            qlock.unlock();
        }
        if (gone) {
            ifp.count(IfCounter.OQDROPS, 1);
            ifp.vnet().drop(m, DropReason.IF_DETACHED);
        } else {
            device.wake();
        }
    }

    /** Whether frames wait for the device to be ready again. */
    boolean stalled() {
        return (ifp.drvFlags() & Ifnet.IFF_DRV_OACTIVE) != 0;
    }

    /** Writes one frame. Consumes it; returns it, or its compacted form, when the device cannot take it now. */
    private Mbuf write(final Mbuf frame) {
        final Mbuf m = gather(frame);
        if (m == null) {
            ifp.count(IfCounter.OERRORS, 1);
            return null;
        }
        final int octets = m.pktLen();
        final int n = device.writev(iov);
        iov.clear();
        if (n == -Linux.EAGAIN()) {
            return m;
        }
        if (stalled()) {
            ifp.setDrvFlagBits(0, Ifnet.IFF_DRV_OACTIVE);
        }
        if (n < 0) {
            ifp.count(IfCounter.OERRORS, 1);
            ifp.vnet().drop(m, n == -Linux.EBADF() ? DropReason.IF_DETACHED : DropReason.IF_ERROR);
            return null;
        }
        ifp.count(IfCounter.OPACKETS, 1);
        ifp.count(IfCounter.OBYTES, octets);
        m.freeChain();
        return null;
    }

    /** Has the frame in {@code iov}. Consumes it; returns it or its compacted form, or null when it was dropped. */
    private Mbuf gather(final Mbuf frame) {
        if (point(frame)) {
            return frame;
        }
        final Mbuf m = frame.defrag();
        if (m != null && point(m)) {
            return m;
        }
        ifp.vnet().drop(m == null ? frame : m, DropReason.MBUF_NOMEM);
        return null;
    }

    private boolean point(final Mbuf m) {
        iov.clear();
        boolean fits = true;
        if (offload) {
            VnetHdr.encode(hdr, m);
            fits = iov.add(hdr, 0, TapOptions.VNET_HDR);
        }
        for (Mbuf n = m; n != null && fits; n = n.next()) {
            fits = n.len() == 0 || iov.add(n.seg(), n.data(), n.len());
        }
        return fits;
    }

    /** Drops what waits. @bsd tunqflush */
    void qflush() {
        drop((ifp.flags() & Ifnet.IFF_DYING) != 0 ? DropReason.IF_DETACHED : DropReason.IF_DOWN);
    }

    /** Takes no more, and drops what waits. */
    void close() {
        qlock.lock();
        try {
            closed = true;
        } finally {
            qlock.unlock();
        }
        drop(DropReason.IF_DETACHED);
    }

    private void drop(final DropReason reason) {
        Mbuf m;
        qlock.lock();
        try {
            m = head;
            head = null;
            tail = null;
            queued = 0;
        } finally {
            qlock.unlock();
        }
        ifp.setDrvFlagBits(0, Ifnet.IFF_DRV_OACTIVE);
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            ifp.count(IfCounter.OQDROPS, 1);
            ifp.vnet().drop(m, reason);
            m = next;
        }
    }
}
