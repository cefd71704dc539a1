package io.gatun.netinet.tcp;

import io.gatun.netinet.Inet;
import io.gatun.netinet.icmp.HostCache;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.netinet.ip6.Ip6Output;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;

/** The network layer below TCP, as IPv4 and IPv6 provide it. */
public final class TcpIp implements TcpNet {
    private final Inet inet;

    public TcpIp(Inet inet) {
        this.inet = inet;
    }

    @Override
    public Errno output(Mbuf m, RouteCache ro, int fib) {
        m.fibnum(fib);
        return inet.ipOutput.output(m, ro, 0);
    }

    @Override
    public NextHop route(RouteCache ro, int dst, int fib, int flow) {
        return ro.resolve(inet.fib(fib), dst, flow);
    }

    @Override
    public boolean local(int addr) {
        return inet.addrs.isLocal(addr);
    }

    @Override
    public int mtu(int addr) {
        return inet.hostCache.mtu(addr);
    }

    @Override
    public void updateMtu(int addr, int mtu) {
        inet.hostCache.updateMtu(addr, mtu);
    }

    @Override
    public HostCache.Entry metrics(long hi, long lo) {
        return inet.hostCache.get(hi, lo);
    }

    @Override
    public void updateMetrics(long hi, long lo, HostCache.Metrics m) {
        inet.hostCache.update(hi, lo, m);
    }

    @Override
    public Errno output6(Mbuf m, RouteCache ro, int fib) {
        m.fibnum(fib);
        return inet.inet6().ip6Output.output(m, ro, null, Ip6Output.IPV6_DEFHLIM);
    }

    @Override
    public NextHop route6(RouteCache ro, long hi, long lo, int fib, int flow) {
        return ro.resolve6(inet.fib(fib), hi, lo, 0, flow);
    }

    @Override
    public boolean local6(long hi, long lo) {
        return inet.inet6().addrs.lookup(hi, lo) != null;
    }

    @Override
    public int mtu6(long hi, long lo) {
        return inet.hostCache.mtu(hi, lo);
    }

    @Override
    public void updateMtu6(long hi, long lo, int mtu) {
        inet.hostCache.updateMtu(hi, lo, mtu);
    }

    @Override
    public boolean mayReset(boolean open) {
        return inet.icmp.bandlim(open ? Icmp.Bandlim.RST_OPENPORT : Icmp.Bandlim.RST_CLOSEDPORT);
    }
}
