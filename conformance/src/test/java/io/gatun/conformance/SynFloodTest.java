package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A hundred thousand SYNs from as many sources that do not exist, at the listener that a hundred real peers connect to
 * and send through: these finish, and what the flood holds is bounded; nothing of it where only cookies are used.
 */
class SynFloodTest {
    private static final int FORGED = 100_000;
    private static final int REAL = 100;
    private static final int EACH = 20_000;
    private static final int AT_A_TIME = FORGED / REAL;
    private static final int CACHE = 15_360;
    private static final int MEASURED = 5_000;

    static Stream<Arguments> modes() {
        return Stream.of(Family.values()).flatMap(f -> Stream.of(Arguments.of(f, "syncookies_only", "0"),
            Arguments.of(f, "syncookies_only", "1"), Arguments.of(f, "syncookies", "0")));
    }

    /** Makes SYNs from one that was really sent: source address and port, sequence number and checksum differ. */
    private static final class Forger {
        private final MemorySegment octets;
        private final byte[] template;
        private final boolean v6;
        private final Ifnet at;
        private long n;

        Forger(final byte[] syn, final Ifnet at) {
            template = syn;
            this.at = at;
            v6 = TcpFrame.of(syn).v6();
            octets = Arena.ofAuto().allocate(syn.length);
            MemorySegment.copy(syn, 0, octets, ValueLayout.JAVA_BYTE, 0, syn.length);
        }

        private void put16(final int off, final int v) {
            octets.set(ValueLayout.JAVA_BYTE, off, (byte) (v >> 8));
            octets.set(ValueLayout.JAVA_BYTE, off + 1, (byte) v);
        }

        /** Another one arrives: from 11.x.y.z, or 2001:db8:1::n. The interface has looked at its checksum. */
        void arrive() {
            n++;
            final int src = v6 ? 14 + 8 : 14 + 12;
            final int th = v6 ? 14 + 40 : 14 + 20;
            if (v6) {
                put16(src + 4, 1);
                put16(src + 12, (int) (n >> 16));
                put16(src + 14, (int) n);
            } else {
                put16(src, 11 << 8 | (int) (n >> 16));
                put16(src + 2, (int) n);
            }
            put16(th, 1024 + (int) (n % 60_000));
            put16(th + 4, (int) (n * 7919));
            final Mbuf m = at.vnet().pool().devget(octets, 0, template.length, at);
            if (m == null) {
                return;
            }
            m.csumFlags(m.csumFlags() | Csum.CSUM_IP_CHECKED | Csum.CSUM_IP_VALID
                | Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR);
            m.csumData(0xffff);
            at.input(m);
        }
    }

    /** The first SYN that comes in. */
    private static byte[] captureSyn(final Bed bed, final Vnet a, final SockAddr to, final Ifnet at)
            throws ErrnoException {
        final List<byte[]> seen = new ArrayList<>();
        at.setBpf((i, m, outbound) -> {
            final byte[] f = new byte[m.pktLen()];
            m.copyData(0, f.length, f, 0);
            if (!outbound && TcpFrame.of(f) != null) {
                seen.add(f);
            }
        });
        final SocketFile so = Bed.tcp(a, to.family());
        so.setNonBlocking(true);
        so.connect(to);
        while (seen.isEmpty()) {
            assertThat(bed.run() || bed.step()).as("a SYN comes").isTrue();
        }
        at.setBpf(null);
        so.close();
        return seen.getFirst();
    }

    /** A real peer and what it sends. */
    private static final class Peer {
        private final SocketFile active;
        private Flow flow;
        private SocketFile passive;

        Peer(final Vnet a, final SockAddr to) throws ErrnoException {
            active = Bed.tcp(a, to.family());
            active.setNonBlocking(true);
            active.connect(to);
        }
    }

    private static void accept(final SocketFile head, final List<Peer> peers) throws ErrnoException {
        for (SocketFile so = head.accept(); so != null; so = head.accept()) {
            so.setNonBlocking(true);
            final SockAddr from = so.peerAddress();
            for (final Peer p : peers) {
                if (p.active.localAddress().equals(from)) {
                    p.passive = so;
                    p.flow = new Flow(p.active, so, EACH, 4000);
                }
            }
        }
    }

    private static void transferSome(final List<Peer> peers) throws ErrnoException {
        for (final Peer p : peers) {
            if (p.flow != null) {
                p.flow.sendSome();
                p.flow.receiveSome();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void flood_realPeersFinish_memoryIsBounded(final Family family, final String sysctl, final String value)
            throws Exception {
        final boolean only = "syncookies_only".equals(sysctl) && "1".equals(value);
        try (Bed bed = new Bed(1).sysctl("net.inet.tcp." + sysctl, value)) {
            final Vnet[] v = family.pair(bed, Bed.ETHERNET);
            // There is a way to those who are not there, so that they are answered.
            Bed.config(v[1]).addRoute(family == Family.V4 ? "11.0.0.0/8" : "2001:db8:1::/48",
                family.leftAddress(), null);
            final Ifnet at = v[1].ifnets().byName("epair0b");
            final SockAddr to = family.right(Bed.PORT);
            final SocketFile head = Bed.listener(v[1], to, 128);
            head.setNonBlocking(true);
            final Forger forger = new Forger(captureSyn(bed, v[0], to, at), at);
            final List<Peer> peers = new ArrayList<>();
            long most = 0;
            long mbufs = 0;
            for (int i = 0; i < REAL; i++) {
                peers.add(new Peer(v[0], to));
                for (int n = 0; n < AT_A_TIME; n++) {
                    forger.arrive();
                    if (n % 16 == 0) {
                        bed.run();
                        bed.clock.advance(10_000);
                    }
                }
                bed.run();
                accept(head, peers);
                transferSome(peers);
                most = Math.max(most, Long.parseLong(v[1].sysctl().find("net.inet.tcp.syncache.count").getString()));
                mbufs = Math.max(mbufs, bed.pool.outstanding());
            }
            finish(bed, head, peers);
            assertThat(peers).allMatch(p -> p.flow.received() == EACH);
            assertThat(most).as("entries").isBetween(only ? 0L : 1L, only ? 0L : CACHE);
            assertThat(mbufs).as("mbufs at a time").isLessThan(8000);
            if (only) {
                assertThat(allocated(bed, forger)).as("octets of heap for %d SYNs", MEASURED).isZero();
            }
            for (final Peer p : peers) {
                p.active.close();
                p.passive.close();
            }
            head.close();
            bed.advance(TimeUnit.MINUTES.toNanos(3));
            assertThat(v[1].sysctl().find("net.inet.tcp.syncache.count").getString()).isEqualTo("0");
        }
    }

    private static void finish(final Bed bed, final SocketFile head, final List<Peer> peers) throws ErrnoException {
        int idle = 0;
        while (!peers.stream().allMatch(p -> p.flow != null && p.flow.ended())) {
            final boolean any = bed.run();
            accept(head, peers);
            transferSome(peers);
            idle = any || bed.step() ? 0 : idle + 1;
            assertThat(idle).as("something happens; %d are not connected",
                peers.stream().filter(p -> p.flow == null).count()).isLessThan(10);
        }
    }

    private static long allocated(final Bed bed, final Forger forger) {
        return Steady.octets(1, () -> {
            for (int i = 0; i < MEASURED; i++) {
                forger.arrive();
                if (i % 16 == 0) {
                    bed.run();
                }
            }
        });
    }
}
