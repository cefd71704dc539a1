package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.AcceptFilterArg;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The accept filters over TCP: what each holds back, and for how long. */
class AccfTest {
    private static final int PORT = 80;
    private static final int CLIENTS = 3;
    private static final int CONNECTIONS = 100;
    private static final int SPINS = 500;

    private Vnet vnet;

    @BeforeEach
    void start() throws Exception {
        start(LockStrategy.SPLIT);
    }

    private void start(final LockStrategy strategy) throws Exception {
        vnet = Vnet.builder().name("accf").clock(new VirtualClock()).seed(1).strict(true).lockStrategy(strategy)
            .pool(MbufPool.builder().small()).build();
        final Ifnet lo = vnet.ifnets().create("lo0");
        vnet.service(InetConfig.class).addAddress(lo, "127.0.0.1/8");
        lo.up();
    }

    @AfterEach
    void stop() {
        vnet.close();
    }

    private SocketFile socket() throws ErrnoException {
        return SocketFile.socket(vnet, SockAddr.AF_INET, SocketDefs.SOCK_STREAM, 0);
    }

    private SocketFile listener(final String filter) throws ErrnoException {
        final SocketFile l = socket();
        l.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_REUSEADDR, 1);
        l.bind(SockAddr.of("127.0.0.1", PORT));
        l.listen(16);
        l.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_ACCEPTFILTER, AcceptFilterArg.of(filter));
        return l;
    }

    private SocketFile client() throws ErrnoException {
        final SocketFile c = socket();
        c.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_NODELAY, 1);
        assertThat(c.connect(SockAddr.of("127.0.0.1", PORT))).isTrue();
        return c;
    }

    private static byte[] octets(final String latin1) {
        return latin1.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** How many octets of a request, sent one by one, it takes until accept has the connection; 0 for none. */
    private int releasedAfter(final String filter, final byte[] request) throws ErrnoException {
        try (SocketFile l = listener(filter); SocketFile c = client()) {
            assertThat(l.accept()).isNull();
            for (int n = 1; n <= request.length; n++) {
                c.send(ByteBuffer.wrap(request, n - 1, 1));
                final SocketFile child = l.accept();
                if (child != null) {
                    final ByteBuffer in = ByteBuffer.allocate(request.length);
                    assertThat(child.receive(in)).as("nothing was taken out").isEqualTo(n);
                    assertThat(in.flip()).isEqualTo(ByteBuffer.wrap(request, 0, n));
                    child.close();
                    return n;
                }
            }
            return 0;
        } finally {
            vnet.runUntilIdle();
        }
    }

    private void wholeOnly(final String filter, final String request) throws ErrnoException {
        at(request.length(), filter, request);
    }

    private void at(final int n, final String filter, final String request) throws ErrnoException {
        assertThat(releasedAfter(filter, octets(request))).as(HexFormat.of().formatHex(octets(request))).isEqualTo(n);
    }

    @ParameterizedTest
    @EnumSource
    void dataready_firstOctet_isEnough(final LockStrategy strategy) throws Exception {
        vnet.close();
        start(strategy);
        at(1, "dataready", "x");
    }

    @Test
    void httpready_wholeHeader() throws Exception {
        wholeOnly("httpready", "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        wholeOnly("httpready", "GET /a/b?c HTTP/1.0\n\n");
        wholeOnly("httpready", "HEAD / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n");
        at(0, "httpready", "GET / HTTP/1.1\r\nHost: a\r\n");
        at(1, "httpready", "POST / HTTP/1.1\r\n");
        at(4, "httpready", "GETS / HTTP/1.1\r\n");
        wholeOnly("httpready", "GET /\r\n");
        wholeOnly("httpready", "GET / HTTP/2.0\r\n");
        vnet.sysctl().set("net.inet.accf.http.parsehttpversion", "0");
        wholeOnly("httpready", "GET / HTTP/1.1\r\n");
    }

    @Test
    void dnsready_wholeMessage() throws Exception {
        wholeOnly("dnsready", "\0\u000eabcdefghijklmn");
        at(2, "dnsready", "\0\u000babc");
        at(0, "dnsready", "\u0001\0abc");
    }

    @Test
    void tlsready_wholeHandshakeRecord() throws Exception {
        wholeOnly("tlsready", "\u0016\u0003\u0001\0\u0004abcd");
        at(1, "tlsready", "GET / HTTP/1.1");
        at(2, "tlsready", "\u0016\u0002\u0001\0\u0004abcd");
        at(5, "tlsready", "\u0016\u0003\u0001@\u0001abcd");
    }

    @Test
    void connection_endedOrFullOrReset_isNotHeldForEver() throws Exception {
        for (final String filter : new String[] {"dataready", "httpready", "dnsready", "tlsready"}) {
            try (SocketFile l = listener(filter); SocketFile ended = client()) {
                ended.shutdown(SocketDefs.SHUT_WR);
                try (SocketFile child = l.accept()) {
                    assertThat(child).as(filter + ", ended").isNotNull();
                }
                try (SocketFile reset = client()) {
                    reset.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_LINGER,
                        new Linger(true, 0));
                }
                assertThat(l.getOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_LISTENINCQLEN)).isZero();
            }
            vnet.runUntilIdle();
        }
        try (SocketFile l = listener("httpready"); SocketFile c = client()) {
            c.so().setNonBlocking(true);
            final ByteBuffer endless = ByteBuffer.wrap(octets("GET /" + "a".repeat(4000)));
            SocketFile child = null;
            for (int i = 0; i < 1000 && child == null; i++) {
                c.send(endless.rewind());
                vnet.runUntilIdle();
                child = l.accept();
            }
            assertThat(child).as("full").isNotNull();
            child.close();
        }
    }

    @Test
    void random_octets_areHeldOrNot_andNothingIsThrown() throws Exception {
        final long seed = Long.getLong("gatun.seed", System.nanoTime());
        final SplittableRandom random = new SplittableRandom(seed);
        final String[] filters = {"dataready", "httpready", "dnsready", "tlsready"};
        final String alphabet = "GETHAD /P1.0\r\n\n\0\u0016\u0003";
        for (int i = 0; i < 300; i++) {
            final StringBuilder text = new StringBuilder(random.nextBoolean() ? "GET / HTTP/1.1" : "");
            for (int n = random.nextInt(40); n >= 0; n--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            final int n = releasedAfter(filters[i % filters.length], octets(text.toString()));
            assertThat(n).as("seed " + seed).isBetween(0, text.length());
        }
    }

    /**
     * Who connects sends an octet at once or a little later, and goes on when it has come back.
     *
     * @param toggled a listener whose filter comes and goes meanwhile, or null
     */
    private void converse(final int connections, final SocketFile toggled) throws ErrnoException {
        for (int i = 0; i < connections; i++) {
            if (toggled != null) {
                toggled.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_ACCEPTFILTER,
                    AcceptFilterArg.of(i % 2 == 0 ? "" : "dataready"));
            }
            try (SocketFile c = socket()) {
                c.connect(SockAddr.of("127.0.0.1", PORT));
                for (int spin = 0; spin < (i & 1) * SPINS; spin++) {
                    Thread.onSpinWait();
                }
                c.send(ByteBuffer.wrap(new byte[] {1}));
                assertThat(c.receive(ByteBuffer.allocate(1))).isEqualTo(1);
            }
        }
    }

    private static void answer(final SocketFile l, final int connections) throws ErrnoException {
        for (int i = 0; i < connections; i++) {
            try (SocketFile child = l.accept()) {
                final ByteBuffer in = ByteBuffer.allocate(1);
                assertThat(child.receive(in)).isEqualTo(1);
                child.send(in.flip());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void filter_comingAndGoing_underLoadOfOtherThreads_losesNobody(final LockStrategy strategy) throws Exception {
        vnet.close();
        vnet = Vnet.builder().name("accf").strict(true).lockStrategy(strategy).pool(MbufPool.builder().small()).build();
        final Ifnet lo = vnet.ifnets().create("lo0");
        vnet.service(InetConfig.class).addAddress(lo, "127.0.0.1/8");
        lo.up();
        try (SocketFile l = listener("dataready");
             ExecutorService threads = Executors.newFixedThreadPool(CLIENTS + 1)) {
            final List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                final SocketFile toggled = i == 0 ? l : null;
                clients.add(threads.submit(() -> {
                    converse(CONNECTIONS, toggled);
                    return null;
                }));
            }
            final Future<?> server = threads.submit(() -> {
                answer(l, CLIENTS * CONNECTIONS);
                return null;
            });
            for (final Future<?> client : clients) {
                client.get();
            }
            server.get();
        }
    }

    @Test
    void unknownFilter_isRefused() {
        assertThatThrownBy(() -> listener("nonsense")).isInstanceOfSatisfying(ErrnoException.class,
            e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
    }
}
