package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.drivers.wrap.Fault;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Octets that depend on their place arrive whole, both ways at once, over both families and under every lock strategy:
 * through loss, reordering, duplication and corruption, through segments cut anew and old text from anywhere, from
 * peers that renege on what they acknowledged selectively, at every edge of small windows, and while sequence numbers
 * go over the top. {@code -Dgatun.seed=N} runs another seed.
 */
class IntegrityTest {
    private static final long SEED = Long.getLong("gatun.seed", 1L);
    private static final int OCTETS = 300_000;
    private static final int ROUNDS = 100_000;
    private static final int BEFORE_WRAP = 100_000;
    private static final int CLIENT_PORT = 4000;
    private static final long ISN_TICK_NS = 4000;
    private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final String BASE = "net.inet.tcp.";

    /** Whose sequence numbers go over the top while data flows. */
    enum Wrap { NEITHER, LEFT, RIGHT }

    /** How losses are found. */
    enum Recovery {
        RACK(""), RFC6675("rack.enable"), NEWRENO("sack.enable"), NO_MAPS("map_limit");

        private final String off;

        Recovery(final String off) {
            this.off = off;
        }
    }

    private static Stream<Arguments> combinations(final Object... third) {
        return Stream.of(LockStrategy.values()).flatMap(s -> Stream.of(Family.values()).flatMap(
            f -> Stream.of(third).map(t -> Arguments.of(s, f, t))));
    }

    static Stream<Arguments> recoveries() {
        return combinations((Object[]) Recovery.values());
    }

    static Stream<Arguments> wraps() {
        return combinations((Object[]) Wrap.values());
    }

    static Stream<Arguments> buffers() {
        return combinations(2000, 5000, 20_000);
    }

    static Stream<Arguments> families() {
        return Stream.of(LockStrategy.values()).flatMap(s -> Stream.of(Family.values()).map(f -> Arguments.of(s, f)));
    }

    /** Two hosts, a cable between with a box around it, and one connection. */
    private static final class Scene implements AutoCloseable {
        private final Bed bed;
        private final Family family;
        private final Vnet a;
        private final Vnet b;
        private final Tamper[] tampers;
        private SocketFile[] c;

        Scene(final Bed bed, final Family family, final Fault.Config weather, final double overlap,
            final double renege) throws ErrnoException {
            this.bed = bed;
            this.family = family;
            a = bed.vnet("left");
            b = bed.vnet("right");
            final Epair cable = bed.cable(a, b, Bed.ETHERNET);
            Fault.wrap(cable.a(), weather);
            Fault.wrap(cable.b(), weather);
            tampers = Tamper.wrap(cable.a(), cable.b(), SEED, overlap, renege);
            family.up(cable);
        }

        SocketFile[] connect() throws ErrnoException {
            final SocketFile so = Bed.tcp(a, family.left(0).family());
            so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_REUSEADDR, 1);
            so.bind(family.left(CLIENT_PORT));
            c = bed.connection(so, b, family.right(Bed.PORT));
            return c;
        }

        /**
         * Initial sequence numbers grow with time: so one connection tells when the next will begin shortly before
         * the top.
         */
        void connect(final Wrap wrap) throws ErrnoException {
            connect();
            if (wrap == Wrap.NEITHER) {
                return;
            }
            final int iss = tampers[wrap == Wrap.LEFT ? 0 : 1].lo();
            c[0].setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0));
            c[0].close();
            c[1].close();
            bed.advance((-BEFORE_WRAP - iss & 0xffff_ffffL) * ISN_TICK_NS);
            for (final Tamper t : tampers) {
                t.forget();
            }
            connect();
        }

        @Override
        public void close() throws ErrnoException {
            c[0].close();
            c[1].close();
            bed.advance(TimeUnit.MINUTES.toNanos(3));
        }
    }

    private static Fault.Config weather(final double loss, final double reorder) {
        return new Fault.Config(SEED, loss, loss / 2, reorder, loss / 4, 5 * MS, 0, 2 * MS, 10_000);
    }

    private static Flow[] flows(final SocketFile[] c) {
        return new Flow[] {new Flow(c[0], c[1], OCTETS, 20_000), new Flow(c[1], c[0], OCTETS, 7777)};
    }

    @ParameterizedTest
    @MethodSource("recoveries")
    @Tag("RFC9293-MUST-2")
    void badWeather_everyOctetArrives(final LockStrategy strategy, final Family family, final Recovery recovery)
            throws Exception {
        try (Bed bed = new Bed(strategy, false, SEED)) {
            if (!recovery.off.isEmpty()) {
                bed.sysctl(BASE + recovery.off, "0");
            }
            try (Scene s = new Scene(bed, family, weather(0.03, 0.05), 0.1, 0)) {
                bed.drive(flows(s.connect()));
                assertThat(s.a.counters().get("tcp.sndrexmitpack")).isPositive();
                assertThat(s.tampers[0].overlaps()).isPositive();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("wraps")
    void overTheTop_everyOctetArrives(final LockStrategy strategy, final Family family, final Wrap wrap)
            throws Exception {
        try (Bed bed = new Bed(strategy, false, SEED).sysctl(BASE + "syncookies", "0");
             Scene s = new Scene(bed, family, weather(0.02, 0.05), 0.2, 0.1)) {
            s.connect(wrap);
            bed.drive(flows(s.c));
            if (wrap != Wrap.NEITHER) {
                assertThat(s.tampers[wrap == Wrap.LEFT ? 0 : 1].wrapped()).as("it went over the top").isTrue();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("recoveries")
    @Tag("RFC2018-8")
    void reneging_everyOctetArrives(final LockStrategy strategy, final Family family, final Recovery recovery)
            throws Exception {
        try (Bed bed = new Bed(strategy, false, SEED)) {
            if (!recovery.off.isEmpty()) {
                bed.sysctl(BASE + recovery.off, "0");
            }
            try (Scene s = new Scene(bed, family, weather(0.02, 0.05), 0.1, 0.2)) {
                bed.drive(flows(s.connect()));
                final long reneged = s.a.counters().get("tcp.sack_reneged");
                if (recovery == Recovery.RACK || recovery == Recovery.RFC6675) {
                    assertThat(s.tampers[0].forged() + s.tampers[1].forged()).isPositive();
                    assertThat(reneged + s.b.counters().get("tcp.sack_reneged")).isPositive();
                } else {
                    assertThat(reneged).isZero();
                }
            }
        }
    }

    /** The reader takes odd amounts when it likes, and its buffer is small, then smaller. */
    @ParameterizedTest
    @MethodSource("buffers")
    @Tag("RFC9293-SHLD-14")
    @Tag("RFC9293-MUST-34")
    @Tag("RFC7323-2.4")
    void windowEdges_everyOctetArrives(final LockStrategy strategy, final Family family, final int buffer)
            throws Exception {
        final SplittableRandom r = new SplittableRandom(SEED);
        try (Bed bed = new Bed(strategy, false, SEED);
             Scene s = new Scene(bed, family, weather(0.01, 0.02), 0.1, 0.05)) {
            final SocketFile[] c = s.connect();
            c[1].setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, buffer);
            final Flow f = new Flow(c[0], c[1], OCTETS / 2, 1 + r.nextInt(9000));
            int rounds = 0;
            while (!f.ended()) {
                assertThat(++rounds).as("rounds; %s", f).isLessThan(ROUNDS);
                while (f.sendSome() || bed.run()) {
                    // all that can be done without the reader
                }
                if (!bed.step() || r.nextInt(4) == 0) {
                    f.reads(1 + r.nextInt(buffer)).receiveSome();
                }
                if (r.nextInt(100) == 0) {
                    c[1].setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, buffer / 2 + r.nextInt(buffer));
                }
            }
            assertThat(f.received()).isEqualTo(OCTETS / 2);
            assertThat(s.b.counters().get("tcp.rcvpackafterwin") + s.b.counters().get("tcp.sndwinup")
                + s.a.counters().get("tcp.persisttimeo")).as("an edge was met").isPositive();
        }
    }

    /** With threads: whatever order locks and timers come in. */
    @ParameterizedTest
    @MethodSource("families")
    void threads_everyOctetArrives(final LockStrategy strategy, final Family family) throws Exception {
        try (Bed bed = new Bed(strategy, true, SEED)) {
            final Vnet a = bed.vnet("left");
            final Vnet b = bed.vnet("right");
            final Epair cable = bed.cable(a, b, Bed.ETHERNET);
            final Fault.Config weather = new Fault.Config(SEED, 0.005, 0.01, 0.05, 0.002, 0, 0, MS / 10, 10_000);
            Fault.wrap(cable.a(), weather);
            Fault.wrap(cable.b(), weather);
            family.up(cable);
            final SocketFile[] c = bed.connection(a, b, family.right(Bed.PORT));
            final List<FutureTask<Void>> tasks = new ArrayList<>();
            for (final Flow f : flows(c)) {
                tasks.add(start(f, true));
                tasks.add(start(f, false));
            }
            for (final FutureTask<Void> t : tasks) {
                t.get(60, TimeUnit.SECONDS);
            }
            c[0].close();
            c[1].close();
        }
    }

    private static FutureTask<Void> start(final Flow f, final boolean sends) {
        final FutureTask<Void> task = new FutureTask<>(() -> {
            if (sends) {
                f.sendAll();
            } else {
                f.receiveAll();
            }
            return null;
        });
        Thread.ofPlatform().daemon().start(task);
        return task;
    }
}
