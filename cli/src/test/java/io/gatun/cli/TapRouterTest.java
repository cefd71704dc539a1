package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two Linux hosts, each in a network namespace, with a Gatun router between them on two TAP devices. Skipped, with one
 * line that says so, where namespaces, /dev/net/tun or a program are not to be had.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class TapRouterTest {
    private static final int DATAGRAM = 1200;
    /** Packets of iperf3's own connection, and of neighbour discovery, in one run: at most. */
    private static final long CONTROL = 500;

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
     * Above what the router can do, each datagram that does not come through is counted where it was lost; at half of
     * what then came through the router and its queues lose none, and whatever the receiving program is too slow to
     * read, its own socket has counted.
     */
    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void iperf3_datagramsAboveAndBelowCapacity_noneLostUncounted(final int family) throws IOException {
        needs("iperf3");
        final Tally full = datagrams(family, "-b 0 -t 3");
        System.out.println("IPv" + family + " from tap to tap, as fast as the sender can: " + full);
        assertThat(full.forwarded + full.tapDrops + full.drops).as("%s", full)
            .isBetween(full.sent, full.sent + CONTROL);
        final long half = full.forwarded * DATAGRAM * Byte.SIZE / 3 / 2;
        final Tally below = datagrams(family, "-b " + half + " -t 4");
        System.out.println("IPv" + family + " from tap to tap at " + half / 1_000_000 + " Mbit/s: " + below);
        assertThat(below.tapDrops).as("%s", below).isZero();
        assertThat(below.drops).as("%s", below).isZero();
        assertThat(below.forwarded).as("%s", below).isBetween(below.sent, below.sent + CONTROL);
        assertThat(below.lost).as("%s", below).isEqualTo(below.unread);
    }

    /**
     * What became of the datagrams of one run.
     *
     * @param sent by the sending program
     * @param lost what the receiving program missed
     * @param forwarded by the router, iperf3's own control connection included
     * @param tapDrops dropped by the machine before the router's first TAP device
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
        final Process server = right.start("iperf3", "-s", "-1", "-" + family, "-p", "5203", "--forceflush");
        final BufferedReader said = new BufferedReader(
            new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
        String line = said.readLine();
        while (line != null && !line.contains("listening")) {
            line = said.readLine();
        }
        final String out = prints(left, 40, "iperf3 -" + family + " -c " + far(family) + " -p 5203 -u -l " + DATAGRAM
            + " " + how);
        final long sent = number(out, "/(\\d+) \\([^)]*\\) +sender");
        return tally(family, sent, number(out, "(\\d+)/\\d+ \\([^)]*\\) +receiver")).minus(before);
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
        return new Tally(sent, lost, number(counters, ip),
            number(prints(left, 10, "cat /sys/class/net/gtl/statistics/tx_dropped"), "(\\d+)"), drops,
            number(unread, family == 4 ? "Udp: \\d+ \\d+ \\d+ \\d+ (\\d+)" : "Udp6RcvbufErrors\\s+(\\d+)"));
    }

    /** The group of the first match; 0 where there is none. */
    private static long number(final String text, final String pattern) {
        final Matcher m = Pattern.compile(pattern).matcher(text);
        return m.find() ? Long.parseLong(m.group(1)) : 0;
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6})
    void iperf3_stream_through(final int family) throws IOException {
        needs("iperf3");
        final Process server = right.start("iperf3", "-s", "-1", "-" + family, "-p", "5202", "--forceflush");
        final BufferedReader said = new BufferedReader(
            new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
        String line = said.readLine();
        while (line != null && !line.contains("listening")) {
            line = said.readLine();
        }
        final String out = prints(left, 30, "iperf3 -" + family + " -c " + far(family) + " -p 5202 -n 50M");
        assertThat(out).contains("receiver");
    }
}
