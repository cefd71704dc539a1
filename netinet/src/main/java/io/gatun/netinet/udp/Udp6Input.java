package io.gatun.netinet.udp;

import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip.IpControl;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.UdpTunnels;
import io.gatun.spi.sys.DropReason;

/** UDP over IPv6 on its way in, and what ICMPv6 reports about it. @bsd udp6_input */
final class Udp6Input implements UdpMulti.Family {
    private static final int VALID = Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;

    private final Udp udp;
    private final UdpMulti multi;

    Udp6Input(final Udp udp) {
        this.udp = udp;
        multi = new UdpMulti(udp, this);
    }

    private int drop(final Mbuf m, final DropReason reason) {
        udp.vnet.drop(m, reason);
        return InDefs.IPPROTO_DONE;
    }

    /** Takes a datagram from IPv6, checks it and delivers it. Consumes m. No lock is held. @bsd udp6_input */
    int input(final Mbuf packet, final int off, final int proto) {
        final Mbuf m = udp.input.header(packet, off);
        if (m == null) {
            return InDefs.IPPROTO_DONE;
        }
        final DropReason bad = check(m, off);
        if (bad != null) {
            return drop(m, bad);
        }
        if (In6.isMulticast(Ip6Header.dstHi(m, 0))) {
            multiInput(m, off);
        } else {
            unicast(m, off);
        }
        return InDefs.IPPROTO_DONE;
    }

    /**
     * Lengths, port and checksum, which may be absent at one port alone, of a tunnel that protects what it carries by
     * itself (RFC 8200 section 8.1, RFC 6935, RFC 6936). Null when all is well.
     */
    private DropReason check(final Mbuf m, final int off) {
        final DropReason bad = udp.input.lengths(m, off);
        if (bad != null) {
            return bad;
        }
        if (UdpHeader.sum(m, off) == 0) {
            udp.stat.nosum.increment();
            final int port = udp.zeroChecksumPort.getInt();
            return port != 0 && UdpHeader.dport(m, off) == port ? null : DropReason.UDP_BADSUM;
        }
        if ((m.csumFlags() & VALID) == VALID) {
            return null;
        }
        return udp.input.sum(m, off, Ip6Header.pseudo(m, UdpHeader.ulen(m, off), InDefs.IPPROTO_UDP));
    }

    private void multiInput(final Mbuf m, final int off) {
        final int ports = InpcbInfo.ports(UdpHeader.dport(m, off), UdpHeader.sport(m, off));
        final Inpcb connected = udp.udbinfo.lookup6(Ip6Header.srcHi(m, 0), Ip6Header.srcLo(m, 0),
            Ip6Header.dstHi(m, 0), Ip6Header.dstLo(m, 0), ports, 0);
        if (!multi.input(m, off, connected)) {
            udp.stat.noportmcast.increment();
            udp.vnet.drop(m, DropReason.UDP_NOPORT_BCAST);
        }
    }

    @Override
    public boolean wants(final Inpcb inp, final Mbuf m, final int off) {
        inp.lock.lock();
        try {
            final int ports = InpcbInfo.ports(UdpHeader.dport(m, off), UdpHeader.sport(m, off));
            if (!inp.matches6(Ip6Header.srcHi(m, 0), Ip6Header.srcLo(m, 0), Ip6Header.dstHi(m, 0),
                Ip6Header.dstLo(m, 0), ports) || ((Udpcb) inp.ppcb).tunFunc != null) {
                return false; // a tunnel is member of no group
            }
            final boolean heard = Ip6Header.heard(inp.moptions6, m);
            if (!heard) {
                udp.stat.filtermcast.increment();
            }
            return heard;
        } finally {
            inp.lock.unlock();
        }
    }

    private void unicast(final Mbuf m, final int off) {
        final long sh = Ip6Header.srcHi(m, 0);
        final long sl = Ip6Header.srcLo(m, 0);
        final long dh = Ip6Header.dstHi(m, 0);
        final long dl = Ip6Header.dstLo(m, 0);
        final int ports = InpcbInfo.ports(UdpHeader.dport(m, off), UdpHeader.sport(m, off));
        boolean done = false;
        while (!done) {
            final Inpcb inp = udp.udbinfo.lookup6(sh, sl, dh, dl, ports, InpcbInfo.INPLOOKUP_WILDCARD);
            if (inp == null) {
                noport(m);
                return;
            }
            UdpTunnels.Input tunnel = null;
            inp.lock.lock();
            try {
                done = inp.matches6(sh, sl, dh, dl, ports);
                if (done) {
                    tunnel = ((Udpcb) inp.ppcb).tunFunc;
                }
                if (done && tunnel == null) {
                    append(inp, m, off);
                }
            } finally {
                inp.lock.unlock();
            }
            if (tunnel != null) {
                tunnel.input(m, off);
            }
        }
    }

    @Override
    public void append(final Inpcb inp, final Mbuf m, final int off) {
        final Udpcb up = (Udpcb) inp.ppcb;
        In6.recover(up.from, Ip6Header.srcHi(m, 0), Ip6Header.srcLo(m, 0), UdpHeader.sport(m, off));
        final Mbuf control = IpControl.wanted(inp) ? udp.control.save6(inp, m, off) : null;
        m.adjHead(off + UdpHeader.LEN);
        udp.input.queue(inp.so, up, m, control);
    }

    private void noport(final Mbuf m) {
        udp.stat.noport.increment();
        final boolean local = udp.inet.inet6().addrs.lookup(Ip6Header.srcHi(m, 0), Ip6Header.srcLo(m, 0)) != null;
        if (udp.blackhole.getBool() && (udp.blackholeLocal.getBool() || !local)) {
            udp.vnet.drop(m, DropReason.UDP_NOPORT);
        } else {
            udp.inet.inet6().icmp6.error(m, Icmp6.ICMP6_DST_UNREACH, Icmp6.ICMP6_DST_UNREACH_NOPORT, 0);
        }
    }

    /** As {@link UdpInput#ctlinput} of ICMPv6. Borrows m. @bsd udp6_ctlinput */
    void ctlinput(final Mbuf m, final int icmpOff) {
        final int ip = icmpOff + Icmp6.LEN;
        final int uh = ip + Ip6Header.LEN;
        final int type = m.getU8(icmpOff);
        final int code = m.getU8(icmpOff + 1);
        final long fh = Ip6Header.dstHi(m, ip);
        final long fl = Ip6Header.dstLo(m, ip);
        final long lh = Ip6Header.srcHi(m, ip);
        final long ll = Ip6Header.srcLo(m, ip);
        final int ports = InpcbInfo.ports(UdpHeader.sport(m, uh), UdpHeader.dport(m, uh));
        final Inpcb inp = udp.udbinfo.lookup6(fh, fl, lh, ll, ports, 0);
        boolean ours = false;
        if (inp == null) {
            final int wild = InpcbInfo.INPLOOKUP_WILDCARD;
            ours = UdpTunneling.told(udp.udbinfo.lookup6(fh, fl, lh, ll, ports, wild), m, icmpOff);
        } else {
            inp.lock.lock();
            try {
                ours = inp.matches6(fh, fl, lh, ll, ports) && inp.connected();
                if (ours) {
                    UdpInput.notifyError(inp, Icmp6.errmap(type, code));
                }
            } finally {
                inp.lock.unlock();
            }
        }
        if (ours && type == Icmp6.ICMP6_PACKET_TOO_BIG) {
            udp.inet.inet6().icmp6.updateMtu(m, icmpOff);
            final int mtu = Math.clamp(m.getInt(icmpOff + 4) & 0xffff_ffffL, Ip6Header.IPV6_MMTU, 0xffff);
            udp.control.notifyPmtu(fh, fl, UdpHeader.dport(m, uh), mtu);
        }
    }
}
