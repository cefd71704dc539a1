package io.gatun.netinet;

import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.InLaddr;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip.IpOutput;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.ip6.Ip6Output;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.IpSide;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;

/** IP for transports of other modules. Holds no state of a packet. */
final class InetIp implements IpSide {
    private static final int PROTO_MASK = 0xff;

    private final Inet inet;
    private final InLaddr laddr;

    InetIp(final Inet inet) {
        this.inet = inet;
        laddr = new InLaddr(inet);
    }

    private boolean hasFamily(final SockAddr a) {
        return a.family() == SockAddr.AF_INET || a.family() == SockAddr.AF_INET6 && inet.inet6() != null;
    }

    @Override
    public Errno laddr(final SockAddr dst, final int fib, final SockAddr src) {
        if (!hasFamily(dst)) {
            return Errno.EAFNOSUPPORT;
        }
        if (dst.family() == SockAddr.AF_INET) {
            return laddr.source(null, dst, fib, null, src);
        }
        final Errno e = inet.inet6().laddr.source(In6.embed(dst), dst.lo(), fib, src);
        if (e == Errno.OK) {
            In6.recover(src, src.hi(), src.lo(), 0);
        }
        return e;
    }

    @Override
    public int cksum(final Mbuf m, final int off, final SockAddr src, final SockAddr dst, final int proto) {
        final int n = m.pktLen() - off;
        final long pseudo = dst.family() == SockAddr.AF_INET ? InCksum.pseudo(src.in4(), dst.in4(), proto + n)
            : InCksum.pseudo6(In6.clear(src.hi()), src.lo(), In6.clear(dst.hi()), dst.lo(), proto + n);
        return ~InCksum.fold(pseudo + InCksum.sum(m, off, n)) & 0xffff;
    }

    @Override
    public void addrs(final Mbuf m, final SockAddr src, final SockAddr dst) {
        if (IpHeader.version(m, 0) == IpHeader.IPVERSION) {
            src.setIn(IpHeader.src(m, 0), 0);
            dst.setIn(IpHeader.dst(m, 0), 0);
        } else {
            In6.recover(src, Ip6Header.srcHi(m, 0), Ip6Header.srcLo(m, 0), 0);
            In6.recover(dst, Ip6Header.dstHi(m, 0), Ip6Header.dstLo(m, 0), 0);
        }
    }

    @Override
    public Errno output(final Mbuf m, final SockAddr src, final SockAddr dst, final int proto, final int flags) {
        if (!hasFamily(dst) || src.family() != dst.family()) {
            m.freeChain();
            return Errno.EAFNOSUPPORT;
        }
        final boolean six = dst.family() == SockAddr.AF_INET6;
        if (m.pktLen() > (six ? Ip6Header.IPV6_MAXPACKET : IpHeader.IP_MAXPACKET - IpHeader.LEN)) {
            m.freeChain();
            return Errno.EMSGSIZE;
        }
        final int octets = m.pktLen();
        final Mbuf p = m.prepend(six ? Ip6Header.LEN : IpHeader.LEN);
        if (p == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return Errno.ENOBUFS;
        }
        p.csumFlags(0);
        return six ? output6(p, octets, src, dst, proto, flags) : output4(p, src, dst, proto, flags);
    }

    private Errno output4(final Mbuf m, final SockAddr src, final SockAddr dst, final int proto, final int flags) {
        final Sysctl ttl = inet.vnet.sysctl().find("net.inet.ip.ttl");
        final int given = proto >>> Byte.SIZE;
        IpHeader.init(m, 0, m.pktLen(), 0);
        IpHeader.addr(m, 0, IpHeader.ttlAndProto(given == 0 ? (int) ttl.get() : given, proto & PROTO_MASK),
            src.in4(), dst.in4());
        if ((flags & DONTFRAG) != 0) {
            IpHeader.off(m, 0, IpHeader.IP_DF);
        }
        return inet.ipOutput.output(m, null, (flags & ALLOWBROADCAST) != 0 ? IpOutput.IP_ALLOWBROADCAST : 0);
    }

    private Errno output6(
        final Mbuf m, final int octets, final SockAddr src, final SockAddr dst, final int proto, final int flags) {
        Ip6Header.init(m, octets, proto & PROTO_MASK, proto >>> Byte.SIZE, 0);
        Ip6Header.addr(m, In6.embed(src), src.lo(), In6.embed(dst), dst.lo());
        return inet.inet6().ip6Output.output(m, null, null,
            Ip6Output.IPV6_DEFHLIM | ((flags & DONTFRAG) != 0 ? Ip6Output.IPV6_DONTFRAG : 0));
    }
}
