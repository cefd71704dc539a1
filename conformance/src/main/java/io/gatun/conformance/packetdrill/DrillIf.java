package io.gatun.conformance.packetdrill;

import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.LinkState;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.VnetSide;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The interface under a script: a tunnel without link addresses whose other end is the runner. It has no capabilities,
 * so what comes out is what would be on a wire. One thread.
 */
final class DrillIf {
    private static final int MIN_MTU = 68;

    final Ifnet ifp;
    private final boolean udpEncaps;
    private final Deque<LivePacket> sent = new ArrayDeque<>();

    DrillIf(final VnetSide vnet, final int mtu, final boolean udpEncaps) throws ErrnoException {
        if (mtu < MIN_MTU || mtu > 65_535) {
            throw new ErrnoException(Errno.EINVAL, "mtu " + mtu);
        }
        this.udpEncaps = udpEncaps;
        ifp = Ifnet.alloc(vnet, Ifnet.IFT_TUNNEL, "tun", 0, this);
        ifp.setFlagBits(Ifnet.IFF_MULTICAST, 0);
        ifp.setMtu(mtu);
        ifp.setTransmitFn((i, m) -> transmit(m));
        ifp.setQflushFn(i -> { });
        ifp.setOutputFn((i, m, dst) -> i.transmit(m));
        ifp.setInputFn((i, m) -> up(m, version(m)));
        ifp.setIoctlFn((i, r) -> ioctl(r));
        ifp.setInitFn(i -> i.setDrvFlagBits(Ifnet.IFF_DRV_RUNNING, 0));
        ErrnoException.check(vnet.ifnets().attach(ifp), "create tun0");
        ifp.linkStateChange(LinkState.UP);
    }

    private Errno ioctl(final IfReq request) {
        return switch (request) {
            case IfReq.SetFlags r -> {
                final boolean up = (r.flags() & Ifnet.IFF_UP) != 0;
                ifp.setDrvFlagBits(up ? Ifnet.IFF_DRV_RUNNING : 0, up ? 0 : Ifnet.IFF_DRV_RUNNING);
                yield Errno.OK;
            }
            case IfReq.AddMulti r -> Errno.OK;
            case IfReq.DelMulti r -> Errno.OK;
            case IfReq.SetMtu r -> Errno.OK;
            default -> Errno.EOPNOTSUPP;
        };
    }

    private static int version(final Mbuf m) {
        return m.len() == 0 ? 0 : m.getU8(0) >>> 4;
    }

    /** Consumes m. */
    private Errno transmit(final Mbuf first) {
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            final byte[] b = new byte[m.pktLen()];
            m.copyData(0, b.length, b, 0);
            sent.add(LivePacket.of(ifp.vnet().clock().nanoTime(), b, udpEncaps));
            ifp.count(IfCounter.OPACKETS, 1);
            m.freeChain();
            m = next;
        }
        return Errno.OK;
    }

    /** The next packet that the stack sent and nobody took, or null. */
    LivePacket next() {
        return sent.poll();
    }

    boolean hasNext() {
        return !sent.isEmpty();
    }

    /** Puts a packet in, and runs the stack. False when the pool is empty. */
    boolean receive(final byte[] packet) {
        final VnetSide vnet = ifp.vnet();
        final Mbuf m = vnet.pool().devget(MemorySegment.ofArray(packet), 0, packet.length, ifp);
        if (m == null) {
            return false;
        }
        up(m, packet[0] >>> 4);
        vnet.netisr().swi();
        return true;
    }

    private void up(final Mbuf m, final int version) {
        ifp.count(IfCounter.IPACKETS, 1);
        m.rcvif(ifp);
        ifp.vnet().netisr().queue(version == 6 ? Netisr.NETISR_IPV6 : Netisr.NETISR_IP, m);
    }
}
