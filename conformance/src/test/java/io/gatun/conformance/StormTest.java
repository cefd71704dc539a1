package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.tcp.Sadb;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * TCP while anything may fail at any moment, requests for mbufs first of all, and its users do what they like in any
 * order: after each event everything that TCP notes of a connection agrees (it asserts that itself), and when the
 * storm is over each connection delivers what was sent, octet by octet, or ends because somebody wanted it to. None is
 * stuck, none is left.
 *
 * <p>{@code -Dgatun.fuzz.rounds=N} storms, a few by default, with seeds from {@code -Dgatun.fuzz.first} on; {@code
 * -Dgatun.seed=N} runs one.
 */
class StormTest {
    private static final int ROUNDS = Integer.getInteger("gatun.fuzz.rounds", 24);
    private static final int FIRST = Integer.getInteger("gatun.fuzz.first", 0);
    private static final int CONNECTIONS = 6;
    private static final int CLIENT_PORT = 4000;
    private static final int TUNNEL = 9899;
    private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long PATIENCE_NS = TimeUnit.HOURS.toNanos(2);
    private static final String[] CC = {"newreno", "cubic", "dctcp"};

    /** The hosts' users, at random. */
    private static final class Users {
        private final Bed bed;
        private final SplittableRandom r;
        private final StormNet net;
        private final boolean md5;
        private final boolean inline;
        private final List<SocketFile> heads = new ArrayList<>();
        private final List<StormEnd> ends = new ArrayList<>();
        private final Map<Integer, StormEnd> clients = new HashMap<>();
        private int opened;

        Users(final Bed bed, final SplittableRandom r) throws ErrnoException {
            this.bed = bed;
            this.r = r;
            net = new StormNet(bed, r);
            md5 = r.nextInt(8) == 0;
            inline = r.nextInt(3) != 0;
            for (final boolean six : new boolean[] {false, true}) {
                final SockAddr at = SockAddr.of(net.to(six), Bed.PORT);
                if (md5) {
                    keys(net.left, six);
                    keys(net.right, six);
                }
                final SocketFile head = Bed.tcp(net.right, at.family());
                options(head);
                head.bind(at);
                head.listen(r.nextInt(4) == 0 ? 1 : 16);
                head.setNonBlocking(true);
                heads.add(head);
            }
        }

        private void keys(final Vnet v, final boolean six) {
            final SockAddr a = SockAddr.of(StormNet.from(six), 0);
            final SockAddr b = SockAddr.of(net.to(six), 0);
            v.service(Sadb.class).add(a, b, Sadb.TCP_SIG_SPI, new byte[] {1, 2, 3});
            v.service(Sadb.class).add(b, a, Sadb.TCP_SIG_SPI, new byte[] {1, 2, 3});
        }

        private void options(final SocketFile so) throws ErrnoException {
            so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_REUSEADDR, 1);
            so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_OOBINLINE, inline ? 1 : 0);
            if (md5) {
                so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_MD5SIG, 1);
            }
            if (r.nextInt(3) == 0) {
                fastopen(so);
            }
            if (r.nextInt(6) == 0) {
                so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_MAX_PACING_RATE, r.nextInt(20_000, 5_000_000));
            }
        }

        private static void fastopen(final SocketFile so) throws ErrnoException {
            try {
                so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_FASTOPEN, 1);
            } catch (final ErrnoException e) {
                assertThat(e.errno()).as("it is off at present").isEqualTo(Errno.EPERM);
            }
        }

        void step() throws ErrnoException {
            if (opened < CONNECTIONS && r.nextInt(8) == 0) {
                open();
            }
            accept();
            if (!ends.isEmpty()) {
                act(ends.get(r.nextInt(ends.size())));
            }
            if (r.nextInt(6) == 0) {
                net.shake();
            }
            if (r.nextInt(3) != 0) {
                bed.run();
            }
            if (r.nextInt(4) == 0) {
                bed.advance(r.nextInt(r.nextInt(10) == 0 ? 3000 : 60) * MS);
            }
        }

        private void open() throws ErrnoException {
            final boolean six = r.nextBoolean();
            final int port = CLIENT_PORT + opened++;
            final SockAddr to = SockAddr.of(net.to(six), Bed.PORT);
            final SocketFile so = Bed.tcp(net.left, to.family());
            options(so);
            if (net.tunneled && r.nextBoolean()) {
                so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_REMOTE_UDP_ENCAPS_PORT, TUNNEL);
            }
            so.bind(SockAddr.of(StormNet.from(six), port));
            final StormEnd c = new StormEnd(net, so, 2 * port, true, inline);
            ends.add(c);
            clients.put(port, c);
            try {
                if (r.nextInt(3) == 0) {
                    c.send(r.nextInt(1, 4000), false, to);
                } else {
                    so.connect(to);
                }
            } catch (final ErrnoException e) {
                c.failed(e, "connect");
                c.close(false);
            }
        }

        private boolean accept() {
            boolean any = false;
            for (final SocketFile head : heads) {
                try {
                    final SockAddr from = new SockAddr();
                    final SocketFile so = head.accept(from);
                    if (so != null) {
                        final StormEnd c = clients.get(from.port());
                        final StormEnd s = new StormEnd(net, so, 2 * from.port() + 1, false, inline);
                        ends.add(s);
                        pair(c, s);
                        any = true;
                    }
                } catch (final ErrnoException e) {
                    assertThat(e.errno().name()).isIn("ECONNABORTED", "ENOBUFS", "ECONNRESET");
                }
            }
            return any;
        }

        private static void pair(final StormEnd c, final StormEnd s) {
            final boolean first = !c.paired();
            s.peer = c;
            if (first) {
                c.peer = s;
            }
            if (!first || !c.mayTalk() || c.isExcused()) {
                s.excuse();
            }
        }

        private void act(final StormEnd e) {
            if (e.isClosed()) {
                return;
            }
            switch (r.nextInt(40)) {
                case 0 -> e.shutdown(SocketDefs.SHUT_WR);
                case 1 -> e.shutdown(r.nextInt(8) == 0 ? r.nextInt(3) : SocketDefs.SHUT_WR);
                case 2 -> close(e);
                case 3, 4 -> e.send(r.nextInt(1, 300), true, null);
                case 5 -> e.receiveUrgent();
                case 6 -> e.option(InDefs.IPPROTO_TCP, InDefs.TCP_NODELAY, r.nextInt(2));
                case 7 -> e.option(InDefs.IPPROTO_TCP, InDefs.TCP_NOPUSH, r.nextInt(2));
                case 8 -> e.option(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, r.nextInt(1000, 60_000));
                case 9 -> e.option(SocketDefs.SOL_SOCKET, SocketDefs.SO_SNDBUF, r.nextInt(1000, 60_000));
                case 10 -> e.option(InDefs.IPPROTO_TCP, InDefs.TCP_CONGESTION, CC[r.nextInt(CC.length)]);
                case 11 -> e.option(SocketDefs.SOL_SOCKET, SocketDefs.SO_MAX_PACING_RATE,
                    r.nextInt(3) == 0 ? -1 : r.nextInt(20_000, 5_000_000));
                case 12 -> e.option(InDefs.IPPROTO_TCP, InDefs.TCP_MAXSEG, r.nextInt(300, 1400));
                case 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23 -> e.receive(r.nextInt(1, 40_000));
                default -> e.send(r.nextInt(1, r.nextInt(3) == 0 ? 40_000 : 2000), false, null);
            }
        }

        private void close(final StormEnd e) {
            if (r.nextInt(4) == 0) {
                e.close(r.nextInt(3) == 0);
            }
        }

        /** All is sent and read. */
        void peace() throws ErrnoException {
            net.calm();
            final long until = bed.clock.nanoTime() + PATIENCE_NS;
            while (!ends.stream().allMatch(StormEnd::over)) {
                boolean progress = accept();
                for (final StormEnd e : List.copyOf(ends)) {
                    if (!e.over()) {
                        e.shutdownWhenDue();
                        progress |= e.receive(40_000);
                    }
                }
                progress |= bed.run();
                if (!progress && (!bed.step() || bed.clock.nanoTime() > until)) {
                    throw new AssertionError("stuck: " + ends.stream().filter(e -> !e.over()).toList());
                }
            }
            for (final StormEnd e : ends) {
                if (!e.isClosed()) {
                    e.close(false);
                }
            }
            for (final SocketFile head : heads) {
                head.close();
            }
            bed.advance(PATIENCE_NS);
            for (final Vnet v : new Vnet[] {net.left, net.right}) {
                assertThat(v.sysctl().find("net.inet.tcp.pcbcount").getString()).as("connections left").isEqualTo("0");
            }
        }
    }

    private static void run(final long seed) {
        final LockStrategy strategy = LockStrategy.values()[(int) (seed % LockStrategy.values().length)];
        final SplittableRandom r = new SplittableRandom(seed);
        StormNet net = null;
        try (Bed bed = new Bed(strategy, false, seed)) {
            final Users users = new Users(bed, r);
            net = users.net;
            final int steps = r.nextInt(50, 600);
            for (int i = 0; i < steps; i++) {
                users.step();
            }
            users.peace();
        } catch (final Exception | AssertionError e) {
            throw new AssertionError("-Dgatun.seed=" + seed + (net == null ? "" : net.describe()), e);
        }
    }

    /** Storms that have found something. */
    @ParameterizedTest
    @ValueSource(longs = {29, 96, 103, 742, 772})
    void onceFound_staysMended(final long seed) {
        run(seed);
    }

    @Test
    void anythingFails_thenPeace_allArrivesOrIsOver() {
        final Long given = Long.getLong("gatun.seed");
        if (given != null) {
            run(given);
            return;
        }
        for (int seed = FIRST; seed < FIRST + ROUNDS; seed++) {
            run(seed);
        }
        System.out.println("storms: seeds " + FIRST + " to " + (FIRST + ROUNDS - 1));
    }
}
