package io.gatun.netinet.mld;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet6;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What MLD says to members' changes and routers' questions, and when. */
class MldTest {
    private static final long MS = 1_000_000L;
    private static final long SEC = 1000 * MS;
    private static final String GROUP = "ff15::1:2:3";
    private static final String ALL = "ff02::1";
    private static final SockAddr ROUTER = SockAddr.of("fe80::99", 0);
    private static final byte[] RA = {58, 0, 5, 2, 0, 0, 1, 0};

    private final TestNet6 net = new TestNet6();
    private final Moptions a = new Moptions(net.inet6.mld.gmp);
    private final Moptions b = new Moptions(net.inet6.mld.gmp);

    @BeforeEach
    void settle() {
        net.advance(30 * SEC);
        net.sent0.clear();
    }

    @AfterEach
    void close() {
        a.leave(addr(GROUP), null);
        b.leave(addr(GROUP), null);
        net.close();
    }

    private static SockAddr addr(final String text) {
        return SockAddr.of(text, 0);
    }

    private Errno join(final Moptions m) {
        return m.join(addr(GROUP), net.net.wire0.ifp);
    }

    private Errno joinSource(final Moptions m, final String source) {
        return m.joinSource(addr(GROUP), net.net.wire0.ifp, addr(source));
    }

    /** What was sent about the group, one text a message. */
    private List<String> sent() {
        net.pump();
        final List<String> out = new ArrayList<>();
        for (final byte[] p : net.sent0) {
            if (p[6] == 0 && p[40] == 58) {
                out.add(message(p));
            }
        }
        net.sent0.clear();
        return out;
    }

    private static String at(final byte[] p, final int off) {
        return TestNet6.addr(p, off).host();
    }

    private static String message(final byte[] p) {
        assertThat(p[7]).as("hop limit").isEqualTo((byte) 1);
        assertThat(at(p, 8)).startsWith("fe80::");
        assertThat(Packets.tail(java.util.Arrays.copyOf(p, 48), 40)).isEqualTo(RA);
        assertThat(TestNet6.cksum6(p, 48, 58)).isZero();
        final String to = " to " + at(p, 24);
        return switch (Packets.u8(p, 48)) {
            case 131 -> "v1 report " + at(p, 56) + to;
            case 132 -> "done " + at(p, 56) + to;
            default -> {
                assertThat(Packets.u8(p, 48)).isEqualTo(143);
                assertThat(to).isEqualTo(" to ff02::16");
                yield records(p);
            }
        };
    }

    private static String records(final byte[] p) {
        final String[] types = {"", "IS_IN", "IS_EX", "TO_IN", "TO_EX", "ALLOW", "BLOCK"};
        final List<String> out = new ArrayList<>();
        int at = 56;
        for (int i = Packets.u16(p, 54); i > 0; i--) {
            final List<String> sources = new ArrayList<>();
            final int n = Packets.u16(p, at + 2);
            for (int j = 0; j < n; j++) {
                sources.add(at(p, at + 20 + 16 * j));
            }
            out.add(types[p[at]] + " " + at(p, at + 4) + " {" + String.join(",", sources) + "}");
            at += 20 + 16 * n;
        }
        assertThat(at).isEqualTo(p.length);
        return String.join(" | ", out);
    }

    private void receive(final SockAddr src, final String dst, final byte[] body, final int hlim, final byte[] ext) {
        final byte[] m = body.clone();
        byte[] p = TestNet6.ip6(src, addr(dst), 58, m);
        Packets.put(p, 42, TestNet6.cksum6(p, 40, 58), 2);
        p = ext == null ? p : TestNet6.with(p, 0, ext);
        p[7] = (byte) hlim;
        net.receive0(p);
    }

    private static byte[] body(final int type, final int code, final String group, final int length) {
        final byte[] m = new byte[length];
        m[0] = (byte) type;
        Packets.put(m, 4, code, 2);
        final SockAddr g = addr(group);
        Packets.put(m, 8, g.hi(), 8);
        Packets.put(m, 16, g.lo(), 8);
        return m;
    }

    private static byte[] query2(final int code, final String group, final String... sources) {
        final byte[] m = body(130, code, group, 28 + 16 * sources.length);
        m[24] = 2;
        m[25] = 125;
        Packets.put(m, 26, sources.length, 2);
        for (int i = 0; i < sources.length; i++) {
            Packets.put(m, 28 + 16 * i, addr(sources[i]).hi(), 8);
            Packets.put(m, 36 + 16 * i, addr(sources[i]).lo(), 8);
        }
        return m;
    }

    private void query(final int code, final String group, final String... sources) {
        receive(ROUTER, "::".equals(group) ? ALL : group, query2(code, group, sources), 1, RA);
    }

    private long toNextTimer() {
        final long start = net.net.clock.nanoTime();
        final long next = net.net.vnet.nextDeadlineNs();
        net.advance(next - start - 1);
        assertThat(sent()).isEmpty();
        net.advance(1);
        return next - start;
    }

    @Test
    @Tag("RFC3810-6.1")
    void join_andLeave_toldAtOnceAndOnceMore() {
        assertThat(join(a)).isEqualTo(Errno.OK);
        assertThat(sent()).containsExactly("TO_EX ff15::1:2:3 {}");
        assertThat(toNextTimer()).isBetween(1L, SEC);
        assertThat(sent()).containsExactly("TO_EX ff15::1:2:3 {}");
        a.leave(addr(GROUP), null);
        assertThat(sent()).containsExactly("TO_IN ff15::1:2:3 {}");
        assertThat(toNextTimer()).isBetween(1L, SEC);
        assertThat(sent()).containsExactly("TO_IN ff15::1:2:3 {}");
    }

    @Test
    @Tag("RFC3810-6.1")
    void sources_addUp_toldAsDifferences() {
        joinSource(a, "2001:db8::a1");
        assertThat(sent()).containsExactly("ALLOW ff15::1:2:3 {2001:db8::a1}");
        settle();
        join(b);
        assertThat(sent()).containsExactly("TO_EX ff15::1:2:3 {}");
        settle();
        b.block(addr(GROUP), net.net.wire0.ifp, addr("2001:db8::b1"), true);
        assertThat(sent()).containsExactly("BLOCK ff15::1:2:3 {2001:db8::b1}");
    }

    /** An address joins the group of its solicitations, and leaves it. */
    @Test
    @Tag("RFC3810-6.1")
    void solicitedNodeGroup_isReported_allNodesIsNot() throws Exception {
        net.net.config.addAddress(net.net.wire0.ifp, "2001:db8::aa:bbcc/64");
        assertThat(sent()).containsExactly("TO_EX ff02::1:ffaa:bbcc {}");
        settle();
        net.net.config.removeAddress(net.net.wire0.ifp, "2001:db8::aa:bbcc");
        assertThat(sent()).containsExactly("TO_IN ff02::1:ffaa:bbcc {}");
        settle();
        query(10, "::");
        net.advance(SEC);
        assertThat(sent()).hasSize(1).allMatch(s -> s.contains("IS_EX ff02::1:ff00:1 {}") && !s.contains("ff02::1 {"));
    }

    @Test
    @Tag("RFC3810-6.2")
    void queries_answeredWithinTheirTime() {
        join(a);
        b.joinSource(addr("ff15::7"), net.net.wire0.ifp, addr("2001:db8::a1"));
        settle();
        query(500, "::");
        assertThat(toNextTimer()).isBetween(1L, 500 * MS);
        assertThat(sent()).hasSize(1).allMatch(s -> s.contains("IS_EX ff15::1:2:3 {}")
            && s.contains("IS_IN ff15::7 {2001:db8::a1}"));
        query(500, GROUP);
        assertThat(toNextTimer()).isBetween(1L, 500 * MS);
        assertThat(sent()).containsExactly("IS_EX ff15::1:2:3 {}");
        query(500, "ff15::7", "2001:db8::a1", "2001:db8::a2");
        net.advance(SEC);
        assertThat(sent()).containsExactly("IS_IN ff15::7 {2001:db8::a1}");
        query(500, "ff15::7", "2001:db8::a2");
        net.advance(SEC);
        assertThat(sent()).isEmpty();
        b.leave(addr("ff15::7"), null);
    }

    @Test
    @Tag("RFC3810-8.2.1")
    void version1Router_isSpokenToInVersion1_forExactly260Seconds() {
        join(a);
        settle();
        receive(ROUTER, ALL, body(130, 10_000, "::", 24), 1, RA);
        final long from = net.net.clock.nanoTime();
        net.advance(10 * SEC);
        assertThat(sent()).contains("v1 report ff15::1:2:3 to ff15::1:2:3")
            .contains("v1 report ff02::1:ff00:1 to ff02::1:ff00:1");
        a.leave(addr(GROUP), null);
        assertThat(sent()).containsExactly("done ff15::1:2:3 to ff02::2");
        join(a);
        assertThat(sent()).containsExactly("v1 report ff15::1:2:3 to ff15::1:2:3");
        receive(SockAddr.of("fe80::77", 0), GROUP, body(131, 0, GROUP, 24), 1, RA);
        net.advance(20 * SEC);
        assertThat(sent()).as("another's report is enough").isEmpty();
        net.advance(from + 260 * SEC - MS - net.net.clock.nanoTime());
        assertThat(net.inet6.mld.gmp.version(net.net.wire0.ifp)).isEqualTo(1);
        net.advance(MS);
        assertThat(net.inet6.mld.gmp.version(net.net.wire0.ifp)).isEqualTo(2);
    }

    @Test
    @Tag("RFC3810-8.2.1")
    void version1RouterGone_theNextChange_isToldInVersion2_andOnceMore() {
        join(a);
        settle();
        receive(ROUTER, ALL, body(130, 10_000, "::", 24), 1, RA);
        net.advance(261 * SEC);
        sent();
        a.leave(addr(GROUP), null);
        assertThat(sent()).containsExactly("TO_IN ff15::1:2:3 {}");
        net.advance(10 * SEC);
        assertThat(sent()).containsExactly("TO_IN ff15::1:2:3 {}");
    }

    @Test
    @Tag("RFC3810-5.1.14")
    void badMessages_areDropped() {
        join(a);
        settle();
        final byte[] q = query2(100, "::");
        receive(ROUTER, ALL, q, 2, RA);
        receive(ROUTER, ALL, q, 1, null);
        receive(ROUTER, ALL, q, 1, new byte[] {58, 0, 1, 4, 0, 0, 0, 0});
        receive(TestNet6.PEER0, ALL, q, 1, RA);
        receive(ROUTER, ALL, java.util.Arrays.copyOf(q, 27), 1, RA);
        receive(ROUTER, ALL, java.util.Arrays.copyOf(q, 23), 1, RA);
        receive(ROUTER, ALL, query2(100, "2001:db8::1"), 1, RA);
        receive(ROUTER, ALL, query2(100, "::", "2001:db8::a1"), 1, RA);
        final byte[] lies = query2(100, GROUP);
        lies[27] = 9;
        receive(ROUTER, GROUP, lies, 1, RA);
        assertThat(net.net.drops(DropReason.MLD_BADMSG)).isEqualTo(9);
        net.advance(10 * SEC);
        assertThat(sent()).isEmpty();
    }

    @Test
    void randomMessages_doNoHarm() {
        final long seed = Long.getLong("gatun.seed", 21);
        System.out.println("seed=" + seed);
        final SplittableRandom r = new SplittableRandom(seed);
        for (int i = 0; i < 10_000; i++) {
            if (r.nextInt(40) == 0) {
                joinSource(r.nextBoolean() ? a : b, "2001:db8::" + r.nextInt(9));
            } else if (r.nextInt(40) == 0) {
                (r.nextBoolean() ? a : b).leave(addr(GROUP), null);
            }
            final byte[] m = new byte[r.nextInt(8, 80)];
            r.nextBytes(m);
            m[0] = (byte) (r.nextBoolean() ? 130 : 130 + r.nextInt(14));
            m[2] = 0;
            m[3] = 0;
            if (m.length >= 24 && r.nextBoolean()) {
                System.arraycopy(body(130, r.nextInt(1 << 16), r.nextBoolean() ? GROUP : "::", 24), 4, m, 4, 20);
            }
            if (m.length >= 28 && r.nextBoolean()) {
                Packets.put(m, 26, r.nextInt(5), 2);
            }
            receive(ROUTER, r.nextBoolean() ? GROUP : ALL, m, 1, RA);
            net.advance(r.nextLong(SEC));
            net.sent0.clear();
        }
    }

    @Test
    void delay_smallAndLarge() {
        assertThat(Mld.delay(32_767)).isEqualTo(32_767);
        assertThat(Mld.delay(32_768)).isEqualTo(32_768);
        assertThat(Mld.delay(0xffff)).isEqualTo(8_387_584);
    }

    /** A record that does not fit is not cut to nothing for ever. */
    @Test
    @Timeout(10)
    void linkTooSmallForASource_changeIsToldNevertheless() {
        net.net.wire0.ifp.setMtu(68);
        joinSource(a, "2001:db8::5");
        joinSource(a, "2001:db8::6");
        assertThat(sent()).contains("ALLOW " + GROUP + " {2001:db8::6}");
    }
}
