package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The network layer of {@code gatun serve} beside Linux, in a namespace of each test's own. Skipped, with one line that
 * says so, where namespaces or /dev/net/tun are not to be had.
 */
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class TapInetTest {
    @TempDir
    private Path dir;
    private Netns ns;

    @BeforeEach
    void makeNamespace() throws IOException {
        final String why = Netns.unavailable();
        if (why != null) {
            System.out.println("SKIPPED: TAP network layer: " + why + " (it runs as root)");
            Assumptions.abort(why);
        }
        ns = Netns.create("gti-" + ProcessHandle.current().pid());
    }

    @AfterEach
    void removeNamespace() throws IOException {
        if (ns != null) {
            ns.close();
        }
    }

    private static void needs(final String program) {
        if (!Netns.has(program)) {
            System.out.println("SKIPPED: a test of the TAP network layer: " + program + " is not installed");
            Assumptions.abort(program + " is not installed");
        }
    }

    private ServeProcess serve(final String... options) throws IOException {
        return ServeProcess.start(ns, dir.resolve("run"), "gtap0", options);
    }

    private String prints(final int seconds, final String line) throws IOException {
        final Netns.Result r = ns.sh(seconds, "set -o pipefail; " + line);
        assertThat(r.status()).as("%s%n%s", line, r.out()).isZero();
        return r.out().trim();
    }

    @Test
    void addressesOfBothFamilies_setHereAndByCommand_areAnswered() throws IOException {
        needs("ping");
        needs("socat");
        try (ServeProcess gatun = serve("--host-address", "10.77.0.1/24", "--address", "10.77.0.2/24", "--address",
            "fd77::2/64", "--gateway", "10.77.0.1", "--gateway", "fd77::1", "--echo", "7")) {
            prints(10, "ip -6 addr add fd77::1/64 dev gtap0 nodad");
            prints(20, "ping -q -n -c 2 -i 0.1 -W 5 10.77.0.2");
            prints(20, "ping -q -n -c 2 -i 0.1 -W 5 fd77::2");
            assertThat(prints(20, "echo six | socat -t 2 - TCP6:[fd77::2]:7")).isEqualTo("six");
            assertThat(prints(20, "echo sixth | socat -t 2 - UDP6:[fd77::2]:7")).isEqualTo("sixth");
            assertThat(prints(20, "echo four | socat -t 2 - TCP4:10.77.0.2:7")).isEqualTo("four");
            assertThat(gatun.gatun("netstat -rn")).contains("\ndefault            10.77.0.1          UGS        tap0\n")
                .containsPattern("\ndefault +fd77::1 +UGS +tap0\n");
            assertThat(gatun.gatun("arp -an")).contains("(10.77.0.1) at ");
            gatun.gatun("ifconfig tap0 10.78.0.2/24 alias");
            assertThat(gatun.gatun("ifconfig tap0")).contains("inet 10.78.0.2 netmask 0xffffff00");
            prints(10, "ip addr add 10.78.0.1/24 dev gtap0");
            prints(20, "ping -q -n -c 2 -i 0.1 -W 5 10.78.0.2");
            gatun.gatun("ifconfig tap0 10.78.0.2 delete");
            assertThat(ns.sh(10, "ping -q -n -c 1 -W 1 10.78.0.2").status()).isNotZero();
        }
    }

    /** A Debian dnsmasq gives the stack its address, a default route and another, and gets it back at the end. */
    @Test
    void dnsmasq_servesTheDhcpClient() throws IOException {
        needs("dnsmasq");
        needs("ping");
        final Path leases = dir.resolve("leases");
        try (ServeProcess gatun = serve("--host-address", "10.77.0.1/24", "--dhcp")) {
            final Process dnsmasq = ns.start("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
                "--interface=gtap0", "--user=root", "--log-facility=-", "--log-dhcp", "--no-ping", "--pid-file=",
                "--dhcp-authoritative", "--dhcp-leasefile=" + leases,
                "--dhcp-range=10.77.0.100,10.77.0.100,255.255.255.0,2m",
                "--dhcp-option=option:T1,5", "--dhcp-option=121,0.0.0.0/0,10.77.0.1,10.66.0.0/16,10.77.0.9");
            assertThat(gatun.await("DHCP: tap0 has")).contains("has 10.77.0.100/24 from 10.77.0.1 for 120 s");
            prints(20, "ping -q -n -c 2 -i 0.1 -W 5 10.77.0.100");
            assertThat(gatun.gatun("ifconfig tap0")).contains("inet 10.77.0.100 netmask 0xffffff00");
            assertThat(gatun.gatun("netstat -rn -4")).contains("\ndefault            10.77.0.1 ")
                .contains("\n10.66.0.0/16       10.77.0.9 ");
            assertThat(Files.readString(leases)).contains("10.77.0.100");
            // At the server's word it asks for more long before half of two minutes is over, and gets it.
            assertThat(gatun.await("DHCP: tap0 has")).contains("has 10.77.0.100/24 from 10.77.0.1 for 120 s");
            assertThat(dnsmasq.isAlive()).isTrue();
        }
        assertThat(Files.readString(leases)).as("released").doesNotContain("10.77.0.100");
    }

    /** What a Linux socat sends to a group is heard while the group is joined; the link is told of both by IGMPv3. */
    @Test
    void socatToAGroup_heardWhileJoined() throws IOException {
        needs("socat");
        needs("tcpdump");
        final Process member = ns.start(ServeProcess.java("io.gatun.cli.TapMember", "gtap0", "10.77.0.1/24",
            "10.77.0.2/24", "5000"));
        final BufferedReader out = new BufferedReader(
            new InputStreamReader(member.getInputStream(), StandardCharsets.UTF_8));
        try (PrintWriter in = new PrintWriter(member.getOutputStream(), true, StandardCharsets.UTF_8)) {
            assertThat(out.readLine()).isEqualTo("ready");
            final Process dump = ns.start("tcpdump", "-l", "-n", "-v", "-i", "gtap0", "-c", "4", "igmp");
            final BufferedReader seen = new BufferedReader(
                new InputStreamReader(dump.getInputStream(), StandardCharsets.UTF_8));
            String line = seen.readLine();
            while (line != null && !line.contains("listening on")) {
                line = seen.readLine();
            }
            say("239.1.2.3", "too early");
            prints(20, "ping -q -n -c 1 -W 10 10.77.0.2"); // the answer comes behind it
            in.println("join 239.1.2.3");
            assertThat(out.readLine()).isEqualTo("done: join 239.1.2.3");
            say("239.1.2.3", "first");
            assertThat(out.readLine()).isEqualTo("heard: first");
            say("239.1.2.4", "to another group");
            say("239.1.2.3", "second");
            assertThat(out.readLine()).isEqualTo("heard: second");
            in.println("leave 239.1.2.3");
            assertThat(out.readLine()).isEqualTo("done: leave 239.1.2.3");
            say("239.1.2.3", "too late");
            in.println("join 239.9.9.9");
            assertThat(out.readLine()).isEqualTo("done: join 239.9.9.9");
            say("239.9.9.9", "third");
            assertThat(out.readLine()).isEqualTo("heard: third");
            final String reports = String.join("\n", seen.lines().toList());
            assertThat(reports).contains("igmp v3 report, 1 group record(s) [gaddr 239.1.2.3 to_ex")
                .contains("igmp v3 report, 1 group record(s) [gaddr 239.1.2.3 to_in");
        }
    }

    /** The same for IPv6, by MLDv2: of groups of the link and beyond. */
    @Test
    void socatToAGroupOfIpv6_heardWhileJoined() throws IOException {
        needs("socat");
        needs("tcpdump");
        final Process member = ns.start(ServeProcess.java("io.gatun.cli.TapMember", "gtap0", "10.77.0.1/24",
            "10.77.0.2/24", "5000"));
        final BufferedReader out = new BufferedReader(
            new InputStreamReader(member.getInputStream(), StandardCharsets.UTF_8));
        try (PrintWriter in = new PrintWriter(member.getOutputStream(), true, StandardCharsets.UTF_8)) {
            assertThat(out.readLine()).isEqualTo("ready");
            prints(10, "ip -6 addr add fd77::1/64 dev gtap0 nodad");
            final Process dump = ns.start("bash", "-c", "timeout 8 tcpdump -l -n -v -i gtap0 'ip6 and dst ff02::16'");
            final BufferedReader seen = new BufferedReader(
                new InputStreamReader(dump.getInputStream(), StandardCharsets.UTF_8));
            String line = seen.readLine();
            while (line != null && !line.contains("listening on")) {
                line = seen.readLine();
            }
            say6("ff15::1:2:3", "too early");
            prints(20, "ping -q -n -c 1 -W 10 10.77.0.2"); // the answer comes behind it
            for (final String group : List.of("ff15::1:2:3", "ff02::1234")) {
                in.println("join " + group);
                assertThat(out.readLine()).isEqualTo("done: join " + group);
                say6(group, "to " + group);
                assertThat(out.readLine()).isEqualTo("heard: to " + group);
                in.println("leave " + group);
                assertThat(out.readLine()).isEqualTo("done: leave " + group);
                say6(group, "too late");
            }
            in.println("join ff15::9");
            assertThat(out.readLine()).isEqualTo("done: join ff15::9");
            say6("ff15::9", "last");
            assertThat(out.readLine()).isEqualTo("heard: last");
            final String reports = String.join("\n", seen.lines().toList());
            assertThat(reports).contains("gaddr ff15::1:2:3 to_ex").contains("gaddr ff15::1:2:3 to_in")
                .contains("gaddr ff02::1234 to_ex");
        }
    }

    private void say6(final String group, final String what) throws IOException {
        final String zone = group.startsWith("ff02:") ? "%gtap0" : "";
        prints(20, "echo " + what + " | socat -u - 'UDP6-DATAGRAM:[" + group + zone + "]:5000'");
    }

    private void say(final String group, final String what) throws IOException {
        prints(20, "echo " + what + " | socat -u - UDP4-DATAGRAM:" + group + ":5000,ip-multicast-if=10.77.0.1");
    }

    /** A Linux bridge that snoops and asks: it lets a group through to the port where Gatun says that it is heard. */
    @Test
    void snoopingBridge_letsTheGroupThroughWhileJoined() throws IOException {
        needs("bridge");
        needs("socat");
        prints(10, "ip link add br0 type bridge mcast_snooping 1 mcast_querier 1 mcast_igmp_version 3"
            + " mcast_query_interval 100 mcast_query_response_interval 30 mcast_startup_query_interval 100"
            + " mcast_membership_interval 300 mcast_last_member_interval 20"
            + " && ip addr add 10.77.0.1/24 dev br0 && ip link set br0 up");
        final Process member = ns.start(ServeProcess.java("io.gatun.cli.TapMember", "gtap0", "-", "10.77.0.2/24",
            "5000"));
        final BufferedReader out = new BufferedReader(
            new InputStreamReader(member.getInputStream(), StandardCharsets.UTF_8));
        try (PrintWriter in = new PrintWriter(member.getOutputStream(), true, StandardCharsets.UTF_8)) {
            assertThat(out.readLine()).isEqualTo("ready");
            prints(10, "ip link set gtap0 master br0 && ip link set gtap0 up");
            prints(20, "ping -q -n -c 1 -W 10 10.77.0.2");
            in.println("join 239.1.2.3");
            assertThat(out.readLine()).isEqualTo("done: join 239.1.2.3");
            prints(20, awaits(true));
            // Longer than the bridge remembers what nobody confirms: so its questions are answered.
            prints(20, "sleep 8; bridge mdb show dev br0 | grep 'port gtap0 grp 239.1.2.3'");
            say("239.1.2.3", "through the bridge");
            assertThat(out.readLine()).isEqualTo("heard: through the bridge");
            in.println("leave 239.1.2.3");
            assertThat(out.readLine()).isEqualTo("done: leave 239.1.2.3");
            prints(20, awaits(false));
        }
    }

    /** A shell line that waits up to ten seconds for the bridge to have or not to have the group at Gatun's port. */
    private static String awaits(final boolean there) {
        return "for i in $(seq 100); do " + (there ? "" : "! ")
            + "bridge mdb show dev br0 | grep -q 'port gtap0 grp 239.1.2.3' && exit 0; sleep 0.1; done;"
            + " bridge mdb show dev br0; exit 1";
    }

    /** Two hosts with one address: Linux finds out by asking, and Gatun by what Linux then says of itself. */
    @Test
    void addressOfBoth_bothNotice() throws IOException {
        needs("arping");
        try (ServeProcess gatun = serve("--host-address", "10.77.0.1/24", "--address", "10.77.0.2/24")) {
            final Netns.Result asked = ns.exec(20, "arping", "-D", "-I", "gtap0", "-c", "3", "10.77.0.2");
            assertThat(asked.status()).as(asked.out()).isEqualTo(1);
            assertThat(asked.out()).contains("Unicast reply from 10.77.0.2");
            prints(10, "ip addr add 10.77.0.2/24 dev gtap0");
            prints(20, "arping -U -I gtap0 -c 1 10.77.0.2 || true");
            final String mac = prints(10, "cat /sys/class/net/gtap0/address");
            assertThat(gatun.await("is also used")).isEqualTo("gatun: 10.77.0.2 on tap0 is also used by " + mac);
        }
    }
}
