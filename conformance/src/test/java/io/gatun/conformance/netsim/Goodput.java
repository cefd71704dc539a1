package io.gatun.conformance.netsim;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.ErrnoException;
import java.time.Duration;
import java.util.Locale;

/**
 * One bulk transfer over one link, measured when it has settled: how many bits of payload arrive in a second.
 *
 * @param family AF_INET or AF_INET6
 * @param mbits rate of the link, Mbit/s
 * @param rttMs round trip without queues, ms
 * @param loss probability that the link loses a packet of data
 * @param queue packets that may wait, as a share of what fits into the link and its round trip
 * @param cc congestion control
 */
record Goodput(int family, int mbits, int rttMs, double loss, double queue, String cc) {
    private static final int MTU = 1500;
    private static final int LEAST_QUEUE = 10;
    private static final long WARM_RTTS = 60;
    private static final long WARM_MS = 3000;
    private static final int BUFFER = 64 << 20;
    private static final int POOL_UNIT = 8 << 20;

    /**
     * What came of it.
     *
     * @param bitsPerSecond of payload, once it had settled
     * @param share of what the link can carry, headers taken off
     * @param lost packets that the network lost, its queue included, from the start
     * @param rexmit segments that were sent again, from the start
     * @param timeouts retransmit timeouts, from the start
     */
    record Result(double bitsPerSecond, double share, long lost, long rexmit, long timeouts) {
    }

    private int header() {
        return (family == SockAddr.AF_INET6 ? 40 : 20) + 20 + 12;
    }

    /** What fits into the link and its round trip, packets. */
    private double bdp() {
        return mbits * 1e6 / Byte.SIZE * rttMs / 1e3 / MTU;
    }

    private int queuePackets() {
        return Math.max((int) (bdp() * queue), LEAST_QUEUE);
    }

    /** The payload that the link can carry, bits per second. */
    double most() {
        return mbits * 1e6 * (MTU - header()) / MTU;
    }

    /**
     * The rate that the response functions of RFC 9438 section 5.1 give for a loss, the higher of CUBIC's and Reno's,
     * or the link's if that is lower; bits per second.
     */
    double response() {
        if (loss == 0) {
            return most();
        }
        final double rtt = rttMs / 1e3;
        final double cubic = Math.pow(0.4 * 3.7 / (4 * 0.3), 0.25) * Math.pow(rtt / loss, 0.75);
        final double reno = Math.sqrt(1.5 / loss);
        final double segments = "cubic".equals(cc) ? Math.max(cubic, reno) : reno;
        return Math.min(most(), segments * (MTU - header()) * Byte.SIZE / rtt);
    }

    Result run(final long seed, final Duration span) throws ErrnoException {
        final int scale = (int) Math.ceilDiv((long) (bdp() * MTU * (3 + queue)), POOL_UNIT) + 1;
        try (Netsim net = Netsim.builder().seed(seed).family(family).memory(scale)
            .sysctl("kern.ipc.maxsockbuf", Integer.toString(2 * BUFFER))
            .sysctl("net.inet.tcp.recvbuf_max", Integer.toString(BUFFER))
            .sysctl("net.inet.tcp.sendbuf_max", Integer.toString(BUFFER)).build()) {
            final SimHost a = net.host("a");
            final SimHost b = net.host("b");
            final LinkSpec both = LinkSpec.rate(mbits * 1_000_000L).delay(Duration.ofNanos(rttMs * 500_000L));
            final LinkWay way = net.link(a, b, both.queue(queuePackets()).loss(loss), both).there();
            final SimFlow f = net.flow(a, b, SimFlow.ENDLESS).congestion(cc);
            net.run(Duration.ofMillis(Math.max(WARM_RTTS * rttMs, WARM_MS)));
            final long before = f.received();
            net.run(span);
            final double bits = (f.received() - before) * Byte.SIZE * 1e9 / span.toNanos();
            return new Result(bits, bits / most(), way.stats().lost() + way.stats().overflowed(),
                a.vnet().counters().get("tcp.sndrexmitpack"), a.vnet().counters().get("tcp.rexmttimeo"));
        }
    }

    /** As a row of a table. */
    String row(final Result r) {
        return String.format(Locale.ROOT, "| %s | %s | %d | %d | %s %% | %s | %.3f | %.1f %% | %.2f | %d | %d | %d |",
            family == SockAddr.AF_INET6 ? "IPv6" : "IPv4", cc, mbits, rttMs, text(100 * loss), text(queue),
            r.bitsPerSecond / 1e6, 100 * r.share, r.bitsPerSecond / response(), r.lost, r.rexmit, r.timeouts);
    }

    private static String text(final double d) {
        return d == Math.rint(d) ? Long.toString((long) d) : Double.toString(d);
    }
}
