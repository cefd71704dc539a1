package io.gatun.cli.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.vnet.VirtualClock;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code ndp}, and what {@code ifconfig} says of IPv6, on a virtual clock. */
class NdpCommandTest {
    private static final long SEC = 1_000_000_000L;
    private final VirtualClock clock = new VirtualClock();
    private final MbufPool pool = MbufPool.builder().small().build();
    private final Vnet vnet = Vnet.builder().name("a").clock(clock).seed(1).pool(pool)
        .sysctl("net.inet6.ip6.use_stableaddr", "0").build();
    private final Vnet other = Vnet.builder().name("b").clock(clock).seed(2).pool(pool).build();

    @BeforeEach
    void start() throws Exception {
        final Epair pair = Epair.join(vnet, other, 0, new Epair.Config(1500, 64, false, false));
        ok("ifconfig epair0a ether 02:00:00:00:00:0a");
        other.service(InetConfig.class).addAddress(pair.b(), "2001:db8::2/64");
        ok("ifconfig epair0a inet6 2001:db8::1/64 up");
    }

    @AfterEach
    void stop() {
        vnet.close();
        other.close();
        assertThat(pool.outstanding()).isZero();
    }

    private String run(final Vnet on, final String line) {
        final StringBuilder out = new StringBuilder();
        assertThat(StackCommands.run(on, List.of(line.split(" ")), out)).as(line).isNull();
        settle();
        return out.toString();
    }

    private String ok(final String line) {
        return run(vnet, line);
    }

    private String error(final String line) {
        final String error = StackCommands.run(vnet, List.of(line.split(" ")), new StringBuilder());
        assertThat(error).as(line).isNotNull().doesNotContain("\n");
        return error;
    }

    private void settle() {
        vnet.runUntilIdle();
        other.runUntilIdle();
        vnet.runUntilIdle();
    }

    private void pass(final long seconds) {
        for (long i = 0; i < seconds * 100; i++) {
            clock.advance(SEC / 100);
            settle();
        }
    }

    @Test
    void ip6addrctl_showsAndChangesThePolicy() {
        final String all = ok("ip6addrctl");
        assertThat(all.lines()).hasSize(10).anyMatch(l -> l.matches("::ffff:0.0.0.0/96 +35 +4|::ffff:0:0/96 +35 +4"));
        ok("ip6addrctl add 2001:db8:7::/48 45 14");
        assertThat(ok("ip6addrctl show").lines()).hasSize(11).anyMatch(l -> l.matches("2001:db8:7::/48 +45 +14"));
        assertThat(error("ip6addrctl add 2001:db8:7::/48 45 14")).startsWith("ip6addrctl: ");
        ok("ip6addrctl delete 2001:db8:7::/48");
        assertThat(error("ip6addrctl delete 2001:db8:7::/48")).startsWith("ip6addrctl: ");
        assertThat(error("ip6addrctl add 10.0.0.0/8 1 1")).startsWith("ip6addrctl: ");
        ok("ip6addrctl flush");
        assertThat(ok("ip6addrctl show").lines()).hasSize(1);
        ok("ip6addrctl default");
        assertThat(ok("ip6addrctl show")).isEqualTo(all);
        assertThat(error("ip6addrctl install")).isEqualTo("ip6addrctl: there is no word install");
    }

    @Test
    void ifconfig_addressIsTentative_thenNot() {
        assertThat(ok("ifconfig epair0a inet6")).contains("\tinet6 2001:db8::1 prefixlen 64 tentative\n")
            .contains("\tinet6 fe80::ff:fe00:a%epair0a prefixlen 64 tentative scopeid 0x1\n")
            .contains("\tnd6 options=21<PERFORMNUD,AUTO_LINKLOCAL>\n");
        pass(3);
        assertThat(ok("ifconfig epair0a")).contains("\tinet6 2001:db8::1 prefixlen 64\n").doesNotContain("tentative");
    }

    @Test
    void ifconfig_flags_areSetAndCleared() {
        ok("ifconfig epair0a inet6 accept_rtadv no_radr -auto_linklocal ifdisabled");
        assertThat(ok("ifconfig epair0a")).contains("<PERFORMNUD,ACCEPT_RTADV,IFDISABLED,NO_RADR>");
        assertThat(ok("ndp -i epair0a -ifdisabled -accept_rtadv")).isEqualTo("linkmtu=1500, maxmtu=1500, curhlim=64, "
            + "basereachable=30s0ms, retrans=1s0ms\nFlags: nud no_radr\n");
        assertThat(error("ndp -i epair0a nonsense")).isEqualTo("ndp: there is no flag nonsense");
    }

    @Test
    void ifconfig_lifetimes_countDown_thenTheAddressGoes() {
        ok("ifconfig epair0a inet6 2001:db8::7/64 alias pltime 10 vltime 20");
        assertThat(ok("ifconfig epair0a")).contains("inet6 2001:db8::7 prefixlen 64 tentative pltime 10 vltime 20\n");
        pass(10);
        assertThat(ok("ifconfig epair0a")).contains("inet6 2001:db8::7 prefixlen 64 deprecated pltime 0 vltime 10\n");
        ok("ifconfig epair0a inet6 2001:db8::7/64 pltime infty");
        assertThat(ok("ifconfig epair0a")).contains("inet6 2001:db8::7 prefixlen 64\n");
        ok("ifconfig epair0a inet6 2001:db8::7/64 vltime 5");
        pass(5);
        assertThat(ok("ifconfig epair0a")).doesNotContain("2001:db8::7");
        assertThat(error("ifconfig epair0a inet6 2001:db8::1/64 pltime 9 vltime 5")).contains("Invalid argument");
        assertThat(error("ifconfig epair0a inet 10.0.0.9/24 vltime 5")).contains("only IPv6");
    }

    @Test
    void neighbours_ownOnes_byHand_found_deleted() {
        pass(3);
        ok("ndp -s 2001:db8::9 02:00:00:00:00:09");
        ok("ndp -s 2001:db8::8 02:00:00:00:00:08 proxy");
        assertThat(ok("ndp -an").lines()).containsExactly(
            "Neighbor                             Linklayer Address    Netif Expire    S Flags",
            "fe80::ff:fe00:a%epair0a              02:00:00:00:00:0a  epair0a permanent R",
            "2001:db8::1                          02:00:00:00:00:0a  epair0a permanent R",
            "2001:db8::9                          02:00:00:00:00:09  epair0a permanent R",
            "2001:db8::8                          02:00:00:00:00:08  epair0a permanent R p");
        assertThat(ok("ndp 2001:db8::9")).contains("02:00:00:00:00:09").doesNotContain("2001:db8::8");
        ok("ndp -c");
        assertThat(ok("ndp -d 2001:db8::9")).isEqualTo("2001:db8::9 deleted\n");
        assertThat(error("ndp 2001:db8::9")).isEqualTo("ndp: 2001:db8::9 -- no entry");
        assertThat(error("ndp -d 2001:db8::9")).contains("No such");
        assertThat(error("ndp -s 2001:db9::9 02:00:00:00:00:09")).contains("unreachable");
        assertThat(error("ndp -s 10.0.0.1 02:00:00:00:00:09")).contains("is not an IPv6 address");
        assertThat(error("ndp -x")).isEqualTo("ndp: there is no option -x");
    }

    @Test
    void routersAndPrefixes_noneYet() {
        assertThat(ok("ndp -r")).isEmpty();
        assertThat(ok("ndp -p")).isEmpty();
    }
}
