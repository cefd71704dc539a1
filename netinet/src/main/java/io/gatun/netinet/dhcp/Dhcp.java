package io.gatun.netinet.dhcp;

import io.gatun.netinet.Inet;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.udp.UdpHeader;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.UdpTunnels;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The DHCP clients of one vnet, at most one an interface: while there are any, takes the datagrams to port 68, as a
 * protocol within UDP does, and sends theirs.
 */
public final class Dhcp {
    /** The client's port. @bsd IPPORT_BOOTPC */
    public static final int BOOTPC = 68;

    private static final int BOOTPS = 67;
    private static final int MAX_MESSAGE = 4096;
    private static final int MAX_NAME = 255;

    final Inet inet;
    final Counter bad;
    private final List<DhcpClient> clients = new CopyOnWriteArrayList<>();

    public Dhcp(final Inet inet) {
        this.inet = inet;
        bad = inet.vnet.counters().counter("dhcp.bad");
    }

    /**
     * Starts a client on an Ethernet, which is brought up.
     *
     * @param hostname what the host calls itself, or null
     * @throws ErrnoException EINVAL when the interface is no Ethernet or the name none of 1 to 255 letters, ENXIO when
     *     it is not attached, EBUSY when it has a client, EADDRINUSE when a socket has the port
     */
    public DhcpClient start(
        final InetConfig config, final Ifnet ifp, final String hostname, final DhcpListener listener)
            throws ErrnoException {
        final String call = "dhcp on " + ifp.xname();
        final boolean named = hostname == null || !hostname.isEmpty() && hostname.length() <= MAX_NAME;
        if (!named || ifp.lladdr() == null || ifp.lladdr().length != 6 || (ifp.flags() & Ifnet.IFF_BROADCAST) == 0) {
            throw new ErrnoException(Errno.EINVAL, call);
        }
        ErrnoException.check((ifp.flags() & Ifnet.IFF_UP) != 0 ? Errno.OK : ifp.up(), call);
        final DhcpClient c = new DhcpClient(this, config, ifp, hostname, listener);
        synchronized (clients) { // against the end of the interface, which is announced before ifdetach is called
            ErrnoException.check(inet.isAttached(ifp) ? Errno.OK : Errno.ENXIO, call);
            ErrnoException.check(of(ifp) == null ? Errno.OK : Errno.EBUSY, call);
            ErrnoException.check(clients.isEmpty() ? udp().open(SockAddr.AF_INET, BOOTPC, this::input, null)
                : Errno.OK, call);
            clients.add(c);
            c.start();
        }
        return c;
    }

    private DhcpClient of(final Ifnet ifp) {
        for (final DhcpClient c : clients) {
            if (c.ifp() == ifp) {
                return c;
            }
        }
        return null;
    }

    void gone(final DhcpClient c) {
        synchronized (clients) {
            if (clients.remove(c) && clients.isEmpty()) {
                udp().close(SockAddr.AF_INET, BOOTPC);
            }
        }
    }

    private UdpTunnels udp() {
        return inet.vnet.service(UdpTunnels.class);
    }

    /** An interface goes. */
    public void ifdetach(final Ifnet ifp) {
        final DhcpClient c;
        synchronized (clients) {
            c = of(ifp);
        }
        if (c != null) {
            c.stop();
        }
    }

    /** The domain goes. */
    public void destroy() {
        clients.forEach(DhcpClient::stop);
    }

    /** Takes a datagram to {@link #BOOTPC} from UDP. Consumes m. */
    private void input(final Mbuf m, final int off) {
        final DhcpClient c = of(m.rcvif());
        if (c == null) {
            inet.vnet.drop(m, DropReason.UDP_NOPORT);
            return;
        }
        final int len = UdpHeader.ulen(m, off) - UdpHeader.LEN;
        final DhcpMessage msg;
        if (len > MAX_MESSAGE || UdpHeader.sport(m, off) != BOOTPS) {
            msg = null;
        } else {
            final byte[] b = new byte[len];
            m.copyData(off + UdpHeader.LEN, len, b, 0);
            msg = DhcpMessage.parse(b);
        }
        if (msg == null) {
            bad.increment();
            inet.vnet.drop(m, DropReason.PROTO_ERROR);
        } else {
            m.freeChain();
            c.message(msg);
        }
    }

    /** Sends a message to all from no address, or with a source to one server. */
    void send(final Ifnet ifp, final byte[] octets, final int src, final int dst) {
        final int ulen = UdpHeader.LEN + octets.length;
        final int len = IpHeader.LEN + ulen;
        final int lead = inet.vnet.pool().maxLinkhdr();
        final Mbuf m = inet.vnet.pool().get2(lead + len, Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        if (m == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM); // what is not answered is sent again
            return;
        }
        m.data(m.data() + lead);
        m.len(len);
        m.pktLen(len);
        IpHeader.init(m, 0, len, 0);
        IpHeader.addr(m, 0, IpHeader.ttlAndProto(IpHeader.IPDEFTTL, InDefs.IPPROTO_UDP), src, dst);
        UdpHeader.init(m, IpHeader.LEN, UdpHeader.ports(BOOTPC, BOOTPS), ulen, 0);
        m.copyBack(IpHeader.LEN + UdpHeader.LEN, octets.length, octets, 0);
        final int pseudo = InCksum.pseudo(src, dst, InDefs.IPPROTO_UDP + ulen);
        final int sum = ~InCksum.fold((long) pseudo + InCksum.sum(m, IpHeader.LEN, ulen)) & 0xffff;
        UdpHeader.sum(m, IpHeader.LEN, sum == 0 ? 0xffff : sum);
        if (dst != SockAddr.INADDR_BROADCAST) {
            inet.ipOutput.output(m, null, 0);
            return;
        }
        IpHeader.sum(m, 0, InCksum.hdr(m, IpHeader.LEN));
        m.setFlags(Mbuf.M_BCAST);
        ifp.output(m, SockAddr.in(dst, 0));
    }
}
