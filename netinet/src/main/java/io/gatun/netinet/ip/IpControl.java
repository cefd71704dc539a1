package io.gatun.netinet.ip;

import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.Cmsg;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.vnet.VnetSide;

/**
 * Control messages that tell a socket of the IPv4 packet its data came in. Out of mbufs a message is left out.
 *
 * <p>DIFFERS: IP_RECVIF is the interface's index and its link address, 4 and 8 octets, without the rest of a
 * sockaddr_dl; the time of SO_TIMESTAMP is the vnet's clock, which has no date.
 *
 * @bsd ip_savecontrol
 */
public final class IpControl {
    private static final long SEC = 1_000_000_000L;
    private static final long USEC = 1000;
    private static final int SOCKADDR_IN = 16;

    private IpControl() {
    }

    /** Whether a socket asks for any. Under the pcb's lock. */
    public static boolean wanted(final Inpcb inp) {
        return wanted(inp, inp.so);
    }

    /** The same of a block that may lose its socket meanwhile, which this is, or was. Takes no lock. */
    public static boolean wanted(final Inpcb inp, final SocketSide so) {
        return inp.has(Inpcb.INP_CONTROLOPTS) || (so.options() & SocketDefs.SO_TIMESTAMP) != 0;
    }

    /**
     * What an IPv4 socket asked for. Borrows m, which begins with its IP header. Under the pcb's lock.
     *
     * @return the chain, owned by the caller; null for nothing
     * @bsd ip_savecontrol
     */
    public static Mbuf save(final VnetSide vnet, final Inpcb inp, final Mbuf m) {
        final MbufPool pool = vnet.pool();
        Mbuf c = timestamp(vnet, inp, m);
        if (inp.has(Inpcb.INP_RECVDSTADDR)) {
            c = Cmsg.addInt(pool, c, InDefs.IPPROTO_IP, InDefs.IP_RECVDSTADDR, IpHeader.dst(m, 0));
        }
        if (inp.has(Inpcb.INP_RECVTTL)) {
            c = Cmsg.addOctet(pool, c, InDefs.IPPROTO_IP, InDefs.IP_RECVTTL, IpHeader.ttl(m, 0));
        }
        if (inp.has(Inpcb.INP_RECVTOS)) {
            c = Cmsg.addOctet(pool, c, InDefs.IPPROTO_IP, InDefs.IP_RECVTOS, IpHeader.tos(m, 0));
        }
        if (inp.has(Inpcb.INP_RECVOPTS)) {
            c = options(pool, c, m);
        }
        return inp.has(Inpcb.INP_RECVIF) ? recvif(pool, c, m.rcvif()) : c;
    }

    /** The options of a packet that has some, as they were processed. */
    private static Mbuf options(final MbufPool pool, final Mbuf head, final Mbuf m) {
        final int n = IpHeader.hlen(m, 0) - IpHeader.LEN;
        final Mbuf c = n == 0 ? null : Cmsg.add(pool, head, InDefs.IPPROTO_IP, InDefs.IP_RECVOPTS, n);
        if (c != null) {
            final int at = Cmsg.lastData(c, n);
            for (int i = 0; i < n; i++) {
                c.put8(at + i, m.getU8(IpHeader.LEN + i));
            }
        }
        return head == null ? c : head;
    }

    /** The time a packet came, where SO_TIMESTAMP asks for it: its own stamp if it has one. */
    public static Mbuf timestamp(final VnetSide vnet, final Inpcb inp, final Mbuf m) {
        if ((inp.so.options() & SocketDefs.SO_TIMESTAMP) == 0) {
            return null;
        }
        final Mbuf c = Cmsg.add(vnet.pool(), null, SocketDefs.SOL_SOCKET, SocketDefs.SCM_TIMESTAMP, 2 * Long.BYTES);
        if (c != null) {
            final long ns = m.has(Mbuf.M_TSTMP) ? m.rcvTstmp() : vnet.clock().nanoTime();
            final int at = Cmsg.lastData(c, 2 * Long.BYTES);
            c.putLong(at, Math.floorDiv(ns, SEC));
            c.putLong(at + Long.BYTES, Math.floorMod(ns, SEC) / USEC);
        }
        return c;
    }

    private static Mbuf recvif(final MbufPool pool, final Mbuf head, final Ifnet ifp) {
        final int n = Integer.BYTES + Long.BYTES;
        final Mbuf c = Cmsg.add(pool, head, InDefs.IPPROTO_IP, InDefs.IP_RECVIF, n);
        if (c != null && ifp != null) {
            final int at = Cmsg.lastData(c, n);
            c.putInt(at, ifp.index());
            final byte[] lladdr = ifp.lladdr();
            for (int i = 0; lladdr != null && i < lladdr.length && i < Long.BYTES; i++) {
                c.put8(at + Integer.BYTES + i, lladdr[i]);
            }
        }
        return head == null ? c : head;
    }

    /** The destination as the packet had it, with its port: a sockaddr_in. */
    public static Mbuf origdst(final MbufPool pool, final Mbuf head, final int dst, final int port) {
        final Mbuf c = Cmsg.add(pool, head, InDefs.IPPROTO_IP, InDefs.IP_ORIGDSTADDR, SOCKADDR_IN);
        if (c != null) {
            final int at = Cmsg.lastData(c, SOCKADDR_IN);
            c.put8(at, SOCKADDR_IN);
            c.put8(at + 1, SockAddr.AF_INET);
            c.put16(at + Short.BYTES, port);
            c.putInt(at + Integer.BYTES, dst);
        }
        return head == null ? c : head;
    }
}
