package io.gatun.netinet.ip6;

import static io.gatun.netinet.ip6.In6Ifaddr.IN6_IFF_ANYCAST;
import static io.gatun.netinet.ip6.In6Ifaddr.IN6_IFF_DEPRECATED;
import static io.gatun.netinet.ip6.In6Ifaddr.IN6_IFF_TEMPORARY;
import static io.gatun.netinet.ip6.In6Ifaddr.IN6_IFF_TENTATIVE;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.TestNet;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules of RFC 6724 section 5, each decided by itself, in both orders; examples from its section 10.1. */
class In6SelectTest {
    private final TestNet net = new TestNet();
    private final Ifnet out = net.wire0.ifp;
    private final Ifnet other = net.wire1.ifp;
    private final In6Addrs addrs = new In6Addrs(net.vnet.sysctl());

    @AfterEach
    void close() {
        net.close();
    }

    private static SockAddr addr(final String text) {
        return SockAddr.of(text, 0);
    }

    private In6Ifaddr on(final Ifnet ifp, final String text, final int flags) {
        return new In6Ifaddr(ifp, new IfAddr(addr(text), 64, null, null), flags);
    }

    private SockAddr router;

    private String chosen(final String dst, final int temporary) {
        final SockAddr d = addr(dst);
        final In6Ifaddr ia = addrs.select(In6.embed(d.hi(), out.index()), d.lo(), out, router, temporary);
        return ia == null ? null : In6.text(ia.hi, ia.lo).replaceAll("%.*", "");
    }

    /** Whether the first wins, whichever is there first. */
    private void wins(final String dst, final int temporary, final In6Ifaddr first, final In6Ifaddr second) {
        final String expected = In6.text(first.hi, first.lo).replaceAll("%.*", "");
        for (int i = 0; i < 2; i++) {
            assertThat(addrs.add(i == 0 ? first : second)).isTrue();
            assertThat(addrs.add(i == 0 ? second : first)).isTrue();
            assertThat(chosen(dst, temporary)).isEqualTo(expected);
            addrs.remove(first.ifp, first.ifa);
            addrs.remove(second.ifp, second.ifa);
        }
    }

    private void wins(final String dst, final In6Ifaddr first, final In6Ifaddr second) {
        wins(dst, In6Addrs.TEMPADDR_SYSTEM, first, second);
    }

    @Test
    @Tag("RFC6724-5-1")
    void rule1_theDestinationItself_evenDeprecated() {
        wins("2001:db8:1::1", on(out, "2001:db8:1::1", IN6_IFF_DEPRECATED), on(out, "2001:db8:2::1", 0));
    }

    @Test
    @Tag("RFC6724-5-2")
    void rule2_anAppropriateScope() {
        wins("2001:db8:1::1", on(out, "2001:db8:3::1", 0), on(out, "fe80::1", 0));
        wins("ff05::1", on(out, "2001:db8:3::1", 0), on(out, "fe80::1", 0));
        wins("fe80::1", on(out, "fe80::2", IN6_IFF_DEPRECATED), on(out, "2001:db8:1::1", 0));
    }

    @Test
    @Tag("RFC6724-5-3")
    void rule3_notADeprecatedOne() {
        wins("2001:db8:1::9", on(out, "2001:db8:2::1", 0), on(out, "2001:db8:1::1", IN6_IFF_DEPRECATED));
    }

    @Test
    @Tag("RFC6724-5-5")
    void rule5_ofTheOutgoingInterface() {
        wins("2001:db8:1::9", on(out, "2001:db8:2::1", 0), on(other, "2001:db8:1::1", 0));
    }

    @Test
    @Tag("RFC6724-5-5.5")
    void rule5_5_ofThePrefixThatTheRouterAdvertises() {
        final In6Ifaddr first = on(out, "2001:db8:2::1", In6Ifaddr.IN6_IFF_AUTOCONF);
        final In6Ifaddr second = on(out, "2001:db8:1::1", In6Ifaddr.IN6_IFF_AUTOCONF);
        final In6Ifaddr byHand = on(out, "2001:db8:3::1", 0);
        first.addRouter(0xfe80L << 48, 1);
        first.addRouter(0xfe80L << 48, 3);
        second.addRouter(0xfe80L << 48, 2);
        wins("2001:db8:1::9", second, first); // rule 8: no router, no such rule
        router = addr("fe80::1");
        wins("2001:db8:1::9", first, second);
        router = addr("fe80::3");
        wins("2001:db8:1::9", first, second);
        router = addr("fe80::2");
        wins("2001:db8:1::9", second, first);
        wins("2001:db8:2::9", second, first);
        wins("2001:db8:3::9", byHand, second); // no other router gave it
        router = addr("fe80::9");
        wins("2001:db8:1::9", second, first);
        router = addr("fe80::1");
        first.removeRouter(0xfe80L << 48, 1);
        wins("2001:db8:1::9", second, first);
    }

    @Test
    void routersOfAPrefix_onlySoMany_theEldestGoes() {
        final In6Ifaddr ia = on(out, "2001:db8:2::1", 0);
        for (int i = 1; i <= 20; i++) {
            ia.addRouter(1, i);
            ia.addRouter(1, i);
        }
        for (int i = 1; i <= 20; i++) {
            assertThat(ia.isBy(1, i)).isEqualTo(i > 20 - In6Ifaddr.MAX_ROUTERS);
        }
        for (int i = 20; i >= 1; i--) {
            assertThat(ia.isByRouter()).isEqualTo(i > 20 - In6Ifaddr.MAX_ROUTERS);
            ia.removeRouter(1, i);
            assertThat(ia.isBy(1, i)).isFalse();
        }
    }

    @Test
    @Tag("RFC6724-5-6")
    void rule6_aMatchingLabel() {
        wins("2002:c633:6401::1", on(out, "2002:c633:6401::d5e3:7953:13eb:22e8", IN6_IFF_TEMPORARY),
            on(out, "2001:db8:1::2", 0));
        wins("2001:db8:7::1", on(out, "2001:db8:1::2", 0), on(out, "fd00:db8::1", 0));
        wins("fd00:1::1", on(out, "fd77::1", 0), on(out, "2001:db8:1::2", 0));
    }

    @Test
    @Tag("RFC6724-5-7")
    void rule7_aTemporaryOne_wherePreferred() {
        final In6Ifaddr temporary = on(out, "2001:db8:1:0:d5e3:7953:13eb:22e8", IN6_IFF_TEMPORARY);
        final In6Ifaddr open = on(out, "2001:db8:1::2", 0);
        wins("2001:db8:1:0:d5e3::1", In6Addrs.TEMPADDR_PREFER, temporary, open);
        wins("2001:db8:1:0:d5e3::1", In6Addrs.TEMPADDR_NOTPREFER, open, temporary);
        wins("2001:db8:1:0:d5e3::1", open, temporary);
        net.vnet.sysctl().set("net.inet6.ip6.prefer_tempaddr", "1");
        wins("2001:db8:1:0:d5e3::1", temporary, open);
        wins("2001:db8:1:0:d5e3::1", In6Addrs.TEMPADDR_NOTPREFER, open, temporary);
    }

    @Test
    @Tag("RFC6724-5-8")
    void rule8_theLongestCommonPrefix_ofThePrefixAtMost() {
        wins("2001:db8:1::1", on(out, "2001:db8:1::2", 0), on(out, "2001:db8:3::2", 0));
        addrs.add(on(out, "2001:db8:1::ff00", 0));
        addrs.add(on(out, "2001:db8:1::2", 0)); // nearer, but behind the prefix nothing counts
        assertThat(chosen("2001:db8:1::3", In6Addrs.TEMPADDR_SYSTEM)).isEqualTo("2001:db8:1::ff00");
    }

    @Test
    void neverASource_tentativeAnycastAnotherLinks() {
        addrs.add(on(out, "2001:db8:1::1", IN6_IFF_TENTATIVE));
        addrs.add(on(out, "2001:db8:1::2", IN6_IFF_ANYCAST));
        addrs.add(on(other, "fe80::2", 0));
        assertThat(chosen("2001:db8:1::9", In6Addrs.TEMPADDR_SYSTEM)).isNull();
        addrs.add(on(other, "2001:db8:2::1", 0));
        assertThat(chosen("fe80::9", In6Addrs.TEMPADDR_SYSTEM)).isNull();
        assertThat(chosen("2001:db8:1::9", In6Addrs.TEMPADDR_SYSTEM)).isEqualTo("2001:db8:2::1");
    }

    @Test
    void policy_startsAsTheRfcHasIt_canBeChangedAndPutBack() {
        final In6Policy p = addrs.policy;
        final String[] of = {"::1", "2001:db8::1", "::ffff:1.2.3.4", "2002::1", "2001::1", "fd00::1", "::7", "fec0::1",
            "3ffe::1"};
        final int[] label = {0, 1, 4, 2, 5, 13, 3, 11, 12};
        final int[] precedence = {50, 40, 35, 30, 5, 3, 1, 1, 1};
        for (int i = 0; i < of.length; i++) {
            final SockAddr a = In6SelectTest.addr6(of[i]);
            assertThat(p.label(a.hi(), a.lo())).as(of[i]).isEqualTo(label[i]);
            assertThat(p.precedence(a.hi(), a.lo())).as(of[i]).isEqualTo(precedence[i]);
        }
        final SockAddr ours = addr("2001:db8:3::");
        assertThat(p.add(ours, 48, 60, 7)).isEqualTo(Errno.OK);
        assertThat(p.add(ours, 48, 60, 7)).isEqualTo(Errno.EEXIST);
        assertThat(p.add(ours, 32, 60, 7)).isEqualTo(Errno.EINVAL);
        assertThat(p.add(addr("2001:db8:1::"), 48, 60, 7)).isEqualTo(Errno.OK);
        wins("2001:db8:1:8000::1", on(out, "2001:db8:3::2", 0), on(out, "2001:db8:2::2", 0));
        assertThat(p.delete(ours, 48)).isEqualTo(Errno.OK);
        assertThat(p.delete(ours, 48)).isEqualTo(Errno.ENOENT);
        p.reset(true);
        assertThat(p.all()).hasSize(9);
        p.reset(false);
        assertThat(p.all()).isEmpty();
        assertThat(p.label(ours.hi(), ours.lo())).isEqualTo(In6Policy.ADDR_LABEL_NOTAPP);
    }

    private static SockAddr addr6(final String text) {
        final SockAddr a = addr(text);
        return a.family() == SockAddr.AF_INET6 ? a : SockAddr.in6(0, In6.v4Mapped(a.in4()), 0);
    }
}
