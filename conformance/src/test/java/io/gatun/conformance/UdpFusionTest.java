package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Mmsghdr;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.MsgControl;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Datagrams within one stack that go straight into the receiver's buffer: each as it was sent, from whom, in order. */
class UdpFusionTest {
    private static final int STEPS = 3000;
    private static final int MOST_WAITING = 40;
    private static final int LONGEST = 900;
    private static final int SENDERS = 2;
    private static final int FLOOD = 50_000;

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values()).flatMap(s -> Stream.of("127.0.0.1", "::1", "::ffff:127.0.0.1")
            .flatMap(at -> Stream.of(Arguments.of(s, false, at), Arguments.of(s, true, at))));
    }

    /** A datagram as the test remembers it. */
    private static final class Sent {
        private final byte[] octets;
        private final SockAddr from;

        Sent(final byte[] octets, final SockAddr from) {
            this.octets = octets;
            this.from = from;
        }
    }

    private static Vnet dual(final Bed bed) throws ErrnoException {
        final Vnet v = bed.loopback();
        Bed.config(v).addAddress(v.ifnets().byName("lo0"), "::1/128");
        return v;
    }

    private static SocketFile udp(final Vnet v, final String at) throws ErrnoException {
        final SocketFile f = SocketFile.socket(
            v, at.contains(":") ? SockAddr.AF_INET6 : SockAddr.AF_INET, SocketDefs.SOCK_DGRAM, 0);
        f.setNonBlocking(true);
        if (at.contains(":")) {
            f.setOption(InDefs.IPPROTO_IPV6, InDefs.IPV6_V6ONLY, 0);
        }
        return f;
    }

    private static long packets(final Vnet v) {
        return v.counters().get("ip.localout") + v.counters().get("ip6.localout");
    }

    /** Random calls against a queue that does the same. */
    @ParameterizedTest
    @MethodSource("modes")
    void anyCalls_eachArrivesAsSent(final LockStrategy locks, final boolean threads, final String at) throws Exception {
        final long seed = 20_261_127L;
        final SplittableRandom random = new SplittableRandom(seed);
        try (Bed bed = new Bed(locks, threads, seed)) {
            final Vnet v = dual(bed);
            final SocketFile in = udp(v, at);
            in.bind(at.contains(":") ? SockAddr.in6(0, 0, 5353) : SockAddr.in(0, 5353));
            in.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, 1 << 17);
            final SockAddr to = SockAddr.of(at, 5353);
            final SocketFile[] out = new SocketFile[SENDERS];
            for (int i = 0; i < SENDERS; i++) {
                out[i] = udp(v, at);
                out[i].bind(SockAddr.of(at, 6000 + i));
            }
            out[0].connect(to);
            final ArrayDeque<Sent> waiting = new ArrayDeque<>();
            for (int i = 0; i < STEPS; i++) {
                final int n = random.nextInt(4) == 0 ? random.nextInt(LONGEST) : random.nextInt(100);
                step(in, out, to, waiting, n, random);
                assertThat(in.available()).as("step %d, seed %d", i, seed)
                    .isEqualTo(waiting.stream().mapToInt(s -> s.octets.length).sum());
                assertThat((in.poll(SocketDefs.POLLIN) & SocketDefs.POLLIN) != 0).isEqualTo(!waiting.isEmpty());
            }
            if (!at.startsWith("::f")) {
                assertThat(packets(v)).as("packets").isLessThanOrEqualTo(2 * SENDERS);
            }
            in.close();
            for (final SocketFile f : out) {
                f.close();
            }
        }
    }

    private static void step(final SocketFile in, final SocketFile[] out, final SockAddr to,
        final ArrayDeque<Sent> waiting, final int n, final SplittableRandom random) throws ErrnoException {
        switch (waiting.size() < MOST_WAITING ? random.nextInt(8) : 4 + random.nextInt(4)) {
            case 0, 1, 2 -> {
                final int which = random.nextInt(SENDERS);
                final byte[] octets = octets(n, random);
                final ByteBuffer b = ByteBuffer.wrap(octets);
                assertThat(which == 0 ? out[0].send(b) : out[which].sendto(b, 0, to)).isEqualTo(n);
                waiting.add(new Sent(octets, out[which].localAddress()));
            }
            case 3 -> sendmmsg(out[0], waiting, random);
            case 4 -> {
                final SockAddr from = new SockAddr();
                final Mbuf m = in.receiveMbufs(LONGEST, SocketDefs.MSG_DONTWAIT, from);
                final Sent s = waiting.poll();
                assertThat(m == null).isEqualTo(s == null);
                if (m != null) {
                    final byte[] got = new byte[m.pktLen()];
                    m.copyData(0, got.length, got, 0);
                    m.freeChain();
                    assertThat(got).isEqualTo(s.octets);
                    assertThat(from).isEqualTo(s.from);
                }
            }
            case 5 -> receive(in, waiting.peek(), LONGEST, SocketDefs.MSG_PEEK);
            case 6 -> receive(in, waiting.poll(), 1 + random.nextInt(50), 0);
            default -> receive(in, waiting.poll(), LONGEST, 0);
        }
    }

    private static byte[] octets(final int n, final SplittableRandom random) {
        final byte[] octets = new byte[n];
        random.nextBytes(octets);
        return octets;
    }

    private static void sendmmsg(final SocketFile out, final ArrayDeque<Sent> waiting, final SplittableRandom random)
            throws ErrnoException {
        final Mmsghdr[] vec = new Mmsghdr[1 + random.nextInt(8)];
        for (int i = 0; i < vec.length; i++) {
            vec[i] = new Mmsghdr();
            final byte[] octets = octets(1 + random.nextInt(70), random);
            final MemorySegment seg = Arena.ofAuto().allocate(octets.length);
            MemorySegment.copy(octets, 0, seg, ValueLayout.JAVA_BYTE, 0, octets.length);
            vec[i].hdr.uio.set(seg, 0, octets.length);
            waiting.add(new Sent(octets, out.localAddress()));
        }
        assertThat(out.sendmmsg(vec, vec.length, 0)).isEqualTo(vec.length);
        for (final Mmsghdr m : vec) {
            assertThat(m.hdr.uio.resid()).isZero();
        }
    }

    /** Receives into so much room, and compares; s is null when nothing waits. */
    private static void receive(final SocketFile in, final Sent s, final int room, final int flags)
            throws ErrnoException {
        final ByteBuffer b = ByteBuffer.allocate(room);
        final SockAddr from = new SockAddr();
        final int n = in.recvfrom(b, flags | SocketDefs.MSG_DONTWAIT, from);
        if (s == null) {
            assertThat(n).isEqualTo(SocketFile.WOULD_BLOCK);
            return;
        }
        final int want = Math.min(room, s.octets.length);
        assertThat(n).isEqualTo(want);
        assertThat(b.flip()).isEqualTo(ByteBuffer.wrap(s.octets, 0, want));
        assertThat(from).isEqualTo(s.from);
    }

    /** Without threads: with them what goes as a packet is taken up later. */
    static Stream<Arguments> alone() {
        return modes().filter(a -> !(boolean) a.get()[1]).map(a -> Arguments.of(a.get()[0], a.get()[2]));
    }

    @ParameterizedTest
    @MethodSource("alone")
    void receiverChanges_isHeeded(final LockStrategy locks, final String at) throws Exception {
        try (Bed bed = new Bed(locks, false, 1)) {
            final Vnet v = dual(bed);
            final SocketFile in = udp(v, at);
            in.bind(SockAddr.of(at, 5353));
            final SocketFile out = udp(v, at);
            out.connect(SockAddr.of(at, 5353));
            assertThat(out.send(ByteBuffer.allocate(10))).isEqualTo(10);
            assertThat(in.available()).isEqualTo(10);
            final SocketFile stranger = udp(v, at);
            stranger.bind(SockAddr.of(at, 7000));
            in.connect(SockAddr.of(at, 7000)); // it hears one peer alone now
            out.send(ByteBuffer.allocate(10));
            assertThat(in.available()).isEqualTo(10);
            assertThatThrownBy(() -> out.send(ByteBuffer.allocate(10))).hasMessageContaining("ECONNREFUSED");
            in.close();
            stranger.close();
            out.close();
        }
    }

    @Test
    void optionsOfTheReceiver_comeWithPackets() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = dual(bed);
            final SocketFile in = udp(v, "127.0.0.1");
            in.bind(SockAddr.of("127.0.0.1", 5353));
            final SocketFile out = udp(v, "127.0.0.1");
            out.connect(SockAddr.of("127.0.0.1", 5353));
            out.send(ByteBuffer.allocate(10));
            in.setOption(InDefs.IPPROTO_IP, InDefs.IP_RECVTTL, 1);
            out.send(ByteBuffer.allocate(20));
            in.setOption(InDefs.IPPROTO_IP, InDefs.IP_RECVTTL, 0);
            out.send(ByteBuffer.allocate(30));
            for (int i = 1; i <= 3; i++) {
                final MsgControl control = new MsgControl();
                assertThat(in.recvmsg(ByteBuffer.allocate(100), 0, null, control)).isEqualTo(10 * i);
                assertThat(control.find(InDefs.IPPROTO_IP, InDefs.IP_RECVTTL)).isEqualTo(i == 2);
            }
            assertThat(packets(v)).isEqualTo(1);
            in.close();
            out.close();
        }
    }

    @Test
    void whoListens_seesPackets_andTurnedOffAllAre() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = dual(bed);
            final SocketFile in = udp(v, "127.0.0.1");
            in.bind(SockAddr.of("127.0.0.1", 5353));
            final SocketFile out = udp(v, "127.0.0.1");
            out.connect(SockAddr.of("127.0.0.1", 5353));
            final int[] seen = new int[1];
            out.send(ByteBuffer.allocate(10));
            v.ifnets().byName("lo0").setBpf((ifp, m, outbound) -> seen[0]++);
            out.send(ByteBuffer.allocate(10));
            v.ifnets().byName("lo0").setBpf(null);
            out.send(ByteBuffer.allocate(10));
            assertThat(seen[0]).isEqualTo(1);
            assertThat(packets(v)).isEqualTo(1);
            v.sysctl().find("net.inet.udp.fusion").set(0);
            out.send(ByteBuffer.allocate(10));
            assertThat(packets(v)).isEqualTo(2);
            assertThat(in.available()).isEqualTo(40);
            in.close();
            out.close();
        }
    }

    /** A sender at full speed, two readers: each datagram once, or counted; those of one reader in order. */
    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void flood_twoReaders_nothingIsLostUncounted(final LockStrategy locks) throws Exception {
        try (Bed bed = new Bed(locks, true, 1)) {
            final Vnet v = dual(bed);
            final SocketFile in = udp(v, "127.0.0.1");
            in.bind(SockAddr.of("127.0.0.1", 5353));
            final FutureTask<Void> sender = new FutureTask<>(() -> {
                final SocketFile out = udp(v, "127.0.0.1");
                out.connect(SockAddr.of("127.0.0.1", 5353));
                final ByteBuffer b = ByteBuffer.allocateDirect(600);
                for (int i = 0; i < FLOOD; i++) {
                    b.clear().putInt(0, i).limit(i % 7 == 0 ? 600 : 8);
                    assertThat(out.send(b)).isEqualTo(b.limit());
                }
                out.close();
                return null;
            });
            final FutureTask<Integer> other = new FutureTask<>(() -> read(in, sender));
            Thread.ofPlatform().daemon().start(sender);
            Thread.ofPlatform().daemon().start(other);
            final int got = read(in, sender) + other.get();
            sender.get();
            assertThat(got + v.drops(DropReason.UDP_FULLSOCK)).isEqualTo(FLOOD);
            assertThat(got).isPositive();
            in.close();
        }
    }

    private static int read(final SocketFile in, final FutureTask<Void> sender) throws ErrnoException {
        final ByteBuffer b = ByteBuffer.allocateDirect(600);
        int got = 0;
        int last = -1;
        boolean more = true;
        while (more) {
            more = !sender.isDone();
            int n = in.receive(b.clear());
            while (n >= 0) {
                final int number = b.getInt(0);
                assertThat(number).isGreaterThan(last);
                last = number;
                got++;
                n = in.receive(b.clear());
            }
        }
        return got;
    }
}
