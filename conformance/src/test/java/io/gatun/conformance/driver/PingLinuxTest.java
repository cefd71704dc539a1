package io.gatun.conformance.driver;

import static io.gatun.spi.socket.InDefs.IPPROTO_ICMP;
import static io.gatun.spi.socket.InDefs.IPPROTO_ICMPV6;
import static io.gatun.spi.socket.SockAddr.AF_INET;
import static io.gatun.spi.socket.SockAddr.AF_INET6;
import static io.gatun.spi.socket.SocketDefs.SOCK_RAW;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.Icmp6Filter;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.uipc.api.SocketFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

/** Echo requests between this stack, by a raw socket, and Linux, over a tap: both ways, both families, all sizes. */
@EnabledOnOs(OS.LINUX)
@ExtendWith(InNamespace.class)
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class PingLinuxTest {
    private static final int ECHO = 8;
    private static final int ECHO6 = 128;
    private static final int REPLY6 = 129;
    private static final long PATIENCE_NS = 60_000_000_000L;
    private static final int[] SIZES = {0, 1, 56, 1452, 1472, 1473, 9000, 65_000, 65_507};
    /** Linux sends no larger ones over IPv6: 65,535 with the header of ICMP. */
    private static final int LARGEST6 = 65_527;

    /** Runs a program in the namespace of this thread, which its children share. */
    private static String run(final String... command) throws IOException {
        final Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        final String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            assertThat(p.waitFor()).as("%s%n%s", String.join(" ", command), out).isZero();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return out;
    }

    private static void needs(final String program) {
        try {
            new ProcessBuilder(program, "-V").redirectErrorStream(true).start().destroy();
        } catch (final IOException e) {
            System.out.println("SKIPPED: pings with Linux: " + program + " is not installed");
            Assumptions.abort(program + " is not installed");
        }
    }

    private static Vnet stack() throws Exception {
        final Vnet v = Vnet.builder().name("pinger").strict(true).build();
        final Ifnet tap = v.ifnets().create("tap0", Map.of("host-address", "10.77.0.1/24"));
        v.sysctl().set("net.inet6.ip6.dad_count", "0");
        final InetConfig config = v.service(InetConfig.class);
        config.addAddress(tap, "10.77.0.2/24");
        config.addAddress(tap, "fd77::2/64");
        run("ip", "-6", "addr", "add", "fd77::1/64", "dev", "gatun0", "nodad");
        return v;
    }

    private static SocketFile raw(final Vnet v, final int family, final int proto) throws Exception {
        final SocketFile f = SocketFile.socket(v, family, SOCK_RAW, proto);
        f.setOption(SOL_SOCKET, SocketDefs.SO_SNDBUF, 200_000);
        f.setOption(SOL_SOCKET, SocketDefs.SO_RCVBUF, 200_000);
        f.setOption(SOL_SOCKET, SocketDefs.SO_RCVTIMEO, PATIENCE_NS);
        return f;
    }

    private static byte[] request(final int type, final int seq, final int octets) {
        final byte[] b = new byte[8 + octets];
        for (int i = 8; i < b.length; i++) {
            b[i] = (byte) (i * 31);
        }
        b[0] = (byte) type;
        b[4] = 0x47;
        b[7] = (byte) seq;
        if (type == ECHO) {
            int sum = 0;
            for (int i = 0; i < b.length; i++) {
                sum += (i & 1) == 0 ? (b[i] & 0xff) << 8 : b[i] & 0xff;
                sum = (sum & 0xffff) + (sum >>> 16);
            }
            b[2] = (byte) (~sum >>> 8);
            b[3] = (byte) ~sum;
        }
        return b;
    }

    private static void ping(final SocketFile f, final SockAddr to, final int type, final int header)
            throws Exception {
        final ByteBuffer in = ByteBuffer.allocateDirect(70_000);
        final SockAddr from = new SockAddr();
        int seq = 0;
        for (final int n : SIZES) {
            final byte[] question = request(type, ++seq, n);
            assertThat(f.sendto(ByteBuffer.wrap(question), 0, to)).isEqualTo(question.length);
            assertThat(f.recvfrom(in.clear(), 0, from)).as("%d octets from %s", n, to).isEqualTo(header + 8 + n);
            final byte[] answer = new byte[8 + n];
            in.flip().position(header).get(answer);
            assertThat(answer[0]).isEqualTo((byte) (type == ECHO ? 0 : REPLY6));
            assertThat(Arrays.copyOfRange(answer, 4, answer.length))
                .isEqualTo(Arrays.copyOfRange(question, 4, question.length));
            assertThat(from).isEqualTo(to);
        }
    }

    @Test
    void rawSocket_pingsLinux_bothFamilies_allSizes() throws Exception {
        needs("ip");
        try (Vnet v = stack(); SocketFile four = raw(v, AF_INET, IPPROTO_ICMP);
             SocketFile six = raw(v, AF_INET6, IPPROTO_ICMPV6)) {
            six.setOption(IPPROTO_ICMPV6, InDefs.ICMP6_FILTER, new Icmp6Filter().setBlockAll().setPass(REPLY6));
            ping(four, SockAddr.of("10.77.0.1", 0), ECHO, 20);
            ping(six, SockAddr.of("fd77::1", 0), ECHO6, 0);
        }
    }

    @Test
    void linux_pingsThisStack_bothFamilies_allSizes() throws Exception {
        needs("ip");
        needs("ping");
        try (Vnet v = stack()) {
            assertThat(v.ifnets().byName("tap0")).isNotNull();
            for (final int n : SIZES) {
                run("ping", "-4", "-q", "-n", "-c", "2", "-i", "0.1", "-W", "5", "-s", "" + n, "10.77.0.2");
                run("ping", "-6", "-q", "-n", "-c", "2", "-i", "0.1", "-W", "5", "-s", "" + n, "fd77::2");
            }
            run("ping", "-6", "-q", "-n", "-c", "1", "-W", "5", "-s", "" + LARGEST6, "fd77::2");
        }
    }
}
