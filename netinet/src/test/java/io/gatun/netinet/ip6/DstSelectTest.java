package io.gatun.netinet.ip6;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Inet6Domain;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.InetDomain;
import io.gatun.netinet.TestWire;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.VirtualClock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of RFC 6724 section 6, mostly by the examples of its section 10.2, in both orders. */
class DstSelectTest {
    private final Vnet vnet = Vnet.builder().name("t").clock(new VirtualClock()).seed(1).services(false)
        .domain(new InetDomain()).domain(new Inet6Domain()).pool(MbufPool.builder().small())
        .sysctl("net.inet6.ip6.dad_count", "0").sysctl("net.inet6.ip6.auto_linklocal", "0").build();
    private final InetConfig config = vnet.service(InetConfig.class);
    private final Ifnet ifp = new TestWire(vnet, 0, 0, 0).ifp;

    @AfterEach
    void close() {
        vnet.close();
    }

    /** The host has these addresses and a way to everywhere. */
    private void sources(final String... cidrs) {
        try {
            assertThat(vnet.ifnets().attach(ifp)).isEqualTo(Errno.OK);
            for (final String a : cidrs) {
                config.addAddress(ifp, a);
            }
            config.addRoute("::/0", null, ifp);
            config.addRoute("0.0.0.0/0", null, ifp);
        } catch (final ErrnoException e) {
            throw new AssertionError(e);
        }
    }

    private SockAddr addr(final String text) {
        final SockAddr a = SockAddr.of(text, 80);
        if (In6.isLinkLocal(a.hi())) {
            a.setIn6(a.hi(), a.lo(), 80, ifp.index());
        }
        return a;
    }

    /** The order is this one, whatever it was before. */
    private void ordered(final String... expected) {
        final List<SockAddr> want = Arrays.stream(expected).map(this::addr).toList();
        assertThat(config.order(want)).isEqualTo(want);
        assertThat(config.order(want.reversed())).isEqualTo(want);
    }

    @Test
    @Tag("RFC6724-6-1")
    void rule1_aReachableOne() throws Exception {
        sources("2001:db8:1::2/64", "198.51.100.117/24");
        config.addReject("2001:db8:bad::/48");
        ordered("198.51.100.1", "2001:db8:bad::1");
        config.removeAddress(ifp, "198.51.100.117");
        ordered("2001:db8:1::1", "198.51.100.1");
    }

    @Test
    @Tag("RFC6724-6-2")
    void rule2_ofTheScopeOfItsSource() {
        sources("2001:db8:1::2/64", "fe80::1/64", "169.254.13.78/16");
        ordered("2001:db8:1::1", "198.51.100.121");
    }

    @Test
    @Tag("RFC6724-6-2")
    void rule2_ipv4OfGlobalScope_beforeIpv6FromTheLink() {
        sources("fe80::1/64", "198.51.100.117/24");
        ordered("198.51.100.121", "2001:db8:1::1");
    }

    @Test
    @Tag("RFC6724-6-3")
    void rule3_notFromADeprecatedAddress() {
        sources("2001:db8:1::2/64", "fe80::2/64");
        ordered("fe80::1", "2001:db8:1::1");
        config.inet().inet6().addrs.all().stream().filter(ia -> In6.isLinkLocal(ia.hi))
            .forEach(ia -> ia.setFlags(In6Ifaddr.IN6_IFF_DEPRECATED, 0));
        ordered("2001:db8:1::1", "fe80::1");
    }

    @Test
    @Tag("RFC6724-6-5")
    void rule5_ofTheLabelOfItsSource() {
        sources("2002:c633:6401::2/64", "fe80::2/64");
        ordered("2002:c633:6401::1", "2001:db8:1::1");
    }

    @Test
    @Tag("RFC6724-6-6")
    void rule6_ofHigherPrecedence() {
        sources("2002:c633:6401::2/64", "2001:db8:1::2/64", "fe80::2/64", "10.1.2.4/24");
        ordered("2001:db8:1::1", "10.1.2.3", "2002:c633:6401::1");
    }

    @Test
    @Tag("RFC6724-6-6")
    void rule6_theTableMayPreferIpv4() {
        sources("2001:db8:1::2/64", "10.1.2.4/24");
        ordered("2001:db8:1::1", "10.1.2.3");
        final SockAddr mapped = SockAddr.of("::ffff:0:0", 0);
        assertThat(config.addrPolicy().delete(mapped, 96)).isEqualTo(Errno.OK);
        assertThat(config.addrPolicy().add(mapped, 96, 100, 4)).isEqualTo(Errno.OK);
        ordered("10.1.2.3", "2001:db8:1::1");
        ordered("::ffff:10.1.2.3", "2001:db8:1::1");
    }

    @Test
    @Tag("RFC6724-6-8")
    void rule8_ofSmallerScope() {
        sources("2001:db8:1::2/64", "fe80::2/64");
        ordered("fe80::1", "2001:db8:1::1");
    }

    @Test
    @Tag("RFC6724-6-9")
    void rule9_theLongestPrefixInCommonWithItsSource() {
        sources("2001:db8:1::2/64", "2001:db8:3f44::2/64", "fe80::2/64", "10.1.2.4/24");
        ordered("2001:db8:1::1", "2001:db8:3ffe::1", "10.1.2.9", "10.1.3.1", "10.2.0.1", "192.0.2.1");
    }

    @Test
    @Tag("RFC6724-6-10")
    void rule10_elseAsTheyCame() {
        sources("2001:db8:1::2/64", "10.1.2.4/24");
        for (final String[] equals : new String[][] {{"2001:db8:1::9", "2001:db8:1::7", "2001:db8:1::8"},
            {"10.1.2.9", "10.1.2.8", "10.1.2.7"}}) {
            final List<SockAddr> asIs = Arrays.stream(equals).map(this::addr).toList();
            assertThat(config.order(asIs)).isEqualTo(asIs);
            assertThat(config.order(asIs.reversed())).isEqualTo(asIs.reversed());
        }
    }

    /** The ninth rule compares within a family alone, so a third address may close a circle; that is not to matter. */
    @Test
    void manyAddresses_anyOrder_noneIsLost() {
        sources("2001:db8:1::2/64", "fd00:1::2/64", "10.1.2.4/24");
        config.addrPolicy().reset(false);
        final long seed = 6724;
        final Random random = new Random(seed);
        final List<SockAddr> all = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            all.add(random.nextBoolean() ? SockAddr.in(random.nextInt(), i)
                : SockAddr.in6(random.nextInt(4) == 0 ? random.nextLong() : 0x20010db800010000L, random.nextLong(), i));
        }
        for (int i = 0; i < 50; i++) {
            Collections.shuffle(all, random);
            assertThat(config.order(all)).as("seed " + seed).containsExactlyInAnyOrderElementsOf(all);
        }
        assertThat(config.order(List.of())).isEmpty();
    }
}
