package io.gatun.drivers.epair;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.SwiTask;
import io.gatun.spi.vnet.VnetSide;

/**
 * One end of an {@link Epair}: its interface and the frames that have arrived at it.
 *
 * <p>Locking key: (c) constant after join, (q) {@code qlock}, a leaf: any lock may be held by a sender.
 */
final class EpairEnd extends SwiTask {
    private static final int ETHER_HDR_LEN = 14;
    private static final int VLAN_ENCAP_LEN = 4;
    private static final int ETHER_ADDR_LEN = 6;
    private static final int MIN_MTU = 68;
    private static final int RXCSUM_OK =
        Csum.CSUM_IP_CHECKED | Csum.CSUM_IP_VALID | Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;

    private final Mtx qlock = new Mtx(LockClass.LEAF, "epair");
    private final Ifnet ifp;
    private final Epair.Config config;
    private Epair pair;     // (c)
    private EpairEnd peer;  // (c)
    @GuardedBy("qlock")
    private Mbuf head;      // (q)
    @GuardedBy("qlock")
    private Mbuf tail;      // (q)
    @GuardedBy("qlock")
    private int queued;     // (q) frames

    EpairEnd(final VnetSide vnet, final int unit, final char side, final Epair.Config config) {
        this.config = config;
        ifp = Ifnet.allocNamed(vnet, Ifnet.IFT_ETHER, "epair", unit, "epair" + unit + side, this);
        ifp.setFlagBits(Ifnet.IFF_BROADCAST | Ifnet.IFF_SIMPLEX | Ifnet.IFF_MULTICAST, 0);
        ifp.setMtu(config.mtu());
        ifp.setLladdr(lladdr(unit, side));
        ifp.setCapabilities(capabilities(config));
        ifp.setTransmitFn((i, m) -> transmit(m));
        ifp.setQflushFn(i -> flush());
        ifp.setIoctlFn((i, r) -> ioctl(r));
        ifp.setInitFn(i -> i.setDrvFlagBits(Ifnet.IFF_DRV_RUNNING, 0));
    }

    /** A locally administered address, the same for the same unit and side, so that traces repeat. */
    private static byte[] lladdr(final int unit, final char side) {
        return new byte[] {0x02, 'e', 'p', (byte) (unit >>> Byte.SIZE), (byte) unit, (byte) (side - 'a' + 0xa)};
    }

    private static int capabilities(final Epair.Config config) {
        int caps = Ifnet.IFCAP_VLAN_MTU | Ifnet.IFCAP_JUMBO_MTU | Ifnet.IFCAP_LINKSTATE;
        if (!config.checksums()) {
            caps |= Ifnet.IFCAP_HWCSUM | Ifnet.IFCAP_RXCSUM_IPV6 | Ifnet.IFCAP_TXCSUM_IPV6
                | Ifnet.IFCAP_VLAN_HWCSUM | Ifnet.IFCAP_LRO;
        }
        return config.tso() ? caps | Ifnet.IFCAP_TSO | Ifnet.IFCAP_LRO | Ifnet.IFCAP_VLAN_HWTSO : caps;
    }

    void join(final Epair thePair, final EpairEnd thePeer) {
        pair = thePair;
        peer = thePeer;
    }

    Ifnet ifp() {
        return ifp;
    }

    Epair pair() {
        return pair;
    }

    EpairEnd peer() {
        return peer;
    }

    /** Sends frames to the other end. Consumes first and what follows. @bsd epair_transmit */
    private Errno transmit(final Mbuf first) {
        Errno result = Errno.OK;
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            final Errno e = send(m);
            result = e == Errno.OK ? result : e;
            m = next;
        }
        peer.ifp.vnet().netisr().schedule(peer);
        return result;
    }

    private Errno send(final Mbuf m) {
        final int octets = m.pktLen();
        final boolean tso = (m.csumFlags() & Csum.CSUM_TSO) != 0;
        if (octets > ifp.mtu() + ETHER_HDR_LEN + VLAN_ENCAP_LEN && !tso) {
            ifp.count(IfCounter.OERRORS, 1);
            ifp.vnet().drop(m, DropReason.IF_TOOBIG);
            return Errno.EMSGSIZE;
        }
        final Errno e = peer.enqueue(m);
        if (e == Errno.OK) {
            ifp.count(IfCounter.OPACKETS, 1);
            ifp.count(IfCounter.OBYTES, octets);
        } else {
            ifp.count(IfCounter.OQDROPS, 1);
        }
        return e;
    }

    /** Takes a frame in at this end. Consumes m. */
    private Errno enqueue(final Mbuf sent) {
        final VnetSide vnet = ifp.vnet();
        final Mbuf m = adopt(sent, vnet.pool());
        if (m == null) {
            vnet.drop(null, DropReason.MBUF_NOMEM);
            return Errno.ENOBUFS;
        }
        m.rcvif(ifp);
        if (!config.checksums()) {
            m.csumFlags(m.csumFlags() | RXCSUM_OK);
        }
        if (push(m)) {
            return Errno.OK;
        }
        vnet.drop(m, DropReason.IF_OQFULL);
        return Errno.ENOBUFS;
    }

    private boolean push(final Mbuf m) {
        qlock.lock();
        try {
            if (queued >= config.qlimit()) {
                return false;
            }
            if (tail == null) {
                head = m;
            } else {
                tail.nextPkt(m);
            }
            tail = m;
            queued++;
            return true;
        } finally {
            qlock.unlock();
        }
    }

    private Mbuf takeAll() {
        qlock.lock();
        try {
            final Mbuf all = head;
            head = null;
            tail = null;
            queued = 0;
            return all;
        } finally {
            qlock.unlock();
        }
    }

    /**
     * The frame itself when the receiver allocates from the same pool, else a copy in the receiver's; null when out
     * of mbufs. Consumes m.
     */
    private static Mbuf adopt(final Mbuf m, final MbufPool pool) {
        if (m.pool() == pool) {
            return m;
        }
        final Mbuf copy = pool.dupFrom(m);
        m.freeChain();
        return copy;
    }

    /** Takes what has arrived up, in order. @bsd epair_tx_start_deferred */
    @Override
    protected void run() {
        final Mbuf all = takeAll();
        if (all == null) {
            return;
        }
        int frames = 0;
        long octets = 0;
        for (Mbuf m = all; m != null; m = m.nextPkt()) {
            frames++;
            octets += m.pktLen();
        }
        ifp.count(IfCounter.IPACKETS, frames);
        ifp.count(IfCounter.IBYTES, octets);
        ifp.input(all);
    }

    /** Drops what waits at the other end from this one. @bsd epair_qflush */
    void flush() {
        final EpairEnd to = peer;
        Mbuf m = to.takeAll();
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            ifp.count(IfCounter.OQDROPS, 1);
            to.ifp.vnet().drop(m, DropReason.IF_DETACHED);
            m = next;
        }
    }

    /** @bsd epair_ioctl */
    private Errno ioctl(final IfReq request) {
        return switch (request) {
            case IfReq.SetFlags r -> {
                final boolean up = (r.flags() & Ifnet.IFF_UP) != 0;
                ifp.setDrvFlagBits(up ? Ifnet.IFF_DRV_RUNNING : 0, up ? 0 : Ifnet.IFF_DRV_RUNNING);
                yield Errno.OK;
            }
            case IfReq.AddMulti r -> Errno.OK;
            case IfReq.DelMulti r -> Errno.OK;
            case IfReq.SetLladdr r -> r.lladdr().length == ETHER_ADDR_LEN ? Errno.OK : Errno.EINVAL;
            case IfReq.SetCap r -> (r.capenable() & ~ifp.capabilities()) == 0 ? Errno.OK : Errno.EINVAL;
            case IfReq.SetMtu r -> r.mtu() >= MIN_MTU && r.mtu() <= config.mtu() ? Errno.OK : Errno.EINVAL;
            default -> Errno.EOPNOTSUPP;
        };
    }
}
