package io.gatun.netinet.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The order and padding of the options that are sent, as packet traces of FreeBSD show them. */
class TcpOptTest {
    private final TcpFixture fx = new TcpFixture();
    private final TcpOpt to = new TcpOpt();

    @AfterEach
    void whole() {
        fx.close();
    }

    @Test
    @Tag("RFC9293-MUST-4")
    @Tag("RFC9293-MUST-68")
    @Tag("RFC9293-SHLD-5")
    @Tag("RFC9293-MAY-3")
    void all_ofASyn_standInFreeBsdsOrder() {
        to.flags = Seg.TOF_MSS | Seg.TOF_SCALE | Seg.TOF_SACKPERM | Seg.TOF_TS;
        assertThat(laidOut()).isEqualTo("mss,nop,wscale,sackOK,TS");
    }

    @Test
    @Tag("RFC9293-MUST-69")
    void synAckWithoutTimestamps_isPaddedAtItsEnd() {
        to.flags = Seg.TOF_MSS | Seg.TOF_SACKPERM;
        assertThat(laidOut()).isEqualTo("mss,sackOK,eol,eol");
    }

    @Test
    void timestampsAlone_arePaddedInFront() {
        to.flags = Seg.TOF_TS;
        assertThat(laidOut()).isEqualTo("nop,nop,TS");
    }

    @Test
    void timestampsAfterMss_arePaddedInFront() {
        to.flags = Seg.TOF_MSS | Seg.TOF_TS;
        assertThat(laidOut()).isEqualTo("mss,nop,nop,TS");
    }

    @Test
    void fastOpen_withoutAndWithCookie_endsTheOptions() {
        to.flags = Seg.TOF_MSS | Seg.TOF_SCALE | Seg.TOF_SACKPERM | Seg.TOF_TS | Seg.TOF_FASTOPEN;
        assertThat(laidOut()).isEqualTo("mss,nop,wscale,sackOK,TS,FO,eol,eol");
        to.cookieLen = 8;
        assertThat(laidOut()).isEqualTo("mss,nop,wscale,sackOK,TS,FO8,eol,eol");
    }

    @Test
    void fastOpen_thatDoesNotFit_isLeftOut() {
        to.flags = Seg.TOF_MSS | Seg.TOF_SCALE | Seg.TOF_SACKPERM | Seg.TOF_TS | Seg.TOF_SIGNATURE | Seg.TOF_FASTOPEN;
        to.cookieLen = 8;
        assertThat(laidOut()).isEqualTo("mss,nop,wscale,sackOK,TS,nop,nop,md5");
        assertThat(to.has(Seg.TOF_FASTOPEN)).isFalse();
        assertThat(to.sigOff).isEqualTo(24);
    }

    @Test
    void sack_takesTheRoomThereIs() {
        to.nsacks = 4;
        to.flags = Seg.TOF_SACK;
        assertThat(laidOut()).isEqualTo("nop,nop,sack4");
        to.flags = Seg.TOF_SACK | Seg.TOF_TS;
        assertThat(laidOut()).isEqualTo("nop,nop,TS,nop,nop,sack3");
        to.flags = Seg.TOF_SACK | Seg.TOF_TS | Seg.TOF_SIGNATURE;
        assertThat(laidOut()).isEqualTo("nop,nop,TS,nop,nop,md5");
    }

    @Test
    void none_isNothing() {
        assertThat(to.length()).isZero();
    }

    /** Kinds by name; with lengths where they vary. Checks that counting and writing agree. */
    private String laidOut() {
        final Mbuf m = fx.vnet.pool().gethdr(Mbuf.MT_DATA);
        m.len(64);
        final int len = to.length();
        assertThat(to.addOptions(m, 4)).isEqualTo(len);
        assertThat(len % 4).isZero();
        final List<String> names = new ArrayList<>();
        int at = 4;
        while (at < 4 + len) {
            final int kind = m.getU8(at);
            final int n = kind < 2 ? 1 : m.getU8(at + 1);
            names.add(switch (kind) {
                case TcpOptions.TCPOPT_EOL -> "eol";
                case TcpOptions.TCPOPT_NOP -> "nop";
                case TcpOptions.TCPOPT_MAXSEG -> "mss";
                case TcpOptions.TCPOPT_WINDOW -> "wscale";
                case TcpOptions.TCPOPT_SACK_PERMITTED -> "sackOK";
                case TcpOptions.TCPOPT_SACK -> "sack" + (n - 2) / 8;
                case TcpOptions.TCPOPT_TIMESTAMP -> "TS";
                case TcpOptions.TCPOPT_SIGNATURE -> "md5";
                case TcpOptions.TCPOPT_FAST_OPEN -> n == 2 ? "FO" : "FO" + (n - 2);
                default -> "?" + kind;
            });
            at += n;
        }
        m.freeChain();
        return String.join(",", names);
    }
}
