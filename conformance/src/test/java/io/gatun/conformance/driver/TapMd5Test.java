package io.gatun.conformance.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.InetConfig;
import io.gatun.netinet.tcp.Sadb;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

/** Signed connections with the kernel's TCP, either end opening, across a tap. */
@EnabledOnOs(OS.LINUX)
@ExtendWith(InNamespace.class)
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class TapMd5Test {
    private static final String KERNEL = "10.99.0.1";
    private static final String GATUN = "10.99.0.2";
    private static final int PORT = 5001;
    private static final int OCTETS = 200_000;
    private static final byte[] KEY = "secret".getBytes(StandardCharsets.US_ASCII);
    /** A socket with the key, as struct tcp_md5sig wants it; says "no" where the kernel has no signatures. */
    private static final String SOCKET = """
        import socket, struct, sys
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        a = struct.pack("=HH", socket.AF_INET, 0) + socket.inet_aton("%s") + b"\\0" * 120
        try:
            s.setsockopt(6, 14, struct.pack("=128sBBHi80s", a, 0, 0, 6, 0, b"secret"))
        except OSError:
            print("no", flush=True)
            sys.exit(0)
        """.formatted(GATUN);
    private static final String ECHO = """
        n = 0
        while n < %d:
            b = c.recv(65536)
            if not b:
                sys.exit("ended after %%d" %% n)
            c.sendall(b)
            n += len(b)
        """.formatted(OCTETS);
    private static final String SERVER = SOCKET + """
        s.bind(("%s", %d))
        s.listen(1)
        print("ready", flush=True)
        c, peer = s.accept()
        """.formatted(KERNEL, PORT) + ECHO;
    private static final String CLIENT = SOCKET + """
        print("ready", flush=True)
        s.connect(("%s", %d))
        c = s
        """.formatted(GATUN, PORT) + ECHO;

    private static Vnet vnet() throws ErrnoException {
        final Vnet v = Vnet.builder().name("md5").build();
        final Ifnet tap = v.ifnets().create("tap0", Map.of("name", "gatun0", "host-address", KERNEL + "/24"));
        v.service(InetConfig.class).addAddress(tap, GATUN + "/24");
        tap.up();
        final Sadb sadb = v.service(Sadb.class);
        assertThat(sadb.add(SockAddr.of(KERNEL, 0), SockAddr.of(GATUN, 0), 1, KEY)).isEqualTo(Errno.OK);
        assertThat(sadb.add(SockAddr.of(GATUN, 0), SockAddr.of(KERNEL, 0), 1, KEY)).isEqualTo(Errno.OK);
        return v;
    }

    private static SocketFile socket(final Vnet v) throws ErrnoException {
        final SocketFile so = SocketFile.socket(v, SockAddr.AF_INET, SocketDefs.SOCK_STREAM, 0);
        so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_MD5SIG, 1);
        return so;
    }

    private static Process start(final String program) throws IOException {
        final Process p = TapFastopenTest.python(program);
        final String said =
            new BufferedReader(new InputStreamReader(p.getInputStream(), StandardCharsets.US_ASCII)).readLine();
        if ("no".equals(said)) {
            System.out.println("SKIPPED: signatures with the kernel's TCP: it has none");
            Assumptions.abort("the kernel has no TCP_MD5SIG");
        }
        assertThat(said).isEqualTo("ready");
        return p;
    }

    private static void exchange(final Vnet v, final SocketFile so, final Process peer)
            throws ErrnoException, IOException, InterruptedException {
        final byte[] out = new byte[OCTETS];
        for (int i = 0; i < OCTETS; i++) {
            out[i] = (byte) (i * 31 ^ i >> 8);
        }
        final ByteBuffer in = ByteBuffer.allocate(OCTETS);
        for (int done = 0; done < OCTETS; done += 20_000) {
            assertThat(so.send(ByteBuffer.wrap(out, done, 20_000))).isEqualTo(20_000);
            while (in.position() < done + 20_000) {
                assertThat(so.receive(in)).isPositive();
            }
        }
        assertThat(in.array()).isEqualTo(out);
        assertThat(peer.waitFor()).as(new String(peer.getErrorStream().readAllBytes(), StandardCharsets.US_ASCII))
            .isZero();
        assertThat(v.counters().get("tcp.sig_rcvgoodsig")).isGreaterThan(20);
        assertThat(v.counters().get("tcp.sig_rcvbadsig")).isZero();
    }

    @Test
    void gatunOpens() throws ErrnoException, IOException, InterruptedException {
        try (Vnet v = vnet(); SocketFile so = socket(v)) {
            final Process server = start(SERVER);
            so.connect(SockAddr.of(KERNEL, PORT));
            exchange(v, so, server);
        }
    }

    @Test
    void kernelOpens() throws ErrnoException, IOException, InterruptedException {
        try (Vnet v = vnet(); SocketFile head = socket(v)) {
            head.bind(SockAddr.of(GATUN, PORT));
            head.listen(1);
            final Process client = start(CLIENT);
            try (SocketFile so = head.accept()) {
                exchange(v, so, client);
            }
        }
    }
}
