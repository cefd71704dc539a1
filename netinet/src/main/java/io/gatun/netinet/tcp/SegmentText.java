package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;

/** The seventh check, RFC 9293 section 3.10.7.4: the segment's text, trimmed to the window before. */
final class SegmentText {
    private SegmentText() {
    }

    /** In order it goes straight into the socket's buffer, out of order it waits. Afterwards TH_FIN stands for a FIN
     * that is due. */
    @GuardedBy("tp.inp.lock")
    static Verdict process(Tcpcb tp, Seg seg) {
        if (seg.len == 0 && !seg.has(TcpHeader.TH_FIN)) {
            if (tp.act().segq != null) {
                TcpReass.present(tp, seg); // what came with a SYN that met ours
            }
            return Verdict.NEXT;
        }
        if (tp.state.haveRcvdFin()) {
            seg.flags &= ~TcpHeader.TH_FIN;
            return Verdict.NEXT;
        }
        if (seg.seq == tp.rcvNxt && tp.act().segq == null
            && (tp.state.haveEstablished() || tp.has(Tcpcb.TF_FASTOPEN))) {
            inOrder(tp, seg);
        } else {
            // RFC 5681 4.2: out of order, or filling a gap, is answered at once.
            tp.flags |= Tcpcb.TF_ACKNOW;
            TcpReass.reass(tp, seg);
        }
        return Verdict.NEXT;
    }

    /** The expected text, with nothing waiting behind it. */
    @GuardedBy("tp.inp.lock")
    static void inOrder(Tcpcb tp, Seg seg) {
        if (seg.len == 0) {
            return;
        }
        if (mayDelay(tp, seg) || tp.state == TcpState.SYN_RECEIVED) { // text of a SYN: the answer may go along
            tp.flags |= Tcpcb.TF_DELACK;
        } else {
            tp.flags |= Tcpcb.TF_ACKNOW;
        }
        tp.rcvNxt += seg.len;
        tp.tcp.stat.rcvpack.increment();
        tp.tcp.stat.rcvbyte.add(seg.len);
        final int newsize = autoSize(tp, seg);
        final Mbuf m = seg.take();
        m.adjHead(seg.hdrlen);
        deliver(tp, m, newsize);
    }

    /** Appends a chain of text to the receive buffer, or frees it when nobody will read. Consumes m. */
    @GuardedBy("tp.inp.lock")
    static void deliver(Tcpcb tp, Mbuf m, int newsize) {
        final SocketSide so = tp.inp.so;
        final SockBuf rcv = so.rcv();
        Mbuf unread = null;
        rcv.lock().lock();
        try {
            if ((rcv.state() & SocketDefs.SBS_CANTRCVMORE) != 0) {
                unread = m;
            } else {
                if (newsize > 0 && !rcv.reserveLocked(newsize)) {
                    rcv.setFlagBits(0, SocketDefs.SB_AUTOSIZE);
                }
                rcv.appendStreamLocked(m, 0);
                so.rWakeupLocked();
            }
        } finally {
            rcv.lock().unlock();
        }
        if (unread != null) {
            unread.freeChain();
        }
    }

    /**
     * RFC 9293 MUST-59, SHLD-19: every second segment is acknowledged at once, the one before may wait for it, or for
     * the timer. A super-segment, or one that follows a shut window, does not wait.
     *
     * @bsd DELAY_ACK
     */
    @GuardedBy("tp.inp.lock")
    private static boolean mayDelay(Tcpcb tp, Seg seg) {
        return (tp.flags & (Tcpcb.TF_DELACK | Tcpcb.TF_RXWIN0SENT)) == 0 && seg.len <= tp.maxseg
            && !TcpTimers.active(tp, TcpTimers.TT_DELACK) && tp.tcp.sysctl.delayedAck.getBool();
    }

    /**
     * Measures what comes in within half a round trip, and grows the buffer when that nears an eighth of its size.
     * DIFFERS: FreeBSD waits for three eighths. A buffer of twice a round trip's text lets the sender go on while a
     * loss is made good, and round trips are twice as long once the network's queue is full, which the receiver, who
     * sends nothing to be timed, cannot know.
     *
     * @return the new size, or 0
     * @bsd tcp_autorcvbuf
     */
    @GuardedBy("tp.inp.lock")
    private static int autoSize(Tcpcb tp, Seg seg) {
        if (tp.srttNs == 0) {
            return 0;
        }
        tp.act().rfbufCnt += seg.len;
        if (tp.act().rfbufTsNs == 0 || seg.nowNs - tp.act().rfbufTsNs <= tp.srttNs / 2) {
            tp.act().rfbufTsNs = tp.act().rfbufTsNs == 0 ? seg.nowNs : tp.act().rfbufTsNs;
            return 0;
        }
        final int got = tp.act().rfbufCnt;
        tp.act().rfbufTsNs = seg.nowNs;
        tp.act().rfbufCnt = 0;
        final SockBuf rcv = tp.inp.so.rcv();
        final int hiwat = rcv.hiwat();
        final int max = tp.tcp.sysctl.recvbufMax.getInt();
        if (got <= hiwat / 8 || hiwat >= max || (rcv.flags() & SocketDefs.SB_AUTOSIZE) == 0
            || !tp.tcp.sysctl.recvbufAuto.getBool()) {
            return 0;
        }
        return Math.min(hiwat + hiwat / 2, max);
    }
}
