package io.gatun.netinet.udp;

import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.socket.UdpTunnels;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import java.util.ArrayList;
import java.util.List;

/**
 * Ports whose datagrams go to another protocol. One without a socket has a control block of its own, which holds the
 * port.
 *
 * <p>Locking key: (m) this object's monitor, which is taken before a pcb's lock and never on a data path.
 */
final class UdpTunneling implements UdpTunnels {
    private final Udp udp;
    private final List<Inpcb> open = new ArrayList<>(); // (m)

    UdpTunneling(final Udp udp) {
        this.udp = udp;
    }

    /** @bsd udp_set_kernel_tunneling */
    @Override
    public Errno setKernelTunneling(final SocketSide so, final Input input, final Icmp icmp) {
        if (!(so.pcb() instanceof Inpcb inp) || !(inp.ppcb instanceof Udpcb up)) {
            return Errno.EINVAL;
        }
        inp.lock.lock();
        try {
            if (up.tunFunc != null || up.icmpFunc != null) {
                return Errno.EBUSY;
            }
            up.tunFunc = input;
            up.icmpFunc = icmp;
            UdpDirect.changed(inp);
            return Errno.OK;
        } finally {
            inp.lock.unlock();
        }
    }

    @Override
    public synchronized Errno open(final int family, final int port, final Input input, final Icmp icmp) {
        if (family == SockAddr.AF_INET6 && udp.inet.inet6() == null) {
            return Errno.EAFNOSUPPORT;
        }
        final Inpcb inp = udp.udbinfo.allocKernel(family, Ucred.ROOT);
        inp.lock.lock();
        try {
            final Udpcb up = new Udpcb(inp);
            up.tunFunc = input;
            up.icmpFunc = icmp;
            inp.ppcb = up;
            final SockAddr any = new SockAddr();
            if (family == SockAddr.AF_INET) {
                any.setIn(SockAddr.INADDR_ANY, port);
            } else {
                any.setIn6(0, 0, port, 0);
            }
            final Errno e = inp.bind(any, Ucred.ROOT);
            if (e == Errno.OK) {
                open.add(inp);
            } else {
                inp.free();
            }
            return e;
        } finally {
            inp.lock.unlock();
        }
    }

    @Override
    public synchronized Errno close(final int family, final int port) {
        for (final Inpcb inp : open) {
            if (inp.family == family && inp.lport() == port) {
                open.remove(inp);
                end(inp);
                return Errno.OK;
            }
        }
        return Errno.ENOENT;
    }

    /** The vnet goes. */
    synchronized void destroy() {
        open.forEach(UdpTunneling::end);
        open.clear();
    }

    private static void end(final Inpcb inp) {
        inp.lock.lock();
        try {
            inp.free();
        } finally {
            inp.lock.unlock();
        }
    }

    /**
     * ICMP tells of a datagram that no connected socket sent. Borrows m. No lock is held.
     *
     * @param inp the block at its source port, or null
     * @return whether it is that of a socket that sends datagrams of its own
     */
    static boolean told(final Inpcb inp, final Mbuf m, final int icmpOff) {
        if (inp == null) {
            return false;
        }
        final Icmp icmp;
        final boolean socket;
        inp.lock.lock();
        try {
            final boolean freed = inp.has(Inpcb.INP_FREED);
            icmp = freed ? null : ((Udpcb) inp.ppcb).icmpFunc;
            socket = !freed && inp.so != null && ((Udpcb) inp.ppcb).tunFunc == null;
        } finally {
            inp.lock.unlock();
        }
        if (icmp != null) {
            icmp.ctlinput(m, icmpOff);
        }
        return socket;
    }
}
