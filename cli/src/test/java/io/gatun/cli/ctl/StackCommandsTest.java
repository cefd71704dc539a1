package io.gatun.cli.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.api.SocketFile;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the commands do to a stack on a virtual clock, and what they print, to the letter. */
class StackCommandsTest {
    private final VirtualClock clock = new VirtualClock();
    private final MbufPool pool = MbufPool.builder().small().build();
    private final Vnet vnet = Vnet.builder().name("a").clock(clock).seed(1).pool(pool)
        .sysctl("net.inet6.ip6.use_stableaddr", "0").build();
    private final Vnet other = Vnet.builder().name("b").clock(clock).seed(2).pool(pool).build();

    @BeforeEach
    void start() throws Exception {
        vnet.ifnets().create("lo0");
        final Epair pair = Epair.join(vnet, other, 0, new Epair.Config(1500, 64, false, false));
        other.service(InetConfig.class).addAddress(pair.b(), "10.0.0.2/24");
        ok("ifconfig lo0 inet 127.0.0.1/8 up");
        ok("ifconfig lo0 inet6 ::1/128");
        ok("ifconfig epair0a ether 02:00:00:00:00:0a");
    }

    @AfterEach
    void stop() {
        vnet.close();
        other.close();
        assertThat(pool.outstanding()).isZero();
    }

    private String ok(final String line) {
        final StringBuilder out = new StringBuilder();
        assertThat(StackCommands.run(vnet, List.of(line.split(" ")), out)).as(line).isNull();
        vnet.runUntilIdle();
        other.runUntilIdle();
        return out.toString();
    }

    private String error(final String line) {
        final String error = StackCommands.run(vnet, List.of(line.split(" ")), new StringBuilder());
        assertThat(error).as(line).isNotNull().doesNotContain("\n");
        return error;
    }

    private Ifnet epair() {
        return vnet.ifnets().byName("epair0a");
    }

    @Test
    void ifconfig_addresses_shownAsFreeBsdDoes() {
        ok("ifconfig epair0a 10.0.0.1 netmask 255.255.255.0 mtu 1400 up");
        ok("ifconfig epair0a inet 10.7.0.1/16 alias");
        ok("ifconfig epair0a inet6 2001:db8::1 prefixlen 64 alias");
        assertThat(ok("ifconfig -l")).isEqualTo("lo0 epair0a\n");
        final String shown = ok("ifconfig epair0a");
        assertThat(shown).startsWith("epair0a: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1400\n")
            .contains("\tether 02:00:00:00:00:0a\n")
            .contains("\tinet 10.0.0.1 netmask 0xffffff00 broadcast 10.0.0.255\n")
            .contains("\tinet 10.7.0.1 netmask 0xffff0000 broadcast 10.7.255.255\n")
            .contains("\tinet6 2001:db8::1 prefixlen 64").contains("\tinet6 fe80::ff:fe00:a%epair0a prefixlen 64")
            .contains(" scopeid 0x2").contains("\tstatus: active\n");
        assertThat(ok("ifconfig epair0a inet")).doesNotContain("inet6").contains("10.7.0.1");
        assertThat(ok("ifconfig -a inet6")).contains("\tinet6 ::1 prefixlen 128\n").doesNotContain("10.7.0.1");
        assertThat(ok("ifconfig lo0")).startsWith("lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST>")
            .contains("\tinet 127.0.0.1 netmask 0xff000000\n");
    }

    @Test
    void netstat_interfaces_linkAndAddresses() {
        ok("ifconfig epair0a 10.0.0.1/24");
        ok("ifconfig epair0a inet6 2001:db8::1/64 up");
        assertThat(ok("netstat -in")).containsPattern("^Name +Mtu Network +Address +Ipkts .*Odrop\n");
        assertThat(ok("netstat -in")).containsPattern("\nlo0 +16384 <Link#1> +lo0 +0 ")
            .containsPattern("\nlo0 +- 127.0.0.0/8 +127.0.0.1 +-")
            .containsPattern("\nepair0a +1500 <Link#2> +02:00:00:00:00:0a +[0-9]+ ")
            .containsPattern("\nepair0a +- 10.0.0.0/24 +10.0.0.1 ")
            .containsPattern("\nepair0a +- 2001:db8::/64 +2001:db8::1 ");
    }

    @Test
    void netstat_counters_byProtocol() {
        vnet.counters().counter("ip.badsum").add(3);
        assertThat(ok("netstat -s -p ip")).startsWith("ip:\n").contains("\t3 badsum\n").contains("\t0 toolong\n")
            .doesNotContain("tcp");
        assertThat(ok("netstat -ss")).contains("ip:\n").contains("\t3 badsum\n").doesNotContain("\t0 ");
        assertThat(ok("netstat -s")).contains("\ntcp:\n").contains("\nudp:\n").contains("drop:\n");
        assertThat(error("netstat -s -p nonsense")).contains("nonsense");
        assertThat(error("netstat -rs")).contains("one of");
        assertThat(error("netstat -q")).contains("-q");
        assertThat(error("netstat -p sctp")).contains("sctp");
    }

    @Test
    void netstat_sockets_asFreeBsdDoes() throws Exception {
        try (SocketFile tcp = SocketFile.socket(vnet, SockAddr.AF_INET, SocketDefs.SOCK_STREAM, 0);
             SocketFile udp = SocketFile.socket(vnet, SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0)) {
            tcp.bind(SockAddr.of("127.0.0.1", 80));
            tcp.listen(1);
            udp.bind(SockAddr.of("::", 53));
            assertThat(ok("netstat -an")).isEqualTo("""
                Active Internet connections (including servers)
                Proto Recv-Q Send-Q Local Address            Foreign Address          (state)
                tcp4       0      0 127.0.0.1.80             *.*                      LISTEN
                udp6       0      0 *.53                     *.*
                """);
            assertThat(ok("netstat -an -p udp").lines()).hasSize(3);
            assertThat(ok("netstat -an4")).contains("tcp4").doesNotContain("udp6");
            assertThat(ok("netstat -an -f inet6")).contains("udp6").doesNotContain("tcp4");
            udp.connect(SockAddr.of("::1", 7));
            assertThat(ok("netstat -n")).doesNotContain("tcp4").containsPattern("udp6 +0 +0 ::1.53 +::1.7\n");
        }
    }

    @Test
    void netstat_socketOfBothFamilies_isShownAsSuch() throws Exception {
        try (SocketFile dual = SocketFile.socket(vnet, SockAddr.AF_INET6, SocketDefs.SOCK_STREAM, 0)) {
            dual.setOption(InDefs.IPPROTO_IPV6, InDefs.IPV6_V6ONLY, 0);
            dual.bind(SockAddr.of("::", 80));
            dual.listen(1);
            assertThat(ok("netstat -an")).containsPattern("tcp46 +0 +0 \\*\\.80 +\\*\\.\\* +LISTEN\n");
            assertThat(ok("netstat -an4")).contains("tcp46");
            assertThat(ok("netstat -an6")).contains("tcp46");
        }
    }

    @Test
    void ifconfig_secondAddressWithoutAlias_takesThePlaceOfTheFirst() {
        ok("ifconfig epair0a 10.0.0.1/24");
        ok("ifconfig epair0a 10.0.0.9/24");
        assertThat(ok("ifconfig epair0a inet")).contains("10.0.0.9").doesNotContain("10.0.0.1 ");
        ok("ifconfig epair0a 10.0.0.9 delete");
        assertThat(ok("ifconfig epair0a inet")).doesNotContain("inet 10");
        ok("ifconfig epair0a inet6 2001:db8::1/64");
        ok("ifconfig epair0a inet6 2001:db8::1 -alias");
        assertThat(ok("ifconfig epair0a inet6")).doesNotContain("2001:db8::1");
    }

    @Test
    void ifconfig_flags_areSetAndCleared() {
        ok("ifconfig epair0a up promisc -arp");
        assertThat(ok("ifconfig epair0a")).contains("NOARP,PROMISC");
        ok("ifconfig epair0a down -promisc arp");
        assertThat(epair().flags() & (Ifnet.IFF_UP | Ifnet.IFF_PROMISC | Ifnet.IFF_NOARP)).isZero();
    }

    @Test
    void ifconfig_vlan_madeAndDestroyed() {
        ok("ifconfig epair0a up");
        assertThat(ok("ifconfig vlan5 create parent epair0a vid 5")).isEqualTo("vlan5\n");
        assertThat(ok("ifconfig -l")).isEqualTo("lo0 epair0a vlan5\n");
        ok("ifconfig vlan5 destroy");
        assertThat(ok("ifconfig -l")).isEqualTo("lo0 epair0a\n");
    }

    @Test
    void ifconfig_vlan_withFreebsdsWords() {
        ok("ifconfig epair0a up");
        assertThat(ok("ifconfig vlan5 create vlan 5 vlandev epair0a inet 10.5.0.1/24 up")).isEqualTo("vlan5\n");
        assertThat(ok("ifconfig vlan5")).contains("UP,BROADCAST,RUNNING").contains("inet 10.5.0.1 netmask 0xffffff00");
        ok("ifconfig vlan6 create");
        ok("ifconfig vlan6 vlandev epair0a vlan 6 up");
        assertThat(ok("ifconfig vlan6")).contains("RUNNING");
        assertThat(ok("ifconfig -ul")).isEqualTo("lo0 epair0a vlan5 vlan6\n");
        ok("ifconfig vlan6 -vlandev");
        assertThat(ok("ifconfig vlan6")).doesNotContain("RUNNING");
        ok("ifconfig vlan6 down");
        assertThat(ok("ifconfig -d inet")).startsWith("vlan6: ").doesNotContain("vlan5");
        assertThat(error("ifconfig vlan6 vlan 7")).isEqualTo("ifconfig: vlan and vlandev go together");
        ok("ifconfig vlan5 destroy");
        ok("ifconfig vlan6 destroy");
    }

    @Test
    void ifconfig_capabilities_areSwitched() {
        final int all = epair().capenable();
        ok("ifconfig epair0a -rxcsum -txcsum6 -lro");
        assertThat(epair().capenable())
            .isEqualTo(all & ~(Ifnet.IFCAP_RXCSUM | Ifnet.IFCAP_TXCSUM_IPV6 | Ifnet.IFCAP_LRO));
        ok("ifconfig epair0a rxcsum txcsum6 lro tso");
        assertThat(epair().capenable()).as("what it cannot do stays off").isEqualTo(all);
    }

    @Test
    void ifconfig_anycastAndEui64() {
        ok("ifconfig epair0a inet6 fd00:5::/64 eui64");
        assertThat(ok("ifconfig epair0a")).contains("inet6 fd00:5::ff:fe00:a prefixlen 64 tentative");
        ok("ifconfig epair0a inet6 fd00:5::77/64 anycast");
        assertThat(ok("ifconfig epair0a")).contains("inet6 fd00:5::77 prefixlen 64 anycast\n");
        assertThat(error("ifconfig epair0a inet6 fd00:5::77/64 anycast")).contains("EEXIST");
        assertThat(error("ifconfig epair0a inet 10.0.0.9/24 anycast"))
            .isEqualTo("ifconfig: anycast and eui64 are for inet6");
        ok("ifconfig epair0a inet6 fd00:5::77 -alias");
        assertThat(ok("ifconfig epair0a")).doesNotContain("anycast");
    }

    @Test
    void netstat_lettersTogetherAndOneInterface() {
        ok("ifconfig epair0a 10.0.0.1/24");
        assertThat(ok("netstat -nI lo0")).contains("lo0 ").doesNotContain("epair0a");
        assertThat(ok("netstat -ibn")).contains("Ibytes").contains("epair0a");
        assertThat(ok("netstat -sp ip")).startsWith("ip:\n");
        assertThat(ok("netstat -anptcp")).startsWith("Active Internet connections (including servers)\n");
        assertThat(ok("netstat -rnfinet")).contains("10.0.0.0/24").doesNotContain("Internet6");
        assertThat(ok("netstat -g")).containsPattern("224\\.0\\.0\\.1 +epair0a");
        assertThat(ok("netstat -m")).contains("Zone").contains("2048");
        assertThat(error("netstat -rz")).isEqualTo("netstat: there is no option -rz");
        assertThat(error("netstat -I nope0")).isEqualTo("netstat: interface nope0 does not exist");
    }

    @Test
    void sysctl_optionsOfFreebsd() {
        assertThat(ok("sysctl -n net.inet.ip.ttl")).isEqualTo("64\n");
        assertThat(ok("sysctl -w net.inet.ip.ttl=63")).isEqualTo("net.inet.ip.ttl: 64 -> 63\n");
        assertThat(ok("sysctl -e net.inet.ip.ttl")).isEqualTo("net.inet.ip.ttl=63\n");
        assertThat(ok("sysctl -qw net.inet.ip.ttl=64")).isEmpty();
        assertThat(ok("sysctl -N net.inet.udp.checksum")).isEqualTo("net.inet.udp.checksum\n");
        assertThat(ok("sysctl -nd net.inet.udp.checksum")).isEqualTo("compute checksums of datagrams sent\n");
        assertThat(ok("sysctl -i nope")).isEmpty();
        assertThat(ok("sysctl -aN")).contains("net.inet.tcp.msl\n");
        assertThat(error("sysctl -z nope")).isEqualTo("sysctl: there is no option -z");
    }

    @Test
    void route_masksInWords() {
        ok("ifconfig epair0a 10.0.0.1/24");
        ok("ifconfig epair0a inet6 fd00::1/64");
        ok("route add -net 10.7.0.0 -netmask 255.255.0.0 10.0.0.2");
        ok("route -n add -inet6 2001:db8:7:: -prefixlen 48 fd00::2");
        assertThat(ok("netstat -rn")).contains("10.7.0.0/16 ").contains("2001:db8:7::/48 ");
        ok("route delete -net 10.7.0.0 -netmask 255.255.0.0");
        assertThat(ok("netstat -rn")).doesNotContain("10.7.0.0/16");
    }

    @Test
    void ifconfig_wrongWords_areOneClearLine() {
        assertThat(error("ifconfig nope0")).isEqualTo("ifconfig: interface nope0 does not exist");
        assertThat(error("ifconfig epair0a 10.0.0.1"))
            .isEqualTo("ifconfig: 10.0.0.1 has neither a netmask nor a prefix length");
        assertThat(error("ifconfig epair0a 10.0.0.1 netmask 255.0.255.0")).contains("is not a netmask");
        assertThat(error("ifconfig epair0a 10.0.0")).contains("'10.0.0' is not an IPv4 address");
        assertThat(error("ifconfig epair0a inet6 10.0.0.1/24")).contains("not an address of family inet6");
        assertThat(error("ifconfig epair0a mtu")).isEqualTo("ifconfig: want mtu after mtu");
        assertThat(error("ifconfig epair0a mtu 99999999")).contains("not a number in 1..65535");
        assertThat(error("ifconfig epair0a fib 900")).contains("Invalid argument");
        assertThat(error("ifconfig epair0a alias")).contains("no address given");
        assertThat(error("ifconfig epair0a 10.0.0.7 delete")).contains("Can't assign requested address");
        assertThat(error("ifconfig nope3 create")).contains("no driver nope");
        assertThat(error("ifconfig epair0a ether 01:00:00:00:00:00")).contains("group");
        assertThat(error("nonsense")).isEqualTo("there is no command nonsense");
    }

    @Test
    void route_table_shownAsNetstatDoes() {
        ok("ifconfig epair0a 10.0.0.1/24");
        assertThat(ok("route add default 10.0.0.2")).isEqualTo("add net default: gateway 10.0.0.2\n");
        assertThat(ok("route add -net 10.9.0.0/16 10.0.0.3")).isEqualTo("add net 10.9.0.0: gateway 10.0.0.3\n");
        ok("route add -net 10.9.0.0/16 10.0.0.4 -weight 3");
        ok("route add -host 10.8.8.8 10.0.0.2");
        ok("route add 10.66.0.0 10.0.0.2 255.255.0.0");
        ok("route add 10.67.0.0/16 -iface epair0a");
        ok("route add 192.0.2.0/24 127.0.0.1 -blackhole");
        ok("route add 198.51.100.0/24 -reject");
        assertThat(ok("netstat -rn -4")).isEqualTo("""
            Routing tables

            Internet:
            Destination        Gateway            Flags     Netif Expire
            default            10.0.0.2           UGS     epair0a
            10.0.0.0/24        link#2             U       epair0a
            10.0.0.1           link#2             UHS         lo0
            10.0.0.255         link#2             UHb     epair0a
            10.8.8.8           10.0.0.2           UGHS    epair0a
            10.9.0.0/16        10.0.0.3           UGS     epair0a
            10.9.0.0/16        10.0.0.4           UGS     epair0a
            10.66.0.0/16       10.0.0.2           UGS     epair0a
            10.67.0.0/16       link#2             US      epair0a
            127.0.0.0/8        link#1             U           lo0
            127.0.0.1          link#1             UHS         lo0
            192.0.2.0/24       -                  USB           -
            198.51.100.0/24    -                  URS           -
            """);
        assertThat(ok("route -n get 10.9.1.1")).contains("   route to: 10.9.1.1\n")
            .contains("destination: 10.9.0.0\n").contains("       mask: 255.255.0.0\n")
            .contains("    gateway: 10.0.0.3\n").contains("    gateway: 10.0.0.4\n")
            .contains("  interface: epair0a\n").contains("<UP,GATEWAY,DONE,STATIC>");
        assertThat(ok("route delete 10.9.0.0/16 10.0.0.3")).isEqualTo("delete net 10.9.0.0: gateway 10.0.0.3\n");
        assertThat(ok("route get 10.9.1.1")).contains("10.0.0.4").doesNotContain("10.0.0.3");
        ok("route change 10.9.0.0/16 10.0.0.5 -mtu 1000");
        assertThat(ok("route get 10.9.1.1")).contains("10.0.0.5").contains(" 1000 ");
        assertThat(ok("route flush")).isEqualTo("7 routes deleted\n");
        assertThat(ok("netstat -rn -4")).doesNotContain("default").contains("10.0.0.0/24");
    }

    @Test
    void route_ipv6_zonesByName() {
        ok("ifconfig epair0a inet6 2001:db8::1/64");
        ok("route add -inet6 default fe80::2%epair0a");
        ok("route -6 add 2001:db8:9::/48 2001:db8::9");
        assertThat(ok("netstat -rn -f inet6")).contains("\ndefault                           fe80::2%epair0a")
            .contains("\n2001:db8:9::/48                   2001:db8::9                       UGS     epair0a\n")
            .contains("\nfe80::%epair0a/64                 link#2");
        assertThat(ok("route get 2001:db8:9::7")).contains("    gateway: 2001:db8::9\n");
        ok("route delete -inet6 default fe80::2%epair0a");
        assertThat(error("route get 2001:db9::1")).contains("route has not been found: 2001:db9::1");
    }

    @Test
    void route_wrongWords_areOneClearLine() {
        ok("ifconfig epair0a 10.0.0.1/24");
        ok("route add 10.9.0.0/16 10.0.0.2");
        assertThat(error("route add 10.9.0.0/16 10.0.0.2"))
            .isEqualTo("route: add net 10.9.0.0: gateway 10.0.0.2: route already in table");
        assertThat(error("route add 10.0.0.0/24 10.0.0.2")).endsWith("route already in table");
        assertThat(error("route delete 10.10.0.0/16")).isEqualTo("route: delete net 10.10.0.0: not in table");
        assertThat(error("route change 10.10.0.0/16 10.0.0.2")).endsWith("not in table");
        assertThat(error("route add 10.10.0.0/16 172.16.0.1")).endsWith("Network is unreachable");
        assertThat(error("route add 10.10.0.0/16")).isEqualTo("route: no gateway given for 10.10.0.0/16");
        assertThat(error("route add 10.10.0.0/16 2001:db8::1")).endsWith("not supported by protocol family");
        assertThat(error("route add 10.10.0.0/16 10.0.0.2 -fib 700")).isEqualTo("route: there is no fib 700");
        assertThat(error("route add -weight 0 10.10.0.0/16 10.0.0.2")).contains("not a number in 1..255");
        assertThat(error("route frobnicate 10.0.0.0/8")).contains("is none of add, delete");
        assertThat(error("route -x")).isEqualTo("route: there is no option -x");
    }

    @Test
    void arp_entries_setShownDeleted() {
        ok("ifconfig epair0a 10.0.0.1/24");
        ok("arp -s 10.0.0.5 2:0:0:0:0:5");
        assertThat(ok("arp -an")).isEqualTo("""
            ? (10.0.0.1) at 02:00:00:00:00:0a on epair0a permanent [ethernet]
            ? (10.0.0.5) at 02:00:00:00:00:05 on epair0a permanent [ethernet]
            """);
        assertThat(ok("arp 10.0.0.5")).contains("02:00:00:00:00:05");
        assertThat(ok("arp -d 10.0.0.5")).isEqualTo("10.0.0.5 (10.0.0.5) deleted\n");
        assertThat(error("arp 10.0.0.5")).isEqualTo("arp: 10.0.0.5 (10.0.0.5) -- no entry");
        assertThat(error("arp -d 10.0.0.5")).contains("No such file or directory");
        assertThat(error("arp -s 172.16.0.1 02:00:00:00:00:05")).contains("Network is unreachable");
        assertThat(error("arp -s 10.0.0.5 02:00")).contains("is not a link address");
        assertThat(error("arp -s fe80::1 02:00:00:00:00:05")).contains("is not an IPv4 address");
        ok("arp -s 10.0.0.6 02:00:00:00:00:06");
        ok("arp -s 10.0.0.7 auto pub");
        assertThat(ok("arp -n 10.0.0.7"))
            .isEqualTo("? (10.0.0.7) at 02:00:00:00:00:0a on epair0a permanent published [ethernet]\n");
        ok("arp -da");
        assertThat(ok("arp -an").lines()).hasSize(1);
    }

    @Test
    void sysctl_namesBranchesValues() {
        assertThat(ok("sysctl net.inet.ip.forwarding")).isEqualTo("net.inet.ip.forwarding: 0\n");
        assertThat(ok("sysctl net.inet.ip.forwarding=1")).isEqualTo("net.inet.ip.forwarding: 0 -> 1\n");
        assertThat(ok("sysctl net.inet.ip")).contains("net.inet.ip.forwarding: 1\n");
        assertThat(ok("sysctl -d net.inet.ip.forwarding")).contains("packets for others");
        assertThat(error("sysctl net.nope")).contains("unknown oid 'net.nope'");
        assertThat(error("sysctl net.inet.ip.forwarding=x")).contains("Invalid argument");
        assertThat(ok("sysctl -a").lines().count()).isGreaterThan(50);
    }
}
