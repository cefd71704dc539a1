package io.gatun.netinet.tcp;

/** All that a debugger wants to see of a connection, in one line; what ddb(4) shows. @bsd db_print_tcpcb */
final class TcpDdb {
    private static final String[] TIMERS = {"rexmt", "persist", "keep", "2msl", "delack", "rack", "tlp"};

    private TcpDdb() {
    }

    /** With the connection's lock held. */
    static String print(Tcpcb tp) {
        assert tp.inp.lock.owned();
        final long now = tp.tcp.clock.nanoTime();
        final StringBuilder out = new StringBuilder(512);
        out.append(tp).append(" t_flags=").append(Integer.toHexString(tp.flags))
            .append(" t_flags2=").append(Integer.toHexString(tp.flags2))
            .append(" snd_una=").append(tp.sndUna - tp.iss).append(" snd_nxt=").append(tp.sndNxt - tp.iss)
            .append(" snd_max=").append(tp.sndMax - tp.iss).append(" snd_wnd=").append(tp.sndWnd)
            .append(" snd_cwnd=").append(tp.sndCwnd).append(" rcv_nxt=").append(tp.rcvNxt - tp.irs)
            .append(" rcv_adv=").append(tp.rcvAdv - tp.irs).append(" rcv_wnd=").append(tp.rcvWnd)
            .append(" last_ack_sent=").append(tp.lastAckSent - tp.irs)
            .append(" t_srtt=").append(tp.srttNs).append(" t_rttvar=").append(tp.rttvarNs)
            .append(" t_rxtcur=").append(tp.rxtcurNs).append(" t_rxtshift=").append(tp.rxtshift)
            .append(" t_rcvtime=").append(tp.state.after(TcpState.LISTEN) ? now - tp.rcvtimeNs + "ns ago" : "none")
            .append(" keepprobes=").append(tp.keepprobes)
            .append(" sndbuf=").append(tp.inp.so == null ? -1 : tp.inp.so.snd().used())
            .append(" map=").append(tp.map == null ? "none" : tp.map.isEmpty() ? "empty" : "some");
        final boolean armed = tp.callout.pending();
        out.append(" callout=").append(armed ? tp.callout.deadlineNs() - now + "ns" : "none")
            .append(" asked=").append(tp.calloutAtNs == TcpTimers.OFF ? "none" : tp.calloutAtNs - now + "ns");
        if (tp.isQuiet()) {
            return out.append(" quiet").toString();
        }
        for (int i = 0; i < TcpTimers.TT_N; i++) {
            final long at = tp.act().timers[i];
            if (at != TcpTimers.OFF) {
                out.append(" tt_").append(TIMERS[i]).append('=').append(at - now).append("ns");
            }
        }
        return out.toString();
    }
}
