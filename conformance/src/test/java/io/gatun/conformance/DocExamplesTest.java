package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.drivers.wrap.Fault;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.AcceptFilter;
import io.gatun.spi.socket.AcceptFilterArg;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.Sockets;
import io.gatun.uipc.api.SocketFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the documentation shows compiles, runs and leads somewhere. The kits run its driver and its protocol. */
class DocExamplesTest {
    private static final Path ROOT = Path.of("..");
    private static final Path EXTENDING = ROOT.resolve("docs/EXTENDING.md");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)");
    private static final int PORT = 80;

    private static List<Path> pages() throws IOException {
        final List<Path> out = new ArrayList<>(List.of(ROOT.resolve("README.md"), ROOT.resolve("CONTRIBUTING.md")));
        try (DirectoryStream<Path> docs = Files.newDirectoryStream(ROOT.resolve("docs"), "*.md")) {
            docs.forEach(out::add);
        }
        return out;
    }

    @Test
    void pages_allTheirJava_compiles() throws IOException {
        int blocks = 0;
        for (final Path page : pages()) {
            if (!DocExamples.blocks(page).isEmpty()) {
                try (DocExamples examples = new DocExamples(page)) {
                    blocks += examples.blocks().size();
                }
            }
        }
        assertThat(blocks).isGreaterThanOrEqualTo(9);
    }

    @Test
    void pages_linksWithinTheProject_leadSomewhere() throws IOException {
        for (final Path page : pages()) {
            final Matcher m = LINK.matcher(Files.readString(page));
            while (m.find()) {
                assertThat(page.resolveSibling(m.group(1))).as(m.group() + " in " + page).exists();
            }
        }
    }

    @Test
    void readme_example_greets() throws Exception {
        final PrintStream before = System.out;
        final ByteArrayOutputStream said = new ByteArrayOutputStream();
        try (DocExamples readme = new DocExamples(ROOT.resolve("README.md"))) {
            System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
            readme.load("Hello").getMethod("main", String[].class).invoke(null, (Object) new String[0]);
        } finally {
            System.setOut(before);
        }
        assertThat(said.toString(StandardCharsets.UTF_8).strip()).isEqualTo("hello from example");
    }

    private static SocketFile socket(final Vnet vnet) throws Exception {
        return SocketFile.socket(vnet, SockAddr.AF_INET, SocketDefs.SOCK_STREAM, 0);
    }

    @Test
    void acceptFilter_shown_waitsForALine() throws Exception {
        try (DocExamples page = new DocExamples(EXTENDING);
             Vnet vnet = Vnet.builder().clock(new VirtualClock()).seed(1).build()) {
            final AcceptFilter filter = page.make(AcceptFilter.class, "example.LineReady");
            assertThat(Sockets.of(vnet).acceptFilters().add(filter)).isEqualTo(Errno.OK);
            final Ifnet lo = vnet.ifnets().create("lo0");
            vnet.service(InetConfig.class).addAddress(lo, "127.0.0.1/8");
            lo.up();
            try (SocketFile listener = socket(vnet); SocketFile client = socket(vnet)) {
                listener.bind(SockAddr.of("127.0.0.1", PORT));
                listener.listen(1);
                listener.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_ACCEPTFILTER,
                    AcceptFilterArg.of("lineready"));
                client.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_NODELAY, 1);
                client.connect(SockAddr.of("127.0.0.1", PORT));
                client.send(ByteBuffer.wrap("half".getBytes(StandardCharsets.US_ASCII)));
                assertThat(listener.accept()).isNull();
                client.send(ByteBuffer.wrap(" a line\n".getBytes(StandardCharsets.US_ASCII)));
                vnet.runUntilIdle();
                try (SocketFile server = listener.accept()) {
                    assertThat(server).isNotNull();
                }
            }
        }
    }

    @Test
    void congestionControl_shown_bringsAFileOverALossyLink() throws Exception {
        try (DocExamples page = new DocExamples(EXTENDING)) {
            final ClassLoader loader = page.providing(CcAlgo.class, "example.Halving");
            final VirtualClock clock = new VirtualClock();
            try (Vnet a = Vnet.builder().clock(clock).seed(1).classLoader(loader).build();
                 Vnet b = Vnet.builder().clock(clock).seed(2).build()) {
                assertThat(a.sysctl().find("net.inet.tcp.cc.available").getString()).contains("halving");
                assertThat(a.sysctl().set("net.inet.tcp.cc.algorithm", "halving")).isEqualTo(Errno.OK);
                final Epair cable = Epair.join(a, b, 0, new Epair.Config(1500, 4096, false, false));
                Fault.wrap(cable.a(), Fault.Config.lossAndReorder(1, 0.02, 0.01));
                a.service(InetConfig.class).addAddress(cable.a(), "10.0.0.1/24");
                b.service(InetConfig.class).addAddress(cable.b(), "10.0.0.2/24");
                cable.a().up();
                cable.b().up();
                try (SocketFile listener = socket(b); SocketFile client = socket(a)) {
                    listener.bind(SockAddr.of("10.0.0.2", PORT));
                    listener.listen(1);
                    client.so().setNonBlocking(true);
                    client.connect(SockAddr.of("10.0.0.2", PORT));
                    bring(clock, a, b, client, listener);
                }
                assertThat(a.counters().get("tcp.sndrexmitpack")).as("something was lost").isPositive();
            }
        }
    }

    private static void bring(
        final VirtualClock clock, final Vnet a, final Vnet b, final SocketFile client, final SocketFile listener)
            throws Exception {
        final ByteBuffer content = ByteBuffer.allocate(1 << 20);
        final ByteBuffer got = ByteBuffer.allocate(1 << 20);
        SocketFile server = null;
        for (int i = 0; i < 200_000 && got.hasRemaining(); i++) {
            a.runUntilIdle();
            b.runUntilIdle();
            if (content.hasRemaining() && (client.so().state() & SocketDefs.SS_ISCONNECTED) != 0) {
                client.send(content, SocketDefs.MSG_DONTWAIT);
            }
            server = server == null ? listener.accept() : server;
            if (server != null) {
                server.receive(got, SocketDefs.MSG_DONTWAIT);
            }
            clock.advance(1_000_000);
        }
        assertThat(got.hasRemaining()).isFalse();
        server.close();
    }
}
