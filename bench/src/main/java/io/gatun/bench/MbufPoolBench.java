package io.gatun.bench;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a packet costs before anything is done with it: allocation, sharing and freeing of mbufs. The {@code
 * twoThreads} case is the one the padding of the pool's caches is there for.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class MbufPoolBench {
    private static final int LEN = 1448;

    /** One pool for all threads. */
    @State(Scope.Benchmark)
    public static class Shared {
        final MbufPool pool = MbufPool.builder().build();
    }

    /** A segment of each thread's own. */
    @State(Scope.Thread)
    public static class Segment {
        final MbufPool pool = MbufPool.builder().small().build();
        final Mbuf packet = pool.getcl(Mbuf.MT_DATA, Mbuf.M_PKTHDR);

        /** Fills the packet's lengths in. */
        public Segment() {
            packet.len(LEN);
            packet.pktLen(LEN);
        }
    }

    /** An mbuf with its own octets. */
    @Benchmark
    public void gethdr(Shared s) {
        s.pool.gethdr(Mbuf.MT_DATA).free();
    }

    /** An mbuf with a cluster. */
    @Benchmark
    public void getcl(Shared s) {
        s.pool.getcl(Mbuf.MT_DATA, Mbuf.M_PKTHDR).free();
    }

    /** Two threads with a cache each. */
    @Benchmark
    @Threads(2)
    public void twoThreads(Shared s) {
        s.pool.getcl(Mbuf.MT_DATA, Mbuf.M_PKTHDR).free();
    }

    /** What retransmission needs: a second reference to the same octets. */
    @Benchmark
    public void copyM(Segment s) {
        s.packet.copyM(0, LEN).free();
    }

    /** A super-segment's worth of clusters. */
    @Benchmark
    public void chainOf64Kilobytes(Shared s) {
        s.pool.getm2(null, 1 << 16, Mbuf.MT_DATA, Mbuf.M_PKTHDR).freeChain();
    }
}
