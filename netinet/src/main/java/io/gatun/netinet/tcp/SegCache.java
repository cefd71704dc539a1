package io.gatun.netinet.tcp;

import io.gatun.spi.sys.SpareSlots;

/** Segments, send plans and bare segments to reuse: as many as threads are in TCP at a time. */
final class SegCache {
    private final SpareSlots<Seg> segs;
    private final SpareSlots<SendPlan> plans;
    private final SpareSlots<TcpBare> bares;

    /** @param shared whether the vnet has threads */
    SegCache(boolean shared) {
        segs = new SpareSlots<>(shared);
        plans = new SpareSlots<>(shared);
        bares = new SpareSlots<>(shared);
    }

    Seg claimSeg() {
        final Seg s = segs.take();
        return s == null ? new Seg() : s;
    }

    void release(Seg s) {
        s.reset();
        segs.give(s);
    }

    SendPlan claimPlan() {
        final SendPlan p = plans.take();
        return p == null ? new SendPlan() : p;
    }

    void release(SendPlan p) {
        plans.give(p);
    }

    TcpBare claimBare() {
        final TcpBare b = bares.take();
        return b == null ? new TcpBare() : b;
    }

    void release(TcpBare b) {
        bares.give(b);
    }
}
