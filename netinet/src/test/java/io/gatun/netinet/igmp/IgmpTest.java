package io.gatun.netinet.igmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.gmp.InMfilter;
import io.gatun.netinet.gmp.SourceSet;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What IGMP says to members' changes and routers' questions, and when. */
class IgmpTest {
    private static final long MS = 1_000_000L;
    private static final long SEC = 1000 * MS;
    private static final String GROUP = "239.1.2.3";
    private static final String ALL = "224.0.0.1";
    private static final byte[] RA = {(byte) 0x94, 4, 0, 0};

    private final TestNet net = new TestNet().resolved();
    private final Moptions a = new Moptions(net.inet.igmp.gmp);
    private final Moptions b = new Moptions(net.inet.igmp.gmp);

    @AfterEach
    void close() {
        leaveAll(a);
        leaveAll(b);
        net.close();
    }

    private void leaveAll(final Moptions m) {
        for (int i = 0; i < 2; i++) {
            m.leave(addr(GROUP), null);
            m.leave(addr("239.9.9.9"), null);
        }
    }

    private static SockAddr addr(final String text) {
        return SockAddr.of(text, 0);
    }

    private Errno join(final Moptions m) {
        return m.join(addr(GROUP), net.wire0.ifp);
    }

    private Errno joinSource(final Moptions m, final String source) {
        return m.joinSource(addr(GROUP), net.wire0.ifp, addr(source));
    }

    /** What was sent, one text a message: {@code v3 TO_EX 239.1.2.3 {} | ...}, {@code v2 report G to D}. */
    private List<String> sent() {
        final List<String> out = new ArrayList<>();
        byte[] f = net.wire0.next();
        while (f != null) {
            if (Packets.u16(f, 12) == 0x0800 && f[14 + 9] == 2) {
                out.add(message(f));
            }
            f = net.wire0.next();
        }
        return out;
    }

    private static String dotted(final byte[] b, final int at) {
        return SockAddr.in(Packets.i32(b, at), 0).host();
    }

    private static String message(final byte[] frame) {
        final byte[] ip = Packets.tail(frame, 14);
        assertThat(Packets.mac(frame, 0)).isEqualTo(0x01005e000000L | Packets.i32(ip, 16) & 0x7fffff);
        assertThat(ip[0]).as("Router Alert").isEqualTo((byte) 0x46);
        assertThat(Packets.i32(ip, 20)).isEqualTo(0x94040000);
        assertThat(Packets.cksum(ip, 0, 24)).isZero();
        assertThat(ip[8]).as("time to live").isEqualTo((byte) 1);
        assertThat(ip[1]).as("tos").isEqualTo((byte) 0xc0);
        assertThat(dotted(ip, 12)).isEqualTo("10.0.0.1");
        assertThat(Packets.cksum(ip, 24, ip.length - 24)).isZero();
        final String to = " to " + dotted(ip, 16);
        final String about = " " + dotted(ip, 28) + to;
        return switch (Packets.u8(ip, 24)) {
            case 0x12 -> "v1 report" + about;
            case 0x16 -> "v2 report" + about;
            case 0x17 -> "leave" + about;
            default -> {
                assertThat(Packets.u8(ip, 24)).isEqualTo(0x22);
                assertThat(to).isEqualTo(" to 224.0.0.22");
                yield records(ip);
            }
        };
    }

    private static String records(final byte[] ip) {
        final String[] types = {"", "IS_IN", "IS_EX", "TO_IN", "TO_EX", "ALLOW", "BLOCK"};
        final List<String> out = new ArrayList<>();
        int at = 32;
        for (int i = Packets.u16(ip, 30); i > 0; i--) {
            final List<String> sources = new ArrayList<>();
            final int n = Packets.u16(ip, at + 2);
            for (int j = 0; j < n; j++) {
                sources.add(dotted(ip, at + 8 + 4 * j));
            }
            out.add(types[ip[at]] + " " + dotted(ip, at + 4) + " {" + String.join(",", sources) + "}");
            at += 8 + 4 * n;
        }
        assertThat(at).isEqualTo(ip.length);
        return String.join(" | ", out);
    }

    private void receive(final byte[] igmp, final String dst, final int ttl, final byte[] options) {
        Packets.put(igmp, 2, 0, 2);
        Packets.put(igmp, 2, Packets.cksum(igmp, 0, igmp.length), 2);
        byte[] ip = Packets.ip(TestNet.PEER0, Packets.addr(dst), 2, 1, 0, igmp);
        ip = options == null ? ip : Packets.withOptions(ip, options);
        ip[8] = (byte) ttl;
        net.wire0.receive(Packets.ether(0x01005e000001L, TestNet.PEER0_MAC, 0x0800, Packets.fixIp(ip)));
    }

    private static byte[] oldMessage(final int type, final int code, final String group) {
        final byte[] m = new byte[8];
        m[0] = (byte) type;
        m[1] = (byte) code;
        Packets.put(m, 4, Packets.addr(group), 4);
        return m;
    }

    private static byte[] query3(final int code, final String group, final String... sources) {
        final byte[] m = new byte[12 + 4 * sources.length];
        m[0] = 0x11;
        m[1] = (byte) code;
        Packets.put(m, 4, Packets.addr(group), 4);
        m[8] = 2;
        m[9] = 125;
        Packets.put(m, 10, sources.length, 2);
        for (int i = 0; i < sources.length; i++) {
            Packets.put(m, 12 + 4 * i, Packets.addr(sources[i]), 4);
        }
        return m;
    }

    private void query(final int code, final String group, final String... sources) {
        receive(query3(code, group, sources), "0.0.0.0".equals(group) ? ALL : group, 1, RA);
    }

    /** Moves to just before the next timer, where nothing may happen, and then to it; how long it took. */
    private long toNextTimer() {
        final long start = net.clock.nanoTime();
        final long next = net.vnet.nextDeadlineNs();
        net.advance(next - start - 1);
        assertThat(sent()).isEmpty();
        net.advance(1);
        return next - start;
    }

    private void settle() {
        net.advance(30 * SEC);
        sent();
    }

    // Changes of members, version 3.

    @Test
    @Tag("RFC3376-5.1")
    void join_everybody_toldAtOnceAndOnceMore() {
        assertThat(join(a)).isEqualTo(Errno.OK);
        assertThat(sent()).containsExactly("TO_EX 239.1.2.3 {}");
        assertThat(toNextTimer()).isBetween(1L, SEC);
        assertThat(sent()).containsExactly("TO_EX 239.1.2.3 {}");
        net.advance(1000 * SEC);
        assertThat(sent()).isEmpty();
        assertThat(net.inet.multi.isMember(net.wire0.ifp, Packets.addr(GROUP))).isTrue();
    }

    @Test
    @Tag("RFC3376-5.1")
    void leave_last_toldAtOnceAndOnceMore() {
        join(a);
        join(b);
        settle();
        a.leave(addr(GROUP), net.wire0.ifp);
        assertThat(sent()).isEmpty();
        b.leave(addr(GROUP), null);
        assertThat(sent()).containsExactly("TO_IN 239.1.2.3 {}");
        assertThat(toNextTimer()).isBetween(1L, SEC);
        assertThat(sent()).containsExactly("TO_IN 239.1.2.3 {}");
        net.advance(1000 * SEC);
        assertThat(sent()).isEmpty();
        assertThat(net.inet.multi.isMember(net.wire0.ifp, Packets.addr(GROUP))).isFalse();
    }

    @Test
    void leaveWhileJoinIsStillTold_lastStateWins() {
        join(a);
        a.leave(addr(GROUP), null);
        assertThat(sent()).containsExactly("TO_EX 239.1.2.3 {}", "TO_IN 239.1.2.3 {}");
        net.advance(10 * SEC);
        assertThat(sent()).containsExactly("TO_IN 239.1.2.3 {}");
    }

    @Test
    void sources_comeAndGo_toldAsDifferences() {
        assertThat(joinSource(a, "10.9.9.1")).isEqualTo(Errno.OK);
        assertThat(sent()).containsExactly("ALLOW 239.1.2.3 {10.9.9.1}");
        settle();
        joinSource(a, "10.9.9.2");
        joinSource(b, "10.9.9.1");
        assertThat(sent()).containsExactly("ALLOW 239.1.2.3 {10.9.9.2}");
        settle();
        a.leaveSource(addr(GROUP), null, addr("10.9.9.1"));
        assertThat(sent()).as("the other socket wants it still").isEmpty();
        b.leaveSource(addr(GROUP), null, addr("10.9.9.1"));
        assertThat(sent()).containsExactly("BLOCK 239.1.2.3 {10.9.9.1}");
        net.advance(10 * SEC);
        assertThat(sent()).containsExactly("BLOCK 239.1.2.3 {10.9.9.1}");
        a.leaveSource(addr(GROUP), null, addr("10.9.9.2"));
        assertThat(sent()).containsExactly("BLOCK 239.1.2.3 {10.9.9.2}");
        assertThat(a.leave(addr(GROUP), null)).isEqualTo(Errno.EADDRNOTAVAIL);
    }

    @Test
    void twoChangesBeforeTheRepetition_eachSenderIsToldTwice() {
        joinSource(a, "10.9.9.1");
        joinSource(a, "10.9.9.2");
        assertThat(sent()).containsExactly("ALLOW 239.1.2.3 {10.9.9.1}", "ALLOW 239.1.2.3 {10.9.9.1,10.9.9.2}");
        net.advance(10 * SEC);
        assertThat(sent()).containsExactly("ALLOW 239.1.2.3 {10.9.9.2}");
    }

    @Test
    void modes_ofSeveralSockets_addUp() {
        joinSource(a, "10.9.9.1");
        settle();
        join(b);
        assertThat(sent()).containsExactly("TO_EX 239.1.2.3 {}");
        settle();
        b.block(addr(GROUP), net.wire0.ifp, addr("10.9.9.5"), true);
        assertThat(sent()).containsExactly("BLOCK 239.1.2.3 {10.9.9.5}");
        settle();
        b.block(addr(GROUP), net.wire0.ifp, addr("10.9.9.1"), true);
        assertThat(sent()).as("the other socket wants it").isEmpty();
        b.block(addr(GROUP), net.wire0.ifp, addr("10.9.9.5"), false);
        assertThat(sent()).containsExactly("ALLOW 239.1.2.3 {10.9.9.5}");
        settle();
        b.leave(addr(GROUP), null);
        assertThat(sent()).containsExactly("TO_IN 239.1.2.3 {10.9.9.1}");
    }

    @Test
    void requests_thatDoNotFit_areRefused() {
        final SockAddr s = addr("10.9.9.1");
        final SockAddr g = addr(GROUP);
        assertThat(a.join(addr("10.0.0.9"), net.wire0.ifp)).isEqualTo(Errno.EINVAL);
        assertThat(a.block(g, net.wire0.ifp, s, true)).isEqualTo(Errno.EADDRNOTAVAIL);
        assertThat(a.leaveSource(g, net.wire0.ifp, s)).isEqualTo(Errno.EADDRNOTAVAIL);
        join(a);
        assertThat(join(a)).isEqualTo(Errno.EADDRINUSE);
        assertThat(joinSource(a, "10.9.9.1")).isEqualTo(Errno.EINVAL);
        assertThat(a.leaveSource(g, net.wire0.ifp, s)).isEqualTo(Errno.EINVAL);
        assertThat(a.block(g, net.wire0.ifp, s, false)).isEqualTo(Errno.EADDRNOTAVAIL);
        joinSource(b, "10.9.9.1");
        assertThat(joinSource(b, "10.9.9.1")).isEqualTo(Errno.EADDRNOTAVAIL);
        assertThat(b.block(g, net.wire0.ifp, s, true)).isEqualTo(Errno.EINVAL);
        assertThat(join(b)).isEqualTo(Errno.EINVAL);
        SourceSet many = SourceSet.EMPTY;
        for (int i = 1; i <= Moptions.MAX_SOCK_SRC_FILTER; i++) {
            many = many.union(SourceSet.of(0, i));
        }
        assertThat(b.setFilter(g, net.wire0.ifp, new InMfilter(true, many))).isEqualTo(Errno.OK);
        assertThat(joinSource(b, "10.9.9.7")).isEqualTo(Errno.ENOBUFS);
        assertThat(b.setFilter(g, net.wire0.ifp, InMfilter.NONE)).isEqualTo(Errno.OK);
        assertThat(b.filter(g, net.wire0.ifp)).isNull();
    }

    @Test
    @Tag("RFC3376-6")
    void allHosts_isNeverReported() {
        assertThat(a.join(addr(ALL), net.wire0.ifp)).isEqualTo(Errno.OK);
        query(10, "0.0.0.0");
        net.advance(20 * SEC);
        assertThat(sent()).isEmpty();
        a.leave(addr(ALL), null);
        assertThat(sent()).isEmpty();
    }

    @Test
    void interfaceComesUp_groupsAreToldAnew() {
        join(a);
        settle();
        net.wire0.ifp.down();
        net.advance(SEC);
        net.wire0.ifp.up();
        assertThat(sent()).containsExactly("TO_EX 239.1.2.3 {}");
        net.advance(10 * SEC);
        assertThat(sent()).containsExactly("TO_EX 239.1.2.3 {}");
    }

    // Queries, version 3.

    @Test
    @Tag("RFC3376-5.2")
    void generalQuery_answeredOnceWithinItsTime() {
        join(a);
        a.join(addr("239.9.9.9"), net.wire0.ifp);
        a.block(addr("239.9.9.9"), net.wire0.ifp, addr("10.9.9.1"), true);
        settle();
        query(50, "0.0.0.0");
        assertThat(sent()).isEmpty();
        assertThat(toNextTimer()).isBetween(1L, 5 * SEC);
        assertThat(sent()).containsExactly("IS_EX 239.1.2.3 {} | IS_EX 239.9.9.9 {10.9.9.1}");
        net.advance(100 * SEC);
        assertThat(sent()).isEmpty();
    }

    @Test
    void secondGeneralQuery_withLessTime_isAnsweredInIt() {
        join(a);
        settle();
        query(0x8f, "0.0.0.0"); // (15 | 16) << 3 tenths: 24.8 s
        query(1, "0.0.0.0");
        assertThat(toNextTimer()).isBetween(1L, 100 * MS);
        assertThat(sent()).containsExactly("IS_EX 239.1.2.3 {}");
        net.advance(100 * SEC);
        assertThat(sent()).isEmpty();
    }

    @Test
    @Tag("RFC3376-5.2")
    void groupQuery_answeredForThatGroup() {
        join(a);
        a.join(addr("239.9.9.9"), net.wire0.ifp);
        settle();
        query(10, "239.9.9.9");
        query(10, "239.7.7.7");
        assertThat(toNextTimer()).isBetween(1L, SEC);
        assertThat(sent()).containsExactly("IS_EX 239.9.9.9 {}");
        net.advance(100 * SEC);
        assertThat(sent()).isEmpty();
    }

    /** The table of RFC 3376 section 5.2: A is ours, B is asked. */
    @Test
    @Tag("RFC3376-5.2")
    void sourceQuery_answersWhoOfThoseIsHeard() {
        joinSource(a, "10.9.9.1");
        joinSource(a, "10.9.9.2");
        settle();
        query(10, GROUP, "10.9.9.2", "10.9.9.3");
        net.advance(2 * SEC);
        assertThat(sent()).containsExactly("IS_IN 239.1.2.3 {10.9.9.2}");
        query(10, GROUP, "10.9.9.3");
        net.advance(2 * SEC);
        assertThat(sent()).isEmpty();
        join(b);
        b.block(addr(GROUP), net.wire0.ifp, addr("10.9.9.3"), true);
        settle();
        query(10, GROUP, "10.9.9.2", "10.9.9.3", "10.9.9.4");
        net.advance(2 * SEC);
        assertThat(sent()).containsExactly("IS_IN 239.1.2.3 {10.9.9.2,10.9.9.4}");
    }

    @Test
    void sourceQueries_beforeTheAnswer_addUp_andAGroupQuerySwallowsThem() {
        join(a);
        settle();
        query(100, GROUP, "10.9.9.2");
        query(100, GROUP, "10.9.9.1");
        net.advance(11 * SEC);
        assertThat(sent()).containsExactly("IS_IN 239.1.2.3 {10.9.9.1,10.9.9.2}");
        query(100, GROUP, "10.9.9.2");
        query(100, GROUP);
        net.advance(11 * SEC);
        assertThat(sent()).containsExactly("IS_EX 239.1.2.3 {}");
    }

    @Test
    void robustnessOfTheQuerier_isTaken() {
        final byte[] q = query3(1, "0.0.0.0");
        q[8] = 4;
        receive(q, ALL, 1, RA);
        join(a);
        net.advance(30 * SEC);
        assertThat(sent()).hasSize(4 + 1).containsOnlyOnce("IS_EX 239.1.2.3 {}");
    }

    @Test
    void longLists_areCutOrDivided() {
        final Moptions[] all = new Moptions[4];
        for (int i = 0; i < all.length; i++) {
            all[i] = new Moptions(net.inet.igmp.gmp);
            SourceSet s = SourceSet.EMPTY;
            for (int j = 0; j < 120; j++) {
                s = s.union(SourceSet.of(0, Packets.addr("10.9." + i + "." + j) & 0xffffffffL));
            }
            all[i].setFilter(addr(GROUP), net.wire0.ifp, new InMfilter(true, s));
        }
        settle();
        query(10, "0.0.0.0");
        net.advance(2 * SEC);
        final List<String> answers = sent();
        assertThat(answers).hasSize(2);
        assertThat(answers.get(0).split(",")).hasSize(365);
        assertThat(answers.get(1).split(",")).hasSize(115);
        for (final Moptions m : all) {
            m.leave(addr(GROUP), null);
        }
    }

    // Older versions.

    @Test
    @Tag("RFC3376-7.2.1")
    void version2Router_isSpokenToInVersion2_forExactly260Seconds() {
        join(a);
        settle();
        receive(oldMessage(0x11, 100, "0.0.0.0"), ALL, 1, RA);
        final long from = net.clock.nanoTime();
        assertThat(toNextTimer()).isBetween(1L, 10 * SEC);
        assertThat(sent()).containsExactly("v2 report 239.1.2.3 to 239.1.2.3");
        a.join(addr("239.9.9.9"), net.wire0.ifp);
        assertThat(sent()).containsExactly("v2 report 239.9.9.9 to 239.9.9.9");
        assertThat(toNextTimer()).isBetween(1L, 10 * SEC);
        assertThat(sent()).containsExactly("v2 report 239.9.9.9 to 239.9.9.9");
        a.leave(addr("239.9.9.9"), null);
        assertThat(sent()).containsExactly("leave 239.9.9.9 to 224.0.0.2");
        net.advance(from + 260 * SEC - 1 * MS - net.clock.nanoTime());
        assertThat(net.inet.igmp.gmp.version(net.wire0.ifp)).isEqualTo(2);
        net.advance(1 * MS);
        assertThat(net.inet.igmp.gmp.version(net.wire0.ifp)).isEqualTo(3);
        assertThat(sent()).isEmpty();
        a.leave(addr(GROUP), null);
        assertThat(sent()).containsExactly("TO_IN 239.1.2.3 {}");
    }

    @Test
    @Tag("RFC3376-7.2.1")
    void version2RouterGone_theNextChange_isToldInVersion3_andOnceMore() {
        join(a);
        settle();
        receive(oldMessage(0x11, 100, "0.0.0.0"), ALL, 1, RA);
        net.advance(261 * SEC);
        sent();
        a.join(addr("239.9.9.9"), net.wire0.ifp);
        assertThat(sent()).containsExactly("TO_EX 239.9.9.9 {}");
        net.advance(10 * SEC);
        assertThat(sent()).containsExactly("TO_EX 239.9.9.9 {}");
        receive(oldMessage(0x11, 100, "0.0.0.0"), ALL, 1, RA);
        net.advance(261 * SEC);
        sent();
        a.leave(addr(GROUP), null);
        assertThat(sent()).containsExactly("TO_IN 239.1.2.3 {}");
        net.advance(10 * SEC);
        assertThat(sent()).containsExactly("TO_IN 239.1.2.3 {}");
    }

    @Test
    void versionChangedWhileDown_withALeaveStillToTell_theOthersAreToldInIt() {
        join(a);
        a.join(addr("239.9.9.9"), net.wire0.ifp);
        settle();
        a.leave(addr(GROUP), null);
        assertThat(sent()).containsExactly("TO_IN 239.1.2.3 {}");
        net.wire0.ifp.down();
        net.vnet.sysctl().set("net.inet.igmp.default_version", "2");
        net.wire0.ifp.up();
        assertThat(sent()).containsExactly("v2 report 239.9.9.9 to 239.9.9.9");
    }

    @Test
    void version2_reportOfAnother_makesOursNeedless() {
        receive(oldMessage(0x11, 100, "0.0.0.0"), ALL, 1, RA);
        join(a);
        assertThat(sent()).containsExactly("v2 report 239.1.2.3 to 239.1.2.3");
        receive(oldMessage(0x16, 0, GROUP), GROUP, 1, RA);
        net.advance(30 * SEC);
        assertThat(sent()).isEmpty();
        a.leave(addr(GROUP), null);
        assertThat(sent()).as("another was the last to report").isEmpty();
    }

    @Test
    void version1Router_hearsNoLeave() {
        receive(oldMessage(0x11, 0, "0.0.0.0"), ALL, 1, null);
        join(a);
        assertThat(sent()).containsExactly("v1 report 239.1.2.3 to 239.1.2.3");
        a.leave(addr(GROUP), null);
        net.advance(30 * SEC);
        assertThat(sent()).isEmpty();
        net.vnet.sysctl().set("net.inet.igmp.v1enable", "0");
        net.advance(400 * SEC);
        receive(oldMessage(0x11, 0, "0.0.0.0"), ALL, 1, null);
        assertThat(net.inet.igmp.gmp.version(net.wire0.ifp)).isEqualTo(3);
    }

    @Test
    void version3Reports_ofOthers_changeNothing() {
        join(a);
        settle();
        query(10, "0.0.0.0");
        receive(oldMessage(0x16, 0, GROUP), GROUP, 1, RA);
        net.advance(2 * SEC);
        assertThat(sent()).containsExactly("IS_EX 239.1.2.3 {}");
    }

    // What is no good.

    @Test
    @Tag("RFC3376-4")
    void badMessages_areCountedAndNotAnswered() {
        join(a);
        settle();
        receive(query3(10, "0.0.0.0"), ALL, 2, RA);
        assertThat(net.drops(DropReason.IGMP_BADTTL)).isEqualTo(1);
        receive(query3(10, "0.0.0.0"), ALL, 1, null);
        assertThat(net.stat("igmp.rcv_nora")).isEqualTo(1);
        receive(query3(10, "0.0.0.0"), GROUP, 1, RA);
        receive(query3(10, "10.0.0.1"), ALL, 1, RA);
        receive(query3(10, "0.0.0.0", "10.9.9.1"), ALL, 1, RA);
        receive(java.util.Arrays.copyOf(query3(10, GROUP), 10), GROUP, 1, RA);
        final byte[] lies = query3(10, GROUP);
        lies[11] = 9;
        receive(lies, GROUP, 1, RA);
        assertThat(net.stat("igmp.rcv_badqueries")).isEqualTo(5);
        receive(new byte[7], ALL, 1, RA);
        assertThat(net.drops(DropReason.IGMP_TOOSHORT)).isEqualTo(1);
        net.wire0.receive(Packets.ether(0x01005e000001L, TestNet.PEER0_MAC, 0x0800,
            Packets.ip(TestNet.PEER0, Packets.addr(ALL), 2, 1, 0, query3(10, "0.0.0.0"))));
        assertThat(net.drops(DropReason.IGMP_BADSUM)).isEqualTo(1);
        net.advance(100 * SEC);
        assertThat(sent()).isEmpty();
    }

    @Test
    void randomMessages_doNoHarm() {
        final long seed = Long.getLong("gatun.seed", 9);
        System.out.println("seed=" + seed);
        final SplittableRandom r = new SplittableRandom(seed);
        for (int i = 0; i < 20_000; i++) {
            if (r.nextInt(50) == 0) {
                joinSource(r.nextBoolean() ? a : b, "10.9.9." + r.nextInt(9));
            } else if (r.nextInt(50) == 0) {
                (r.nextBoolean() ? a : b).leave(addr(GROUP), null);
            }
            final byte[] m = new byte[r.nextInt(8, 40)];
            r.nextBytes(m);
            m[0] = (byte) (r.nextInt(4) == 0 ? r.nextInt() : r.nextBoolean() ? 0x11 : 0x16);
            if (r.nextBoolean()) {
                Packets.put(m, 4, Packets.addr(r.nextBoolean() ? GROUP : "0.0.0.0"), 4);
            }
            if (m.length >= 12 && r.nextBoolean()) {
                Packets.put(m, 10, r.nextInt(8), 2);
            }
            receive(m, r.nextBoolean() ? GROUP : ALL, 1, r.nextBoolean() ? RA : null);
            net.advance(r.nextLong(SEC));
            net.wire0.sent.clear();
        }
    }

    @Test
    void decode_smallAndLarge() {
        assertThat(Igmp.decode(127)).isEqualTo(127);
        assertThat(Igmp.decode(128)).isEqualTo(128);
        assertThat(Igmp.decode(0x8f)).isEqualTo(248);
        assertThat(Igmp.decode(0xff)).isEqualTo(31_744);
    }
}
