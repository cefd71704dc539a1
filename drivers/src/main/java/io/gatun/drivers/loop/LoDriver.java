package io.gatun.drivers.loop;

import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.ifnet.LinkState;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.VnetSide;
import java.util.Map;

/**
 * The loopback driver. {@code transmit} queues a packet to its network protocol and returns: it may be called with a
 * pcb's lock held, so it must not call up. Parameter {@code mtu}: octets, 576 to 65535, by default {@value #LOMTU}.
 *
 * @bsd if_loop
 * @see <a href="https://man.freebsd.org/lo/4">lo(4)</a>
 */
public final class LoDriver implements IfnetDriver {
    /** @bsd LOMTU */
    public static final int LOMTU = 16_384;

    private static final int IP_MIN_MTU = 576;
    private static final int IP_MAXPACKET = 65_535;
    private static final int VERSION_SHIFT = 4;
    private static final int IPV4 = 4;
    private static final int IPV6 = 6;
    private static final int RXCSUM_OK =
        Csum.CSUM_IP_CHECKED | Csum.CSUM_IP_VALID | Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;
    private static final int CAPABILITIES = Ifnet.IFCAP_HWCSUM | Ifnet.IFCAP_RXCSUM_IPV6 | Ifnet.IFCAP_TXCSUM_IPV6
        | Ifnet.IFCAP_TSO | Ifnet.IFCAP_LRO | Ifnet.IFCAP_LINKSTATE | Ifnet.IFCAP_JUMBO_MTU;

    /** For ServiceLoader. */
    public LoDriver() {
        // no state: an interface is its own
    }

    @Override
    public String name() {
        return "lo";
    }

    /** @bsd lo_clone_create */
    @Override
    public Ifnet create(final VnetSide vnet, final int unit, final Map<String, String> params) throws ErrnoException {
        int mtu = LOMTU;
        for (final Map.Entry<String, String> p : params.entrySet()) {
            if (!p.getKey().equals("mtu")) {
                throw new ErrnoException(Errno.EINVAL, "lo" + unit + ": unknown parameter " + p.getKey());
            }
            mtu = parseMtu(p.getValue());
        }
        final Ifnet ifp = Ifnet.alloc(vnet, Ifnet.IFT_LOOP, "lo", unit, null);
        ifp.setFlagBits(Ifnet.IFF_LOOPBACK | Ifnet.IFF_MULTICAST, 0);
        ifp.setMtu(mtu);
        ifp.setCapabilities(CAPABILITIES);
        ifp.setTsoMax(IP_MAXPACKET);
        ifp.setTransmitFn(LoDriver::transmit);
        ifp.setQflushFn(i -> { });
        ifp.setOutputFn(LoDriver::output);
        ifp.setInputFn(LoDriver::input);
        ifp.setIoctlFn(LoDriver::ioctl);
        ifp.setLateCallsHarmless(); // there is nothing to free
        ifp.setTransparent();
        ifp.setInitFn(i -> i.setDrvFlagBits(Ifnet.IFF_DRV_RUNNING, 0));
        ErrnoException.check(vnet.ifnets().attach(ifp), "create lo" + unit);
        ifp.linkStateChange(LinkState.UP);
        return ifp;
    }

    private static int parseMtu(final String text) throws ErrnoException {
        try {
            final int mtu = Integer.parseInt(text);
            if (mtu >= IP_MIN_MTU && mtu <= IP_MAXPACKET) {
                return mtu;
            }
        } catch (final NumberFormatException e) {
            throw new ErrnoException(Errno.EINVAL, "mtu " + text);
        }
        throw new ErrnoException(Errno.EINVAL, "mtu " + text + " is not in " + IP_MIN_MTU + ".." + IP_MAXPACKET);
    }

    /** @bsd lo_clone_destroy */
    @Override
    public void destroy(final Ifnet ifp) {
        ifp.vnet().ifnets().detach(ifp);
        ifp.free();
    }

    /** Sends a packet to itself, whatever the next hop. @bsd looutput */
    private static Errno output(final Ifnet ifp, final Mbuf m, final SockAddr dst) {
        return ifp.transmit(m);
    }

    /** Queues to the protocol that the first nibble names. Consumes m. @bsd if_simloop */
    private static Errno transmit(final Ifnet ifp, final Mbuf first) {
        Errno result = Errno.OK;
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            final Errno e = loop(ifp, m);
            result = e == Errno.OK ? result : e;
            m = next;
        }
        return result;
    }

    private static Errno loop(final Ifnet ifp, final Mbuf m) {
        final VnetSide vnet = ifp.vnet();
        final int octets = m.pktLen();
        ifp.count(IfCounter.OPACKETS, 1);
        ifp.count(IfCounter.OBYTES, octets);
        m.rcvif(ifp);
        m.csumFlags(m.csumFlags() | RXCSUM_OK);
        Mbuf head = m;
        while (head.len() == 0 && head.next() != null) {
            head = head.next();
        }
        final int version = head.len() == 0 ? 0 : head.getU8(0) >>> VERSION_SHIFT;
        if (version != IPV4 && version != IPV6) {
            ifp.count(IfCounter.NOPROTO, 1);
            vnet.drop(m, DropReason.IF_NOPROTO);
            return Errno.EAFNOSUPPORT;
        }
        ifp.count(IfCounter.IPACKETS, 1);
        ifp.count(IfCounter.IBYTES, octets);
        return vnet.netisr().queue(version == IPV4 ? Netisr.NETISR_IP : Netisr.NETISR_IPV6, m);
    }

    /** Packets put in from outside (a test, a wrapper) go the same way. */
    private static void input(final Ifnet ifp, final Mbuf m) {
        transmit(ifp, m);
    }

    /** @bsd loioctl */
    private static Errno ioctl(final Ifnet ifp, final IfReq request) {
        return switch (request) {
            case IfReq.SetFlags r -> {
                final boolean up = (r.flags() & Ifnet.IFF_UP) != 0;
                ifp.setDrvFlagBits(up ? Ifnet.IFF_DRV_RUNNING : 0, up ? 0 : Ifnet.IFF_DRV_RUNNING);
                yield Errno.OK;
            }
            case IfReq.AddMulti r -> Errno.OK;
            case IfReq.DelMulti r -> Errno.OK;
            case IfReq.SetCap r -> (r.capenable() & ~ifp.capabilities()) == 0 ? Errno.OK : Errno.EINVAL;
            case IfReq.SetMtu r -> r.mtu() >= IP_MIN_MTU && r.mtu() <= IP_MAXPACKET ? Errno.OK : Errno.EINVAL;
            default -> Errno.EOPNOTSUPP;
        };
    }
}
