package io.gatun.conformance.netsim;

import io.gatun.spi.ifnet.BpfTap;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/** When packets come in at an interface, and a sum over all their octets and instants. */
final class Arrivals implements BpfTap {
    final List<Long> timesNs = new ArrayList<>();
    final List<Integer> marks = new ArrayList<>();
    private final Netsim net;
    private final CRC32 sum = new CRC32();

    Arrivals(final Netsim net, final LinkWay way) {
        this.net = net;
        way.to().vnet().ifnets().all().stream().filter(i -> i.type() == Ifnet.IFT_ETHER)
            .forEach(i -> i.setBpf(this));
    }

    @Override
    public void mtap(final Ifnet ifp, final Mbuf m, final boolean outbound) {
        if (outbound) {
            return;
        }
        timesNs.add(net.nowNs());
        final byte[] all = new byte[m.pktLen()];
        m.copyData(0, all.length, all, 0);
        marks.add((int) all[LinkWay.ETHER_HDR_LEN + 1]);
        sum.update(all);
        for (int i = 0; i < Long.SIZE; i += Byte.SIZE) {
            sum.update((int) (net.nowNs() >>> i));
        }
    }

    long digest() {
        return sum.getValue();
    }
}
