package io.gatun.netinet.tcp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/** Counters of {@link TcpFusion}. */
final class TcpFusionStat {
    /** Directions of connections that were joined past the segments. */
    final Counter fused;
    /** Connections that began without packets. */
    final Counter opened;
    /** Octets that went past the segments; counted as a direction is parted. */
    final Counter fusedbyte;

    TcpFusionStat(CounterSet set) {
        fused = set.counter("tcp.fused");
        opened = set.counter("tcp.fusedopen");
        fusedbyte = set.counter("tcp.fusedbyte");
    }
}
