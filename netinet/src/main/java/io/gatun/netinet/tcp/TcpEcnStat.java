package io.gatun.netinet.tcp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/** The counters of explicit congestion notification, published beside those of {@link TcpStat}. */
final class TcpEcnStat {
    /** Segments received with a mark of congestion. @bsd tcps_ecn_rcvce */
    final Counter rcvce;
    /** Segments received with ECT(0). @bsd tcps_ecn_rcvect0 */
    final Counter rcvect0;
    /** Segments received with ECT(1). @bsd tcps_ecn_rcvect1 */
    final Counter rcvect1;
    /** Handshakes that agreed on ECN. @bsd tcps_ecn_shs */
    final Counter shs;
    /** Windows reduced for it. @bsd tcps_ecn_rcwnd */
    final Counter rcwnd;
    /** Segments sent with ECT(0). @bsd tcps_ecn_sndect0 */
    final Counter sndect0;
    /** Segments sent with ECT(1). @bsd tcps_ecn_sndect1 */
    final Counter sndect1;
    /** AccECN handshakes whose SYN came with no mark. @bsd tcps_ace_nect */
    final Counter aceNect;
    /** AccECN handshakes whose SYN came with ECT(1). @bsd tcps_ace_ect1 */
    final Counter aceEct1;
    /** AccECN handshakes whose SYN came with ECT(0). @bsd tcps_ace_ect0 */
    final Counter aceEct0;
    /** AccECN handshakes whose SYN met congestion. @bsd tcps_ace_ce */
    final Counter aceCe;

    TcpEcnStat(CounterSet set) {
        rcvce = set.counter("tcp.ecn_rcvce");
        rcvect0 = set.counter("tcp.ecn_rcvect0");
        rcvect1 = set.counter("tcp.ecn_rcvect1");
        shs = set.counter("tcp.ecn_shs");
        rcwnd = set.counter("tcp.ecn_rcwnd");
        sndect0 = set.counter("tcp.ecn_sndect0");
        sndect1 = set.counter("tcp.ecn_sndect1");
        aceNect = set.counter("tcp.ace_nect");
        aceEct1 = set.counter("tcp.ace_ect1");
        aceEct0 = set.counter("tcp.ace_ect0");
        aceCe = set.counter("tcp.ace_ce");
    }
}
