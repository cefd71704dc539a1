package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Malformed IPv6 frames to a host: each is dropped and counted, or answered; no mbuf is lost. */
class Inet6MalformedTest {
    private static final int IP = 14;
    private static final long PREFIX = 0x20010db8_00000000L;
    private static final int[] NEXT = {0, 6, 17, 43, 44, 58, 59, 60, 200};


    /** A frame of random octets behind headers that are right often enough to get far. */
    private static byte[] frame(final SplittableRandom r, final Ifnet to) {
        final int payload = r.nextInt(0, 120);
        final ByteBuffer b = ByteBuffer.allocate(IP + 40 + payload);
        b.put(to.lladdr()).put(new byte[] {2, 0, 0, 0, 0, 9}).putShort((short) 0x86dd);
        b.putInt(0x60000000).putShort((short) (r.nextInt(8) == 0 ? r.nextInt() : payload));
        b.put((byte) NEXT[r.nextInt(NEXT.length)]).put((byte) (r.nextInt(4) == 0 ? 64 : 255));
        final int kind = r.nextInt(16);
        b.putLong(kind == 0 ? 0xff02L << 48 : kind < 4 ? 0xfe80L << 48 : PREFIX).putLong(r.nextInt(3));
        if (r.nextInt(4) == 0) {
            b.putLong(0xff02L << 48).putLong(r.nextBoolean() ? 1 : 0x0001_ff00_0002L);
        } else {
            b.putLong(PREFIX).putLong(2);
        }
        while (b.hasRemaining()) {
            b.put((byte) (r.nextInt(3) == 0 ? NEXT[r.nextInt(NEXT.length)] : r.nextInt(4) == 0 ? r.nextInt() : 0));
        }
        final byte[] f = b.array();
        if (r.nextInt(3) != 0 && payload > 8) {
            if (r.nextBoolean()) {
                f[IP + 40] = (byte) (r.nextBoolean() ? 135 : r.nextBoolean() ? 136 : r.nextInt(1, 5));
            }
            sum(f, payload);
        }
        return f;
    }

    /** Makes the ICMPv6 checksum right, so that what is behind it is looked at. */
    private static void sum(final byte[] f, final int payload) {
        f[IP + 6] = 58;
        f[IP + 42] = 0;
        f[IP + 43] = 0;
        long s = payload + 58L;
        for (int i = IP + 8; i < IP + 40 + payload; i++) {
            s += (i - IP & 1) == 0 ? (f[i] & 0xff) << 8 : f[i] & 0xff;
        }
        while (s >>> 16 != 0) {
            s = (s >>> 16) + (s & 0xffff);
        }
        f[IP + 42] = (byte) (~s >>> 8);
        f[IP + 43] = (byte) ~s;
    }

    @Test
    void randomPackets_nothingThrownNothingLost() throws Exception {
        final long seed = Long.getLong("gatun.seed", 6L);
        final SplittableRandom r = new SplittableRandom(seed);
        try (Bed bed = new Bed(seed)) {
            final Vnet a = bed.vnet("left");
            final Vnet b = bed.vnet("right");
            Bed.up(bed.cable(a, b, Bed.ETHERNET), "2001:db8::1/64", "2001:db8::2/64");
            final Ifnet to = b.ifnets().byName("epair0b");
            for (int i = 0; i < 30_000; i++) {
                final byte[] f = frame(r, to);
                final int cut = r.nextInt(10) == 0 ? r.nextInt(1, f.length) : f.length;
                final Mbuf m = bed.pool.devget(MemorySegment.ofArray(f), 0, cut, to);
                assertThat(m).as("seed=%d round %d", seed, i).isNotNull();
                to.input(m);
                bed.run();
                if (i % 500 == 0) {
                    bed.advance(1_000_000_000L);
                }
            }
            bed.advance(60_000_000_000L);
            for (final DropReason reason : new DropReason[] {DropReason.IP_BADADDR, DropReason.IP_BADLEN,
                DropReason.IP_BADOPT, DropReason.IP_NOPROTO, DropReason.IP_REASS_BADFRAG, DropReason.IP_REASS_TIMEOUT,
                DropReason.ICMP_BADSUM,
                DropReason.ICMP_NOERROR, DropReason.ND6_BADHDR, DropReason.UDP_BADSUM, DropReason.TCP_BADSUM}) {
                assertThat(b.drops(reason)).as("seed=%d %s", seed, reason).isPositive();
            }
            assertThat(to.up()).isEqualTo(Errno.OK);
        }
    }
}
