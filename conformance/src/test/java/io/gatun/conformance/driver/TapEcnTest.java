package io.gatun.conformance.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.conformance.netsim.Pattern;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

/** ECN with the kernel's TCP, either end asking, across a tap. */
@EnabledOnOs(OS.LINUX)
@ExtendWith(InNamespace.class)
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class TapEcnTest {
    private static final String KERNEL = "10.99.0.1";
    private static final String GATUN = "10.99.0.2";
    private static final int PORT = 5001;
    private static final int OCTETS = 4_000_000;
    private static final int WRITE = 50_000;

    private static Vnet vnet() throws ErrnoException, IOException {
        final Path kernelEcn = Path.of("/proc/sys/net/ipv4/tcp_ecn");
        if (!Files.isWritable(kernelEcn)) {
            System.out.println("SKIPPED: ECN with the kernel: " + kernelEcn + " cannot be written");
            Assumptions.abort("no way to switch the kernel's ECN on");
        }
        Files.writeString(kernelEcn, "1");
        final Vnet v = Vnet.builder().name("ecn").sysctl("net.inet.tcp.ecn.enable", "1").build();
        final Ifnet tap = v.ifnets().create("tap0", Map.of("name", "gatun0", "host-address", KERNEL + "/24"));
        v.service(InetConfig.class).addAddress(tap, GATUN + "/24");
        tap.up();
        return v;
    }

    /** A counter of the kernel's, of this thread's namespace. */
    static long kernel(final String name) throws IOException {
        final List<String> lines = Files.readAllLines(Path.of("/proc/thread-self/net/netstat"));
        for (int i = 0; i + 1 < lines.size(); i += 2) {
            final int at = Arrays.asList(lines.get(i).split(" ")).indexOf(name);
            if (at > 0) {
                return Long.parseLong(lines.get(i + 1).split(" ")[at]);
            }
        }
        throw new AssertionError("the kernel has no " + name);
    }

    private static int options(final SocketFile so) throws ErrnoException {
        return so.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class).options();
    }

    /** Data both ways at once would need two threads of the namespace: one way, then the other. */
    private static void exchange(final SocketFile gatun, final Socket kernel) throws ErrnoException, IOException {
        assertThat(options(gatun) & TcpInfo.TCPI_OPT_ECN).isNotZero();
        final Pattern pattern = new Pattern(WRITE);
        final byte[] octets = new byte[WRITE];
        final MemorySegment in = Arena.ofAuto().allocate(WRITE);
        final InputStream from = kernel.getInputStream();
        for (int done = 0; done < OCTETS; done += WRITE) {
            assertThat(gatun.send(pattern.segment(), pattern.offset(done), WRITE, 0)).isEqualTo(WRITE);
            assertThat(from.readNBytes(octets, 0, WRITE)).isEqualTo(WRITE);
            pattern.check(MemorySegment.ofArray(octets), WRITE, done);
        }
        for (int done = 0; done < OCTETS; done += WRITE) {
            MemorySegment.copy(pattern.segment(), pattern.offset(done), MemorySegment.ofArray(octets), 0, WRITE);
            kernel.getOutputStream().write(octets);
            for (long got = 0; got < WRITE;) {
                final long n = gatun.receive(in, 0, WRITE - got, 0);
                assertThat(n).isPositive();
                pattern.check(in, n, done + got);
                got += n;
            }
        }
    }

    private static void check(final Vnet v, final long before) throws IOException {
        assertThat(kernel("InECT0Pkts") - before).as("what the kernel saw marked").isPositive();
        assertThat(v.counters().get("tcp.ecn_sndect0")).isPositive();
        assertThat(v.counters().get("tcp.ecn_rcvect0")).as("what the kernel marked").isPositive();
        assertThat(v.counters().get("tcp.ecn_shs")).isEqualTo(1);
    }

    @Test
    void gatunAsks_kernelGrants() throws ErrnoException, IOException {
        try (Vnet v = vnet(); ServerSocket listener = new ServerSocket()) {
            listener.bind(new InetSocketAddress(InetAddress.getByName(KERNEL), PORT));
            final long before = kernel("InECT0Pkts");
            try (SocketFile so = SocketFile.socket(v, SockAddr.AF_INET, SocketDefs.SOCK_STREAM, 0)) {
                so.connect(SockAddr.of(KERNEL, PORT));
                try (Socket peer = listener.accept()) {
                    exchange(so, peer);
                }
            }
            check(v, before);
        }
    }

    @Test
    void kernelAsks_gatunGrants() throws ErrnoException, IOException {
        try (Vnet v = vnet(); SocketFile head = SocketFile.socket(v, SockAddr.AF_INET, SocketDefs.SOCK_STREAM, 0)) {
            head.bind(SockAddr.of(GATUN, PORT));
            head.listen(1);
            final long before = kernel("InECT0Pkts");
            try (Socket peer = new Socket(GATUN, PORT); SocketFile so = head.accept()) {
                exchange(so, peer);
            }
            check(v, before);
        }
    }
}
