package io.gatun.netinet.icmp;

import io.gatun.spi.vnet.VnetSide;

/** Path MTU and more of other hosts. @bsd tcp_hostcache */
public final class HostCache {
    private final VnetSide vnet;

    public HostCache(VnetSide vnet) {
        this.vnet = vnet;
    }

    /** The path MTU to an IPv4 host, or 0 when none is known. @bsd tcp_hc_getmtu */
    public int mtu(int dst) {
        return 0;
    }

    /** Notes a path MTU, in octets. @bsd tcp_hc_updatemtu */
    public void updateMtu(int dst, int mtu) {
        assert vnet != null;
    }
}
