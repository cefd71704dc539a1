package io.gatun.netinet.tcp;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Segments, send plans and bare segments to reuse: as many as threads are in TCP at a time. Claimed by one exchange.
 */
final class SegCache {
    private static final int SLOTS = 8;
    private static final int SPREAD = 4; // slots of neighbours share a cache line otherwise

    private final AtomicReferenceArray<Seg> segs = new AtomicReferenceArray<>(SLOTS * SPREAD);
    private final AtomicReferenceArray<SendPlan> plans = new AtomicReferenceArray<>(SLOTS * SPREAD);

    private final AtomicReferenceArray<TcpBare> bares = new AtomicReferenceArray<>(SLOTS * SPREAD);

    Seg claimSeg() {
        final Seg s = segs.getAndSet(slot(), null);
        return s == null ? new Seg() : s;
    }

    void release(Seg s) {
        s.reset();
        segs.setRelease(slot(), s);
    }

    SendPlan claimPlan() {
        final SendPlan p = plans.getAndSet(slot(), null);
        return p == null ? new SendPlan() : p;
    }

    void release(SendPlan p) {
        plans.setRelease(slot(), p);
    }

    TcpBare claimBare() {
        final TcpBare b = bares.getAndSet(slot(), null);
        return b == null ? new TcpBare() : b;
    }

    void release(TcpBare b) {
        bares.setRelease(slot(), b);
    }

    private static int slot() {
        return ((int) Thread.currentThread().threadId() & SLOTS - 1) * SPREAD;
    }
}
