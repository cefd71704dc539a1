package io.gatun.netinet.udp;

import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.Xinpcb;
import io.gatun.spi.socket.SockAddr;
import java.util.ArrayList;
import java.util.List;

/**
 * What monitoring programs ask of UDP, as a service of the vnet: {@code vnet.service(UdpPcblist.class)}. Any thread.
 *
 * @bsd udp_pcblist
 */
public final class UdpPcblist {
    private final Udp udp; // (c)

    UdpPcblist(final Udp udp) {
        this.udp = udp;
    }

    /** All sockets at this moment. Takes each lock in turn, holds none afterwards. */
    public List<Xinpcb> list() {
        final List<Xinpcb> out = new ArrayList<>();
        for (final Inpcb inp : udp.udbinfo.snapshot()) {
            inp.lock.lock();
            try {
                if (!inp.has(Inpcb.INP_DROPPED | Inpcb.INP_FREED)) {
                    out.add(entry(inp));
                }
            } finally {
                inp.lock.unlock();
            }
        }
        return out;
    }

    private static Xinpcb entry(final Inpcb inp) {
        final SockAddr local = new SockAddr();
        final SockAddr foreign = new SockAddr();
        inp.sockaddr(local);
        inp.peeraddr(foreign);
        return new Xinpcb(inp.so, local, foreign);
    }
}
