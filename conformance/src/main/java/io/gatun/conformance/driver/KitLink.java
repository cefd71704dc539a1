package io.gatun.conformance.driver;

import io.gatun.spi.ifnet.EtherVlan;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.LinkLayer;
import io.gatun.spi.ifnet.VlanTrunk;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.VnetSide;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The link layer and the network layer of the kit: copies what interfaces hand up, and frees it. Any thread.
 *
 * <p>An interface with a link header hands its frames to the input slot that {@link #attach} sets; one without (lo)
 * queues packets to the netisr, which has a handler of this class.
 */
public final class KitLink implements LinkLayer {
    private static final int ETHER_HDR_LEN = 14;
    private static final int TYPE_OFF = 12;
    private static final int VLAN_MIN = 18;
    private static final byte[] BROADCAST = {-1, -1, -1, -1, -1, -1};

    private final Map<Ifnet, Queue<byte[]>> received = new ConcurrentHashMap<>();
    private final Queue<String> complaints = new ConcurrentLinkedQueue<>();
    private final ThreadLocal<Boolean> sending = ThreadLocal.withInitial(() -> false);

    private KitLink() {
        // by install
    }

    /** Puts itself under all interfaces of a vnet that has no domains. */
    public static KitLink install(final VnetSide vnet) {
        final KitLink link = new KitLink();
        ok(vnet.ifnets().registerLinkLayer(Ifnet.IFT_ETHER, link));
        ok(vnet.ifnets().registerLinkLayer(Ifnet.IFT_L2VLAN, link));
        ok(vnet.netisr().register(Netisr.NETISR_IP, "kit", Netisr.NETISR_POLICY_SOURCE, link::packet));
        ok(vnet.netisr().register(Netisr.NETISR_IPV6, "kit6", Netisr.NETISR_POLICY_SOURCE, link::packet));
        return link;
    }

    private static void ok(final Errno e) {
        if (e != Errno.OK) {
            throw new IllegalStateException("the kit wants a vnet of its own: " + e);
        }
    }

    @Override
    public Errno attach(final Ifnet ifp) {
        ifp.setHdrlen(ETHER_HDR_LEN);
        ifp.setAddrlen(BROADCAST.length);
        ifp.setBroadcastAddr(BROADCAST);
        ifp.setInputFn(this::input);
        ifp.setOutputFn((i, m, dst) -> i.transmit(m));
        return Errno.OK;
    }

    @Override
    public void detach(final Ifnet ifp) {
        // what was received stays to be looked at
    }

    private void input(final Ifnet ifp, final Mbuf first) {
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            frame(ifp, m);
            m = next;
        }
    }

    private void frame(final Ifnet ifp, final Mbuf frame) {
        Mbuf m = frame;
        if (!m.has(Mbuf.M_VLANTAG) && m.pktLen() >= VLAN_MIN && typeOf(m) == EtherVlan.ETHERTYPE_VLAN) {
            m = EtherVlan.decap(m);
            if (m == null) {
                return;
            }
        }
        if (m.has(Mbuf.M_VLANTAG) && EtherVlan.vlanOfTag(m.etherVtag()) != 0) {
            final VlanTrunk trunk = ifp.vlanTrunk();
            if (trunk == null) {
                ifp.vnet().drop(m, DropReason.VLAN_NOTAG);
            } else {
                trunk.input(ifp, m);
            }
            return;
        }
        keep(ifp, m);
    }

    private static int typeOf(final Mbuf m) {
        final byte[] type = new byte[2];
        m.copyData(TYPE_OFF, type.length, type, 0);
        return (type[0] & 0xff) << Byte.SIZE | type[1] & 0xff;
    }

    private void packet(final Mbuf m) {
        keep(m.rcvif(), m);
    }

    /** Copies a frame, and frees it. */
    private void keep(final Ifnet ifp, final Mbuf m) {
        check(!sending.get(), "input was called from within transmit of " + ifp);
        check(m.rcvif() == ifp, "rcvif is " + m.rcvif() + ", not " + ifp);
        check(m.pktLen() == m.length(), "pktLen is " + m.pktLen() + ", octets are " + m.length());
        final byte[] octets = new byte[m.length()];
        m.copyData(0, octets.length, octets, 0);
        m.freeChain();
        if (KitFrames.isKit(octets, ifp.hdrlen())) {
            received.computeIfAbsent(ifp, i -> new ConcurrentLinkedQueue<>()).add(octets);
        }
    }

    private void check(final boolean right, final String wrong) {
        if (!right) {
            complaints.add(wrong);
        }
    }

    /** Sends, and notes whether the driver calls up meanwhile. Consumes m. */
    public Errno transmit(final Ifnet ifp, final Mbuf m) {
        sending.set(true);
        try {
            return ifp.transmit(m);
        } finally {
            sending.set(false);
        }
    }

    /** The next frame that an interface handed up; null when there is none. */
    public byte[] next(final Ifnet ifp) {
        final Queue<byte[]> q = received.get(ifp);
        return q == null ? null : q.poll();
    }

    /** What was wrong with frames handed up; empty when nothing was. */
    public Queue<String> complaints() {
        return complaints;
    }
}
