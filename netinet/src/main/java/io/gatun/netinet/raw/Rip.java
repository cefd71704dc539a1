package io.gatun.netinet.raw;

import io.gatun.netinet.Inet;
import io.gatun.netinet.ip.InLaddr;
import io.gatun.netinet.ip.IpCtloutput;
import io.gatun.netinet.ip.IpControl;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.netinet.pcb.PcbAddrs;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;
import java.util.Arrays;

/**
 * Raw sockets of one vnet: what FreeBSD keeps in V_ globals. Input walks the sockets of its family as they are
 * published, without a lock, and locks each.
 *
 * <p>Locking key: (c) constant; (w) written under {@code lock}, read without one.
 *
 * @bsd V_ripcbinfo
 */
public final class Rip {
    private static final int SPACE = 9216;
    private static final long IN4 = 0xffff_ffffL;
    private static final Ripcb[] NONE = {};

    final Inet inet;                            // (c)
    final VnetSide vnet;                        // (c)
    final InpcbInfo ripcbinfo;                  // (c)
    final IpCtloutput ipOptions;                // (c)
    final RipInput input;                       // (c)
    final RipOutput output;                     // (c)
    final Rip6Input input6;                     // (c)
    final Rip6Output output6;                   // (c)
    /** Longest packet to send, octets. @bsd rip_sendspace */
    final Sysctl maxdgram;                      // (c)
    final Sysctl recvspace;                     // (c)
    private final PcbAddrs laddr;               // (c)
    private final Counter fullsock;             // (c)
    private final Mtx lock = new Mtx(LockClass.NET_LEAF, "rip"); // (c)
    private volatile Ripcb[] sockets4 = NONE;   // (w)
    private volatile Ripcb[] sockets6 = NONE;   // (w)

    public Rip(final Inet inet) {
        this.inet = inet;
        vnet = inet.vnet;
        laddr = new InLaddr(inet);
        ripcbinfo = new InpcbInfo(vnet, InDefs.IPPROTO_RAW, laddr);
        ipOptions = new IpCtloutput(inet);
        fullsock = vnet.counters().counter("raw.fullsock");
        final SysctlTree t = vnet.sysctl();
        maxdgram = t.addInt("net.inet.raw.maxdgram", SPACE, 1, Integer.MAX_VALUE, "longest packet to send, octets");
        recvspace = t.addInt("net.inet.raw.recvspace", SPACE, 1, Integer.MAX_VALUE, "receive buffer, octets");
        input = new RipInput(this);
        output = new RipOutput(this);
        input6 = new Rip6Input(this);
        output6 = new Rip6Output(this);
    }

    /** The switch entry of sockets of a family, whatever their protocol. */
    public Protosw protosw(final int family) {
        return new RipUsrreq(this, family);
    }

    /** All control blocks. @bsd V_ripcbinfo */
    public InpcbInfo ripcbinfo() {
        return ripcbinfo;
    }

    /**
     * Gives an IPv4 packet to the raw sockets that want it, whole. The owner of the protocol has done with it.
     *
     * @param proto its protocol
     * @return true when at least one took it, and m is consumed; false when nobody did, and m is still the caller's
     * @bsd rip_input
     */
    public boolean input(final Mbuf m, final int off, final int proto) {
        return input.input(m, proto);
    }

    /**
     * As {@link #input} for an IPv6 packet of a protocol that no transport takes.
     *
     * @param off octets from the front to the payload: what is before it is not delivered
     * @bsd rip6_input
     */
    public boolean input6(final Mbuf m, final int off, final int proto) {
        return input6.input(m, off, proto);
    }

    /** Whether there is anybody to hear of ICMPv6. */
    public boolean hearsIcmp6() {
        return sockets6.length > 0;
    }

    /**
     * Gives an ICMPv6 message, contiguous up to the end of its header, to the raw sockets of that protocol whose
     * filters let it pass.
     *
     * @return as {@link #input}
     * @bsd icmp6_rip6_input
     */
    public boolean icmp6(final Mbuf m, final int off) {
        return input6.icmp6(m, off);
    }

    /** Whether an IPv4 packet with these endpoints, which ICMP quotes, may be one of a raw socket. */
    public boolean sends(final int proto, final int from, final int to) {
        return anySends(sockets4, proto, 0, from & IN4, 0, to & IN4);
    }

    /** {@link #sends} of IPv6, zones put in. */
    public boolean sends6(
        final int proto, final long fromHi, final long fromLo, final long toHi, final long toLo) {
        return anySends(sockets6, proto, fromHi, fromLo, toHi, toLo);
    }

    private static boolean anySends(
        final Ripcb[] all, final int proto, final long fromHi, final long fromLo, final long toHi, final long toLo) {
        for (final Ripcb r : all) {
            r.inp.lock.lock();
            try {
                if (r.matches(proto, toHi, toLo, fromHi, fromLo)) { // it hears whom it sends to
                    return true;
                }
            } finally {
                r.inp.lock.unlock();
            }
        }
        return false;
    }

    // ---- the sockets ------------------------------------------------------------

    /** The sockets of a family; not to be changed. */
    Ripcb[] sockets(final int family) {
        return family == SockAddr.AF_INET ? sockets4 : sockets6;
    }

    void add(final Ripcb r) {
        lock.lock();
        try {
            final Ripcb[] old = sockets(r.inp.family);
            final Ripcb[] now = Arrays.copyOf(old, old.length + 1);
            now[old.length] = r;
            publish(r.inp.family, now);
        } finally {
            lock.unlock();
        }
    }

    void remove(final Ripcb gone) {
        lock.lock();
        try {
            publish(gone.inp.family, Arrays.stream(sockets(gone.inp.family)).filter(r -> r != gone)
                .toArray(Ripcb[]::new));
        } finally {
            lock.unlock();
        }
    }

    private void publish(final int family, final Ripcb[] now) {
        if (family == SockAddr.AF_INET) {
            sockets4 = now;
        } else {
            sockets6 = now;
        }
    }

    /** The network layer of a family. */
    PcbAddrs addrs(final int family) {
        return family == SockAddr.AF_INET ? laddr : inet.inet6().laddr;
    }

    /**
     * Puts a packet, its sender in the scratch address, into the buffer. Consumes m and control, which may be null.
     * Under the pcb's lock.
     *
     * @bsd rip_append
     */
    void append(final Ripcb r, final Mbuf m, final Mbuf control) {
        final SocketSide so = r.inp.so;
        final SockBuf rcv = so.rcv();
        rcv.lock().lock();
        try {
            final boolean shut = (rcv.state() & SocketDefs.SBS_CANTRCVMORE) != 0;
            if (!shut && rcv.appendAddrLocked(r.from, m, control)) {
                so.rWakeupLocked();
                return;
            }
            fullsock.increment();
            so.overflowLocked();
            vnet.drop(m, shut ? DropReason.SO_SHUTDOWN : DropReason.SO_RCVFULL);
            if (control != null) {
                control.freeChain();
            }
        } finally {
            rcv.lock().unlock();
        }
    }

    /** A copy for one more socket; null, counted, when out of mbufs. Borrows m. */
    public Mbuf copy(final Mbuf m) {
        final Mbuf n = m.copyM(0, Mbuf.M_COPYALL);
        if (n == null) {
            vnet.drop(null, DropReason.MBUF_NOMEM);
        }
        return n;
    }

    boolean wantsControl(final Ripcb r) {
        return IpControl.wanted(r.inp);
    }
}
