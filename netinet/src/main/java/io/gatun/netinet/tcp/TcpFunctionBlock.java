package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A TCP stack: what is done with the segments of a connection, when and what it sends, and how its options work. Found
 * by {@link java.util.ServiceLoader}, one instance for each vnet, or given to {@link TcpFunctions#register}; chosen by
 * {@code net.inet.tcp.functions_default} for new sockets and by TCP_FUNCTION_BLK for one. A child has the stack of its
 * listener. Handshakes at a listener, TIME-WAIT, ports and checksums are the same for all.
 *
 * <p>Each method does, unless it is overridden, what the base stack, "freebsd", does; so a stack may change a part and
 * leave the rest. All are called with the pcb's lock held and must not block. A stack is shared by many connections;
 * what it keeps of one belongs into {@link Tcpcb#fbPtr}.
 *
 * <p>Locking key: (a) atomic.
 *
 * @bsd struct tcp_function_block
 */
public abstract class TcpFunctionBlock {
    /** The base stack. @bsd tcp_def_funcblk */
    public static final String FREEBSD = "freebsd";
    /** @bsd TCP_FUNCTION_NAME_LEN_MAX */
    public static final int NAME_LEN_MAX = 32;

    private final AtomicInteger refcnt = new AtomicInteger(); // (a) connections that have it

    /** For stacks. */
    protected TcpFunctionBlock() {
        // nothing of a connection is here
    }

    /** Its name. @bsd tfb_tcp_block_name */
    public abstract String name();

    /** Connections that have it; not counted for the base stack. @bsd tfb_refcnt */
    public final int refcnt() {
        return refcnt.get();
    }

    final void ref() {
        refcnt.incrementAndGet();
    }

    final void rele() {
        final int before = refcnt.getAndDecrement();
        assert before > 0 : "TCP stack released too often";
    }

    /**
     * Sends whatever is due; the socket may be gone.
     *
     * @return OK also when nothing was due or what went wrong is only temporary
     * @bsd tfb_tcp_output
     */
    @GuardedBy("tp.inp.lock")
    public Errno output(final Tcpcb tp) {
        return TcpOutput.defaultOutput(tp);
    }

    /**
     * A segment arrives in any state from SYN-SENT to LAST-ACK, its options decoded, its checksum right. Whoever takes
     * the chain does so by {@link Seg#take}.
     *
     * @return what becomes of it
     * @bsd tfb_tcp_do_segment
     */
    @GuardedBy("tp.inp.lock")
    public Verdict doSegment(final Tcpcb tp, final Seg seg) {
        return TcpInput.doSegment(tp, seg);
    }

    /**
     * Gets or sets an option of level IPPROTO_TCP.
     *
     * @return ENOPROTOOPT for an option that is not there
     * @bsd tfb_tcp_ctloutput
     */
    @GuardedBy("tp.inp.lock")
    public Errno ctloutput(final Tcpcb tp, final SockOpt opt) {
        return TcpCtloutput.defaultCtloutput(tp, opt);
    }

    /**
     * Whether it takes over a connection that is not in CLOSED any more.
     *
     * @return OK, or why not
     * @bsd tfb_tcp_handoff_ok
     */
    @GuardedBy("tp.inp.lock")
    public Errno handoffOk(final Tcpcb tp) {
        return Errno.EINVAL;
    }

    /**
     * Takes over a connection; the stack before has it still.
     *
     * @return OK, or why not: then it keeps the stack that it has
     * @bsd tfb_tcp_fb_init
     */
    @GuardedBy("tp.inp.lock")
    public Errno fbInit(final Tcpcb tp) {
        return Errno.OK;
    }

    /**
     * Gives a connection up. {@link Tcpcb#fbPtr} is forgotten afterwards.
     *
     * @param purged the connection ends, no other stack takes over
     * @bsd tfb_tcp_fb_fini
     */
    @GuardedBy("tp.inp.lock")
    public void fbFini(final Tcpcb tp, final boolean purged) {
        // nothing to give up
    }

    /** The retransmit timer has run out, and is counted; nothing is sent again yet. @bsd tfb_tcp_rexmit_tmr */
    @GuardedBy("tp.inp.lock")
    public void rexmitTimer(final Tcpcb tp) {
        // no wish
    }

    /** Segments have another size: what the path takes has changed. @bsd tfb_tcp_mtu_chg */
    @GuardedBy("tp.inp.lock")
    public void mtuChg(final Tcpcb tp) {
        // no wish
    }
}
