package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.conformance.driver.KitFrames;
import io.gatun.drivers.epair.Epair;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A host with a listener, connections and a bound UDP socket is sent frames that no host should send: noise, and real
 * frames that were spoilt, many with their checksums made right again so that they come far. Nothing is thrown, each
 * is counted, and what is not theirs goes on. {@code -Dgatun.seed=N} runs another seed.
 */
class MalformedTest {
    private static final SockAddr LISTENER = SockAddr.of("10.0.0.2", Bed.PORT);
    private static final SockAddr VICTIM = SockAddr.of("10.0.0.2", Bed.PORT + 1);
    private static final SockAddr WITNESS = SockAddr.of("10.0.0.2", Bed.PORT + 2);
    private static final SockAddr UDP = SockAddr.of("10.0.0.2", 7);
    private static final int SEEDS = 60;
    private static final int FRAMES = 400;
    private static final int OCTETS = 100_000;

    static LongStream seeds() {
        final String given = System.getProperty("gatun.seed");
        return given != null ? LongStream.of(Long.parseLong(given)) : LongStream.range(0, SEEDS);
    }

    /** The two hosts, and what is open on the right one. */
    private static final class Scene {
        private final Bed bed;
        private final SplittableRandom r;
        private final Vnet a;
        private final Vnet b;
        private final Ifnet ifp;
        private final SocketFile head;
        private final SocketFile udp;
        private final SocketFile out;
        private final SocketFile[] victim;
        private final SocketFile[] witness;
        private final List<byte[]> open = new ArrayList<>();
        private final List<byte[]> guarded = new ArrayList<>();

        Scene(final Bed bed, final SplittableRandom r) throws ErrnoException {
            this.bed = bed;
            this.r = r;
            a = bed.vnet("left");
            b = bed.vnet("right");
            final Epair cable = bed.cable(a, b, Bed.ETHERNET);
            ifp = cable.b();
            record(open);
            Bed.up(cable, "10.0.0.1/24", "10.0.0.2/24");
            final Pinger pinger = new Pinger(a);
            pinger.ping("10.0.0.2", 100);
            pinger.ping("10.0.0.2", 4000);
            udp = Bed.udp(b);
            udp.bind(UDP);
            out = Bed.udp(a);
            out.connect(UDP);
            out.send(ByteBuffer.allocate(300));
            out.send(ByteBuffer.allocate(3000));
            head = Bed.listener(b, LISTENER, 16);
            head.setNonBlocking(true);
            final SocketFile visitor = Bed.tcp(a);
            visitor.connect(LISTENER);
            visitor.close();
            victim = bed.connection(a, b, VICTIM);
            exchange(victim);
            ifp.setBpf(null);
            witness = bed.connection(a, b, WITNESS);
            record(guarded);
            exchange(witness);
            ifp.setBpf(null);
            // Who lies about link addresses is believed; that is not tested here.
            Bed.config(a).setArp(cable.a(), "10.0.0.2", mac(cable.b()));
            Bed.config(b).setArp(cable.b(), "10.0.0.1", mac(cable.a()));
        }

        private static String mac(final Ifnet ifp) {
            return HexFormat.ofDelimiter(":").formatHex(ifp.lladdr());
        }

        private void record(final List<byte[]> into) {
            ifp.setBpf((i, m, outbound) -> {
                if (!outbound) {
                    final byte[] octets = new byte[m.pktLen()];
                    m.copyData(0, octets.length, octets, 0);
                    into.add(octets);
                }
            });
        }

        private void exchange(final SocketFile[] c) throws ErrnoException {
            final Flow there = new Flow(c[0], c[1], Long.MAX_VALUE, 1000);
            final Flow back = new Flow(c[1], c[0], Long.MAX_VALUE, 1000);
            while (there.received() < 5000 || back.received() < 5000) {
                there.sendSome();
                back.sendSome();
                bed.run();
                there.receiveSome();
                back.receiveSome();
            }
            // What is still under way must not mix with what the test sends.
            boolean busy = true;
            while (busy) {
                busy = there.receiveSome();
                busy |= back.receiveSome();
                busy |= bed.run();
            }
        }

        void inject(final byte[] octets) {
            final Mbuf m = r.nextBoolean() ? KitFrames.mbuf(b.pool(), octets)
                : KitFrames.pieces(b.pool(), octets, 1 + r.nextInt(120), r);
            m.rcvif(ifp);
            ifp.input(m);
            b.netisr().swi();
        }

        byte[] spoilt() {
            final Spoiler s = new Spoiler(r);
            return r.nextInt(4) == 0 ? s.unsummed(pick(guarded)) : s.any(pick(open));
        }

        private byte[] pick(final List<byte[]> from) {
            return from.get(r.nextInt(from.size())).clone();
        }

        /** Where frames end: under a drop reason, or with a protocol. */
        long accounted() {
            long n = 0;
            for (final DropReason reason : DropReason.values()) {
                n += b.drops(reason);
            }
            return n + b.counters().get("ip.delivered") + b.counters().get("ip.fragments")
                + b.counters().get("arp.received");
        }

        /** The connection nobody could forge still works, and so do the sockets. */
        void check() throws ErrnoException {
            final Flow there = new Flow(witness[0], witness[1], OCTETS, 4000);
            final Flow back = new Flow(witness[1], witness[0], OCTETS, 4000);
            bed.drive(there, back);
            final ByteBuffer in = ByteBuffer.allocate(10_000);
            udp.setNonBlocking(true);
            while (udp.receive(in.clear()) >= 0) {
                // whatever was taken for a datagram
            }
            final SocketFile fresh = Bed.udp(a);
            fresh.connect(UDP);
            fresh.send(ByteBuffer.wrap(new byte[] {1, 2, 3}));
            assertThat(udp.receive(in.clear())).isEqualTo(3);
            fresh.close();
            for (SocketFile child = head.accept(); child != null; child = head.accept()) {
                child.close();
            }
            final SocketFile late = Bed.tcp(a);
            late.setNonBlocking(true);
            late.connect(LISTENER);
            SocketFile child = head.accept();
            while (child == null) {
                assertThat(bed.step()).as("a new connection").isTrue();
                child = head.accept();
            }
            child.close();
            late.close();
        }

        void close() throws ErrnoException {
            for (final SocketFile so : new SocketFile[] {
                head, udp, out, victim[0], victim[1], witness[0], witness[1]}) {
                so.close();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void spoiltFrames_areCounted_andHarmNobodyElse(final long seed) {
        byte[] frame = {};
        try (Bed bed = new Bed(seed)) {
            final Scene scene = new Scene(bed, new SplittableRandom(seed));
            final long before = scene.accounted();
            for (int i = 0; i < FRAMES; i++) {
                frame = scene.spoilt();
                scene.inject(frame);
                if (i % 50 == 49) {
                    bed.advance(TimeUnit.MILLISECONDS.toNanos(200));
                }
            }
            frame = new byte[0];
            assertThat(scene.accounted() - before).isGreaterThanOrEqualTo(FRAMES);
            scene.check();
            scene.close();
            bed.advance(TimeUnit.MINUTES.toNanos(20));
            assertThat(bed.pool.outstanding()).isZero();
        } catch (final Exception | AssertionError e) {
            throw new AssertionError("-Dgatun.seed=" + seed + " frame " + HexFormat.of().formatHex(frame), e);
        }
    }
}
