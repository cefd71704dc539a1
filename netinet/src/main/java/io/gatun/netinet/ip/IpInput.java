package io.gatun.netinet.ip;

import io.gatun.netinet.Inet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;

/** IPv4 on its way in. @bsd ip_input */
public final class IpInput {
    private final Inet inet;

    public IpInput(Inet inet) {
        this.inet = inet;
    }

    /** Takes a packet from the link layer. Consumes m. @bsd ip_input */
    public void input(Mbuf m) {
        inet.vnet.drop(m, DropReason.IP_NOPROTO);
    }
}
