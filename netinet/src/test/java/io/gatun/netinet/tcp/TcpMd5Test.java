package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.HERE;
import static io.gatun.netinet.tcp.TcpFixture.PEER;
import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.PPORT;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_RST;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Signatures of RFC 2385; digests are computed here once more, by the text of the RFC. */
class TcpMd5Test {
    private static final String KEY = "secret";
    private static final SockAddr US = SockAddr.in(HERE, 0);
    private static final SockAddr THEM = SockAddr.in(PEER, 0);

    private final TcpFixture fx = new TcpFixture();
    private final TcpCtloutput ctl = new TcpCtloutput(null, null);
    private final TcpUsrreq usr = new TcpUsrreq(fx.tcp, ctl, SockAddr.AF_INET);

    @BeforeEach
    void keys() {
        assertThat(add(US, THEM, 0x1000)).isEqualTo(Errno.OK);
        assertThat(add(THEM, US, 0x1001)).isEqualTo(Errno.OK);
    }

    @AfterEach
    void whole() {
        fx.close();
    }

    private Errno add(SockAddr from, SockAddr to, int spi) {
        return fx.tcp.md5.sadb.add(from, to, spi, KEY.getBytes(StandardCharsets.US_ASCII));
    }

    private FakeSocket signing(FakeSocket so) {
        assertThat(ctl.ctloutput(tcpcb(so), SockOpt.set(InDefs.IPPROTO_TCP, InDefs.TCP_MD5SIG, 1L)))
            .isEqualTo(Errno.OK);
        return so;
    }

    private FakeSocket connected() {
        final FakeSocket so = signing(fx.socket());
        assertThat(usr.connect(so, SockAddr.in(PEER, PPORT), Ucred.ROOT)).isEqualTo(Errno.OK);
        assertThat(fx.only().signed(KEY)).isTrue();
        fx.seg(TH_SYN | TH_ACK).on(so).seq(PEER_ISS).mss(1460).md5(KEY).arrive();
        assertThat(fx.only().signed(KEY)).isTrue();
        assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        return so;
    }

    @Test
    @Tag("RFC2385-2-out")
    void established_everySegmentIsSigned_textIncluded() {
        final FakeSocket so = connected();
        fx.send(so, pattern(0, 5000));
        int at = 0;
        while (at < 5000) {
            final Out o = fx.sent.remove();
            assertThat(o.signed(KEY)).isTrue();
            assertThat(o.tso).isFalse();
            assertThat(o.len).isLessThanOrEqualTo(1440);
            at += o.len;
            fx.seg(TH_ACK).on(so).md5(KEY).arrive();
        }
        fx.seg(TH_ACK).on(so).data(3000).md5(KEY).arrive();
        assertThat(so.rcv.peek()).isEqualTo(pattern(0, 3000));
        fx.sent.forEach(o -> assertThat(o.signed(KEY)).isTrue());
        fx.sent.clear();
        assertThat(fx.stat("sig_rcvgoodsig")).isPositive();
    }

    @Test
    @Tag("RFC2385-2-in")
    @Tag("RFC2385-4.1")
    void established_unsignedOrWrong_isDropped_resetsToo() {
        final FakeSocket so = connected();
        fx.seg(TH_ACK).on(so).data(10).arrive();
        fx.seg(TH_RST).on(so).arrive();
        assertThat(fx.stat("sig_err_nosigopt")).isEqualTo(2);
        fx.seg(TH_ACK).on(so).data(10).md5("other").arrive();
        fx.seg(TH_RST).on(so).md5("other").arrive();
        assertThat(fx.stat("sig_rcvbadsig")).isEqualTo(2);
        fx.none();
        assertThat(so.rcv.peek()).isEmpty();
        assertThat(fx.drops(DropReason.TCP_BADSIG)).isEqualTo(4);
        fx.seg(TH_RST).on(so).md5(KEY).arrive();
        assertThat(so.error).isEqualTo(Errno.ECONNRESET);
    }

    @Test
    @Tag("RFC2385-2-out")
    void synSent_badAck_resetIsSigned() {
        final FakeSocket so = signing(fx.socket());
        usr.connect(so, SockAddr.in(PEER, PPORT), Ucred.ROOT);
        fx.only();
        fx.seg(TH_SYN | TH_ACK).on(so).ack(5).md5(KEY).arrive();
        final Out rst = fx.only();
        assertThat(rst.flags).isEqualTo(TH_RST);
        assertThat(rst.signed(KEY)).isTrue();
    }

    @Test
    void connect_withoutAKey_fails() {
        final FakeSocket so = signing(fx.socket());
        assertThat(usr.connect(so, SockAddr.in(PEER + 1, PPORT), Ucred.ROOT)).isEqualTo(Errno.EACCES);
        fx.none();
        assertThat(fx.stat("sig_err_buildsig")).isPositive();
    }

    @Test
    void listen_signedHandshake_childSigns() {
        final FakeSocket l = signing(fx.listener());
        fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).md5(KEY).arrive();
        final Out synAck = fx.only();
        assertThat(synAck.signed(KEY)).isTrue();
        fx.seg(TH_ACK).ack(synAck.seq + 1).arrive();
        fx.seg(TH_ACK).ack(synAck.seq + 1).md5("other").arrive();
        fx.none();
        assertThat(l.comp).as("the entry stays").isEmpty();
        fx.seg(TH_RST).md5("other").arrive();
        fx.seg(TH_RST).seq(PEER_ISS + 5).md5(KEY).arrive();
        assertThat(fx.only().signed(KEY)).as("challenge").isTrue();
        fx.seg(TH_ACK).ack(synAck.seq + 1).md5(KEY).arrive();
        final FakeSocket so = l.comp.getFirst();
        fx.send(so, pattern(0, 10));
        assertThat(fx.only().signed(KEY)).isTrue();
    }

    @Test
    @Tag("RFC2385-2-in")
    void listen_unsignedFromAPeerWithAKey_isDropped_fromAnotherNot() {
        signing(fx.listener());
        fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).arrive();
        fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).md5("other").arrive();
        fx.none();
        fx.seg(TH_SYN).from(PEER + 9, 7).seq(PEER_ISS).mss(1460).arrive();
        assertThat(fx.only().signature).isNull();
    }

    @Test
    void listen_signedWithoutTheOption_isDropped() {
        fx.listener();
        fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).md5(KEY).arrive();
        fx.none();
        assertThat(fx.stat("sig_err_sigopt")).isEqualTo(1);
    }

    @Test
    void cookiesOnly_signatureIsDemandedToo() {
        fx.sysctl("syncookies_only", "1");
        final FakeSocket l = signing(fx.listener());
        fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).md5(KEY).arrive();
        final Out synAck = fx.only();
        assertThat(synAck.signed(KEY)).isTrue();
        fx.seg(TH_ACK).ack(synAck.seq + 1).arrive();
        assertThat(l.comp).isEmpty();
        fx.seg(TH_ACK).ack(synAck.seq + 1).md5(KEY).arrive();
        fx.send(l.comp.getFirst(), pattern(0, 10));
        assertThat(fx.only().signed(KEY)).isTrue();
    }

    @Test
    @Tag("RFC2385-4.5")
    void sadb_addDeleteFlush() {
        assertThat(add(US, THEM, 0x1000)).isEqualTo(Errno.EEXIST);
        assertThat(fx.tcp.md5.sadb.delete(US, THEM, 0x1002)).isEqualTo(Errno.ENOENT);
        assertThat(fx.tcp.md5.sadb.delete(US, THEM, 0x1000)).isEqualTo(Errno.OK);
        assertThat(fx.tcp.md5.sadb.dump()).singleElement().asString().contains("10.0.0.2 10.0.0.1")
            .contains("0x00001001").doesNotContain(KEY);
        assertThat(fx.tcp.md5.sadb.add(US, SockAddr.of("::1", 0), 7, new byte[3])).isEqualTo(Errno.EINVAL);
        assertThat(fx.tcp.md5.sadb.add(US, THEM, 7, new byte[0])).isEqualTo(Errno.EINVAL);
        assertThat(fx.tcp.md5.sadb.add(US, THEM, 7, new byte[81])).isEqualTo(Errno.EINVAL);
        assertThat(fx.tcp.md5.sadb.add(THEM, US, 7, new byte[80])).isEqualTo(Errno.OK);
        for (int i = 0; i < 100; i++) {
            assertThat(add(SockAddr.in(i, 0), THEM, 0x1000)).isEqualTo(Errno.OK);
        }
        for (int i = 0; i < 100; i++) {
            assertThat(fx.tcp.md5.sadb.find(false, 0, i, 0, PEER)).isNotNull();
        }
        assertThat(fx.tcp.md5.sadb.find(true, 0, 5, 0, PEER)).isNull();
        fx.tcp.md5.sadb.flush();
        assertThat(fx.tcp.md5.sadb.dump()).isEmpty();
        assertThat(fx.tcp.md5.sadb.find(false, 0, 5, 0, PEER)).isNull();
    }

    @Test
    void keyGone_nothingGoesOut_untilItIsBack() {
        final FakeSocket so = connected();
        fx.tcp.md5.sadb.flush();
        fx.send(so, pattern(0, 10));
        fx.none();
        keys();
        fx.pass(3000);
        assertThat(fx.sent).isNotEmpty();
        assertThat(fx.sent.peek().signed(KEY)).isTrue();
        fx.sent.clear();
    }

    @Test
    void option_isAnswered() {
        final FakeSocket so = signing(fx.socket());
        final SockOpt get = SockOpt.get(InDefs.IPPROTO_TCP, InDefs.TCP_MD5SIG);
        assertThat(ctl.ctloutput(tcpcb(so), get)).isEqualTo(Errno.OK);
        assertThat(get.value()).isEqualTo(1);
    }

    @Test
    void sign_allocatesNothing() {
        final ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        final TcpOpt to = new TcpOpt();
        to.flags = Seg.TOF_SIGNATURE;
        final byte[] p = new byte[40 + to.length() + 1440];
        p[0] = 0x45;
        p[32] = (byte) (5 + to.length() / 4 << 4);
        TcpFixture.put32(p, 12, HERE);
        TcpFixture.put32(p, 16, PEER);
        final Mbuf m = fx.packet(p);
        final long self = Thread.currentThread().threadId();
        final long start = System.nanoTime();
        long least = Long.MAX_VALUE;
        while (least >= 10_000 && System.nanoTime() - start < 120_000_000_000L) { // it takes a while to be compiled
            final long before = bean.getThreadAllocatedBytes(self);
            for (int i = 0; i < 10_000; i++) {
                if (!fx.tcp.md5.sign(m, 20, to)) {
                    throw new AssertionError("not signed");
                }
            }
            least = Math.min(least, bean.getThreadAllocatedBytes(self) - before);
        }
        m.freeChain();
        assertThat(least / 10_000).as("octets of heap a segment").isZero();
    }
}
