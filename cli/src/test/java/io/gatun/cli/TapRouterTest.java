package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two Linux hosts, each in a network namespace, with a Gatun router between them on two TAP devices. Skipped, with one
 * line that says so, where namespaces, /dev/net/tun or a program are not to be had.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(WholeMachine.class)
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class TapRouterTest {
    private static final int DATAGRAM = 1200;
    /** Packets of iperf3's own connection, and of neighbour discovery, in one run: at most. */
    private static final long CONTROL = 500;
    /** Of a receiver: segments thrown away for want of room or time. */
    private static final Set<String> TCP_DROPS = Set.of("PruneCalled", "RcvPruned", "OfoPruned", "TCPBacklogDrop",
        "TCPRcvQDrop", "TCPOFODrop", "TCPZeroWindowDrop");
    /** Of a sender: repairs of what its peer has reported missing. A timer that came too soon is none. */
    private static final Set<String> TCP_HOLES = Set.of("TCPFastRetrans", "TCPSackRecovery", "TCPRenoRecovery",
        "TCPLostRetransmit");

    private OutputStream toRouter;
    private BufferedReader fromRouter;
    private Netns left;
    private Netns right;

    @BeforeAll
    void startRouter() throws IOException {
        final String why = Netns.unavailable();
        if (why != null) {
            System.out.println("SKIPPED: TAP router: " + why + " (it runs as root)");
            Assumptions.abort(why);
        }
        final long pid = ProcessHandle.current().pid();
        final String other = "gtr-r" + pid;
        left = Netns.create("gtr-l" + pid);
        right = Netns.create(other);
        final Process router = left.start(ServeProcess.java("io.gatun.cli.TapRouter",
            "gtl", "10.81.1.254/24", "fd81:1::fe/64", "gtr", "10.81.2.254/24", "fd81:2::fe/64"));
        toRouter = router.getOutputStream();
        fromRouter = new BufferedReader(new InputStreamReader(router.getInputStream(), StandardCharsets.UTF_8));
        assertThat(fromRouter.readLine()).isEqualTo("ready");
        prints(left, 10, "ip link set gtr netns " + other);
        host(left, "gtl", 1);
        host(right, "gtr", 2);
        // The router's addresses are checked for duplicates first.
        prints(left, 30, "for i in $(seq 100); do ping -6 -c 1 -W 1 -q fd81:2::1 >/dev/null && exit 0; done; exit 1");
    }

    private static void host(final Netns ns, final String tap, final int net) throws IOException {
        prints(ns, 10, "ip link set " + tap + " txqueuelen 10000 up; ip addr add 10.81." + net + ".1/24 dev " + tap
            + "; ip -6 addr add fd81:" + net + "::1/64 dev " + tap + " nodad; ip route add default via 10.81." + net
            + ".254; ip -6 route add default via fd81:" + net + "::fe");
    }

    @AfterAll
    void stopRouter() throws IOException {
        if (right != null) {
            right.close();
        }
        if (left != null) {
            left.close();
        }
    }

    private static String prints(final Netns ns, final int seconds, final String line) throws IOException {
        final Netns.Result r = ns.sh(seconds, "set -o pipefail; " + line);
        assertThat(r.status()).as("%s%n%s", line, r.out()).isZero();
        return r.out().trim();
    }

    private static void needs(final String program) {
        if (!Netns.has(program) && !Files.isExecutable(Path.of("/usr/sbin", program))) {
            System.out.println("SKIPPED: a test of the TAP router: " + program + " is not installed");
            Assumptions.abort(program + " is not installed");
        }
    }

    private static String far(final int family) {
        return family == 4 ? "10.81.2.1" : "fd81:2::1";
    }

    private static String hop(final int family) {
        return family == 4 ? "10.81.1.254" : "fd81:1::fe";
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void ping_toTheLargest_through(final int family) throws IOException {
        needs("ping");
        for (final int size : new int[] {0, 56, 1452, 1453, 8000, 65_507}) {
            prints(left, 20, "ping -" + family + " -q -n -c 3 -i 0.05 -W 5 -s " + size + " " + far(family));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void traceroute_showsTheRouter(final int family) throws IOException {
        needs("traceroute");
        final String out = prints(left, 30, "traceroute -" + family + " -n -w 2 -q 1 " + far(family));
        assertThat(out).contains(" 1  " + hop(family) + " ", " 2  " + far(family) + " ");
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void tracepath_showsTheRouterAndTheMtu(final int family) throws IOException {
        needs("tracepath");
        final String out = prints(left, 30, "tracepath -" + family + " -n " + far(family));
        assertThat(out).contains(hop(family)).contains(far(family)).contains("pmtu 1500");
    }

    /**
     * Above what the way can do, each datagram that does not come through is counted where it was lost; at half of what
     * then came through none is lost, from program to program.
     */
    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void iperf3_datagramsAboveAndBelowCapacity_noneLostBelow_noneUncountedAbove(final int family) throws IOException {
        needs("iperf3");
        final Tally full = datagrams(family, "-b 0 -t 3");
        System.out.println("IPv" + family + " from tap to tap, as fast as the sender can: " + full);
        assertThat(full.forwarded + full.tapDrops + full.drops).as("%s", full)
            .isBetween(full.sent, full.sent + CONTROL);
        final long half = (full.sent - full.lost) * DATAGRAM * Byte.SIZE / 3 / 2;
        final Tally below = datagrams(family, "-b " + half + " -t 4");
        System.out.println("IPv" + family + " from tap to tap at " + half / 1_000_000 + " Mbit/s: " + below);
        assertThat(below.sent).as("%s", below).isGreaterThan(1000);
        assertThat(below.tapDrops + below.drops + below.unread).as("%s", below).isZero();
        assertThat(below.forwarded).as("%s", below).isBetween(below.sent, below.sent + CONTROL);
        assertThat(below.lost).as("%s", below).isZero();
    }

    /** A stream goes as fast as its receiver takes it, not above capacity: nobody on its way drops anything. */
    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void iperf3_stream_comesThroughWithoutADrop(final int family) throws IOException {
        needs("iperf3");
        final Tally before = tally(family, 0, 0);
        final long dropsBefore = tcpExt(right, TCP_DROPS);
        final long holesBefore = tcpExt(left, TCP_HOLES);
        final String out = iperf3(family, "-n 200M");
        final Tally stream = tally(family, 0, 0).minus(before);
        final long again = number(out, "(\\d+) +sender");
        System.out.println("IPv" + family + " a stream of 200 MB from tap to tap: " + stream + ", sent again " + again
            + ", " + out.lines().filter(l -> l.contains("receiver")).findFirst().orElse("").trim());
        assertThat(out).contains("receiver");
        assertThat(stream.tapDrops + stream.drops).as("%s", stream).isZero();
        assertThat(tcpExt(right, TCP_DROPS)).as("dropped by the receiver").isEqualTo(dropsBefore);
        assertThat(tcpExt(left, TCP_HOLES)).as("the receiver has missed something: %s", out).isEqualTo(holesBefore);
    }

    /**
     * What became of the datagrams of one run.
     *
     * @param sent by the sending program
     * @param lost what the receiving program missed
     * @param forwarded by the router, iperf3's own control connection included
     * @param tapDrops dropped by the machine before the router's first TAP device, or behind its second
     * @param drops of the router, for whatever reason
     * @param unread dropped by the machine behind the router's second, as nobody read the socket
     */
    private record Tally(long sent, long lost, long forwarded, long tapDrops, long drops, long unread) {
        Tally minus(final Tally before) {
            return new Tally(sent, lost, forwarded - before.forwarded, tapDrops - before.tapDrops,
                drops - before.drops, unread - before.unread);
        }
    }

    private Tally datagrams(final int family, final String how) throws IOException {
        final Tally before = tally(family, 0, 0);
        final String out = iperf3(family, "-u -l " + DATAGRAM + " " + how + " -w " + largestBuffer());
        final long sent = number(out, "/(\\d+) \\([^)]*\\) +sender");
        return tally(family, sent, number(out, "(\\d+)/\\d+ \\([^)]*\\) +receiver")).minus(before);
    }

    /** Octets of the largest socket buffer the machine gives: a receiver that is not run for a while loses nothing. */
    private long largestBuffer() throws IOException {
        return Long.parseLong(prints(right, 10, "sort -n /proc/sys/net/core/[rw]mem_max | head -n 1"));
    }

    /** What the sender prints. The receiver comes before other work of the machine, as on a machine of its own. */
    private String iperf3(final int family, final String how) throws IOException {
        final String serve = "iperf3 -s -1 -" + family + " -p 5203 --forceflush";
        final Process server = right.start("bash", "-c",
            "chrt -f 1 true 2>/dev/null && exec chrt -f 1 " + serve + "; exec " + serve);
        final BufferedReader said = new BufferedReader(
            new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
        String line = said.readLine();
        while (line != null && !line.contains("listening")) {
            line = said.readLine();
        }
        final String out = prints(left, 60, "iperf3 -" + family + " -c " + far(family) + " -p 5203 " + how);
        // Behind all that still waits somewhere, lest the next receiver takes it for its own.
        prints(left, 30, "ping -" + family + " -q -n -c 1 -W 20 " + far(family));
        return out;
    }

    private Tally tally(final int family, final long sent, final long lost) throws IOException {
        toRouter.write('\n');
        toRouter.flush();
        final String counters = fromRouter.readLine();
        long drops = 0;
        for (final String c : counters.split(" ")) {
            // Frames to other hosts and groups reach a host that does not want them: nothing is lost.
            final boolean drop = c.startsWith("drop.") && !c.startsWith("drop.ether_not_for_us=");
            drops += drop ? number(c, "=(\\d+)") : 0;
        }
        final String ip = family == 4 ? " ip\\.forward=(\\d+)" : " ip6\\.forward=(\\d+)";
        final String unread = prints(right, 10, family == 4 ? "cat /proc/net/snmp" : "cat /proc/net/snmp6");
        final long tapDrops = number(prints(left, 10, "cat /sys/class/net/gtl/statistics/tx_dropped"), "(\\d+)")
            + number(prints(right, 10, "cat /sys/class/net/gtr/statistics/rx_dropped"), "(\\d+)");
        return new Tally(sent, lost, number(counters, ip), tapDrops, drops,
            number(unread, family == 4 ? "Udp: \\d+ \\d+ \\d+ \\d+ (\\d+)" : "Udp6RcvbufErrors\\s+(\\d+)"));
    }

    /** The sum of some counters of a machine's TCP. */
    private static long tcpExt(final Netns ns, final Set<String> which) throws IOException {
        final String[] lines = prints(ns, 10, "grep ^TcpExt: /proc/net/netstat").split("\n");
        final String[] names = lines[0].split(" ");
        final String[] values = lines[1].split(" ");
        long sum = 0;
        for (int i = 1; i < names.length; i++) {
            sum += which.contains(names[i]) ? Long.parseLong(values[i]) : 0;
        }
        return sum;
    }

    /** The group of the first match; 0 where there is none. */
    private static long number(final String text, final String pattern) {
        final Matcher m = Pattern.compile(pattern).matcher(text);
        return m.find() ? Long.parseLong(m.group(1)) : 0;
    }
}
