package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a user's close meets when the connection ends under its hands: after it saw it connected, before TCP did. */
class TcpUsrreqTest {
    private final TcpFixture fx = new TcpFixture();
    private final TcpUsrreq usrreq = new TcpUsrreq(fx.tcp, null, SockAddr.AF_INET);

    @AfterEach
    void whole() {
        fx.close();
    }

    @Test
    void lastAck_acknowledged_disconnectSaysNotConnected() {
        final FakeSocket so = fx.established();
        final Tcpcb tp = tcpcb(so);
        fx.seg(TcpHeader.TH_FIN | TcpHeader.TH_ACK).seq(PEER_ISS + 1).ack(tp.iss + 1).arrive();
        fx.shutdown(so, false);
        assertThat(tp.state).isEqualTo(TcpState.LAST_ACK);
        fx.seg(TcpHeader.TH_ACK).seq(PEER_ISS + 2).ack(tp.iss + 2).arrive();
        assertThat(tp.state).isEqualTo(TcpState.CLOSED);
        assertThat(usrreq.disconnect(so)).isEqualTo(Errno.ENOTCONN);
        fx.sent.clear();
    }

    @Test
    void established_reset_disconnectSaysReset() {
        final FakeSocket so = fx.established();
        final Tcpcb tp = tcpcb(so);
        fx.seg(TcpHeader.TH_RST).seq(PEER_ISS + 1).arrive();
        assertThat(tp.state).isEqualTo(TcpState.CLOSED);
        assertThat(usrreq.disconnect(so)).isEqualTo(Errno.ECONNRESET);
    }

    @Test
    void finWait2_shutdownOfWritingAgain_stillReceives() {
        final FakeSocket so = fx.established();
        final Tcpcb tp = tcpcb(so);
        assertThat(usrreq.shutdown(so, SocketDefs.SHUT_WR)).isEqualTo(Errno.OK);
        fx.seg(TcpHeader.TH_ACK).seq(PEER_ISS + 1).ack(tp.iss + 2).arrive();
        assertThat(tp.state).isEqualTo(TcpState.FIN_WAIT_2);
        assertThat(usrreq.shutdown(so, SocketDefs.SHUT_WR)).isEqualTo(Errno.OK);
        assertThat(so.is(SocketDefs.SS_ISCONNECTED)).isTrue();
        fx.seg(TcpHeader.TH_ACK).seq(PEER_ISS + 1).ack(tp.iss + 2).data(TcpFixture.pattern(0, 100)).arrive();
        assertThat(so.rcv.avail()).isEqualTo(100);
        fx.sent.clear();
    }
}
