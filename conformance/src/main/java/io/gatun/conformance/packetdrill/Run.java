package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Conn.State;
import io.gatun.conformance.packetdrill.Values.DrillException;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.Socket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;

/** One script on its host, event by event. One thread, used once. */
final class Run implements AutoCloseable {
    /** How long a packet or a blocking call is waited for beyond its time. */
    private static final long PATIENCE_US = 600_000_000L;
    private static final long NEVER = Long.MAX_VALUE;
    private static final int TRACE = 14;
    private static final int FIRST_REMOTE_PORT = 40_001;
    private static final double PERCENT = 100.0;
    private static final long US_PER_MS = 1000;

    private final Script script;
    private final Host host;
    private final Verifier verifier;
    private final Syscalls syscalls = new Syscalls(this);
    private final Shell shell;
    private final List<Conn> conns = new ArrayList<>();
    private final Deque<String> trace = new ArrayDeque<>();
    private final byte[] local;
    private final byte[] remote;
    private Conn underTest;
    private int remotePort = FIRST_REMOTE_PORT;
    private long lastUs;
    private long offsetUs;
    private Event event;
    private int sentSoFar;
    private long callStartUs;
    private long wakeUs = NEVER; // when the call that waits has waited long enough
    private long blockedStartUs;
    private Action.Syscall blocked;  // the blocking call that goes on, or null
    private Event blockedEvent;
    private long blockedEndUs;

    /** @param absent sysctls whose setting is passed over where the stack does not have them */
    Run(final Script script, final Host host, final Set<String> absent) {
        this.script = script;
        this.host = host;
        verifier = new Verifier(script.config());
        shell = new Shell(this, absent);
        local = Conn.address(script.config().localIp());
        remote = Conn.address(script.config().remoteIp());
    }

    /** Runs all of it. */
    void all() throws DrillException {
        if (script.init() != null) {
            command(script.init());
        }
        try {
            for (final Event e : script.events()) {
                event = e;
                one(e);
            }
            if (blocked != null) {
                awaitBlocked();
            }
        } finally {
            if (script.cleanup() != null) {
                shell.run(script.cleanup());
            }
        }
    }

    /** The line that ran last, or 0. */
    int failedLine() {
        return event == null ? 0 : event.line();
    }

    Config config() {
        return script.config();
    }

    Vnet vnet() {
        return host.vnet;
    }

    private void one(final Event e) throws DrillException {
        offsetUs = e.time().relative() ? host.nowUs() : 0;
        if (e.action() instanceof Action.Packet p && p.outbound()) {
            expect(e, p);
        } else {
            waitUntil(e.time().startUs() + offsetUs);
            final long late = host.nowUs() - (e.time().startUs() + offsetUs);
            if (late > tolerance(e.time().startUs() + offsetUs)) {
                throw new DrillException("timing: expected at " + Format.seconds(e.time().startUs() + offsetUs)
                    + " s, but it was " + Format.seconds(host.nowUs()) + " s already");
            }
            act(e);
        }
        lastUs = e.time().kind() == EventTime.Kind.ANY ? host.nowUs() : e.time().startUs() + offsetUs;
    }

    private void act(final Event e) throws DrillException {
        switch (e.action()) {
            case Action.Packet p -> inject(p);
            case Action.Syscall c -> call(e, c);
            case Action.Command c -> command(c.line());
            case Action.Code c -> code(c);
        }
        host.settle();
        retryBlocked();
    }

    private void waitUntil(final long us) throws DrillException {
        while (host.nowUs() < us && step(us)) {
            retryBlocked();
        }
        retryBlocked();
    }

    /** As {@link Host#step}, and stops when the time of the call that waits is up. */
    private boolean step(final long untilUs) {
        return host.step(Math.min(untilUs, Math.max(wakeUs, host.nowUs()))) || host.nowUs() < untilUs;
    }

    /** Lets time go by, as a command that sleeps does. */
    void sleep(final long us) {
        final long until = host.nowUs() + us;
        while (host.step(until)) {
            // until then
        }
    }

    /** What a time may be off, growing with the time since the event before. */
    private long tolerance(final long atUs) {
        final long dynamic = (long) (config().tolerancePercent() / PERCENT * (atUs - lastUs));
        return Math.max(config().toleranceUs(), dynamic);
    }

    private void note(final String text) {
        trace.add(Format.seconds(host.nowUs()) + " " + text);
        if (trace.size() > TRACE) {
            trace.poll();
        }
    }

    /** The last things that happened, one a line. */
    String trace() {
        return String.join("\n", trace);
    }

    // ---- packets ------------------------------------------------------------

    private Conn connFor(final Action.Packet p) throws DrillException {
        final Conn c = underTest;
        if (c == null || (p instanceof TcpSpec) && c.type != SocketDefs.SOCK_STREAM
            || p instanceof UdpSpec && c.type != SocketDefs.SOCK_DGRAM) {
            throw new DrillException("no socket for the packet");
        }
        if (p instanceof TcpSpec t) {
            if (!p.outbound() && c.state == State.LISTENING) {
                c.remoteIsn = t.seq();
            } else if (p.outbound() && c.state == State.CONNECTING && t.has(TcpSpec.SYN) && !t.has(TcpSpec.ACK)) {
                c.state = State.SYN_SENT;
                c.scriptLocalIsn = t.seq();
            }
        }
        return c;
    }

    private void inject(final Action.Packet p) throws DrillException {
        Conn c = connFor(p);
        if (p instanceof TcpSpec t) {
            if (c.state == State.SYNACK_SENT && t.has(TcpSpec.ACK)) {
                c.state = State.SYNACK_ACKED;
            } else if (c.state == State.SYN_SENT && t.has(TcpSpec.SYN) && t.has(TcpSpec.ACK)) {
                c.state = State.SYN_ACKED;
                c.remoteIsn = t.seq();
            }
        }
        final Conn mapping = c;
        if (c.remote == null) {
            c = child(p);
        }
        note(String.valueOf(p));
        if (!host.drill.receive(octets(p, mapping, c))) {
            throw new DrillException("no mbufs for the packet");
        }
    }

    /** A packet to a socket without a peer begins a connection of its own. */
    private Conn child(final Action.Packet p) {
        final Conn c = new Conn(underTest.type);
        c.state = State.PACKET_RECEIVED;
        c.remote = remote;
        c.remotePort = remotePort++;
        c.local = local;
        c.localPort = config().bindPort();
        c.remoteIsn = p instanceof TcpSpec t ? t.seq() : 0;
        conns.add(c);
        underTest = c;
        return c;
    }

    private byte[] octets(final Action.Packet p, final Conn mapping, final Conn ends) throws DrillException {
        final byte[] to = ends.local == null ? local : ends.local;
        final int toPort = ends.localPort == 0 ? config().bindPort() : ends.localPort;
        final PacketBuilder b = new PacketBuilder(config(), ends.remote, to);
        return switch (p) {
            case TcpSpec t -> {
                final boolean syn = t.has(TcpSpec.SYN);
                final int seq = t.seq()
                    + (t.seqKind() == TcpSpec.SeqKind.ABSOLUTE ? 0 : mapping.remoteOffset(syn));
                final int ack = t.ack() + (t.has(TcpSpec.ACK) ? mapping.localOffset(syn) : 0);
                final List<TcpOpt> opts = PacketBuilder.translated(t, mapping);
                if (opts == null) {
                    throw new DrillException("the timestamp it echoes was never sent");
                }
                yield b.tcp(t, t.srcPort() != 0 ? t.srcPort() : ends.remotePort,
                    t.dstPort() != 0 ? t.dstPort() : toPort, seq, ack, opts);
            }
            case UdpSpec u -> b.udp(u, u.srcPort() != 0 ? u.srcPort() : ends.remotePort,
                u.dstPort() != 0 ? u.dstPort() : toPort);
            case IcmpSpec i -> b.icmp(i, toPort, ends.remotePort,
                i.quoted() == null ? 0 : i.quoted().seq() + mapping.localOffset(false));
        };
    }

    private void expect(final Event e, final Action.Packet p) throws DrillException {
        final Conn c = connFor(p);
        final boolean synAck =
            p instanceof TcpSpec t && t.has(TcpSpec.SYN) && t.has(TcpSpec.ACK) && c.state == State.PACKET_RECEIVED;
        if (synAck && ((TcpSpec) p).seqKind() != TcpSpec.SeqKind.IGNORED) {
            c.scriptLocalIsn = ((TcpSpec) p).seq();
        }
        final LivePacket live = sniff(c, p, e.time());
        if (synAck) {
            c.state = State.SYNACK_SENT;
            c.liveLocalIsn = live.seq();
        }
        final String seen = Verifier.describe(live, c, true);
        note(seen);
        String wrong = verifier.compare(p, live, c);
        if (wrong == null) {
            wrong = timing(e.time(), host.toUs(live.timeNs()));
        }
        if (wrong != null && !config().nonFatalPacket()) {
            throw new DrillException(wrong + "\n  expected: " + (e.time().kind() == EventTime.Kind.ANY ? "*"
                : Format.seconds(e.time().startUs() + offsetUs)) + " " + p + "\n  seen:     "
                + Format.seconds(host.toUs(live.timeNs())) + " " + seen);
        }
    }

    private String timing(final EventTime t, final long seenUs) {
        if (t.kind() == EventTime.Kind.ANY) {
            return null;
        }
        final long start = t.startUs() + offsetUs;
        final long end = t.endUs() + offsetUs;
        final long tolerance = tolerance(start);
        return seenUs >= start - tolerance && seenUs <= end + tolerance ? null
            : "timing: expected at " + Format.seconds(start) + (t.range() ? ".." + Format.seconds(end) : "")
                + " s, seen at " + Format.seconds(seenUs) + " s";
    }

    /** The next packet of the socket under test; those of others are passed over. */
    private LivePacket sniff(final Conn c, final Action.Packet p, final EventTime time) throws DrillException {
        final long until = Math.max(host.nowUs(), time.endUs() + offsetUs) + PATIENCE_US;
        while (true) {
            final LivePacket live = host.drill.next();
            if (live != null) {
                if (mine(c, live)) {
                    return live;
                }
                note("(not of the socket under test) " + Verifier.describe(live, null, true));
                continue;
            }
            final boolean more = step(until);
            retryBlocked();
            if (!more && !host.drill.hasNext()) {
                throw new DrillException("no packet came out\n  expected: " + p);
            }
        }
    }

    private boolean mine(final Conn c, final LivePacket live) {
        if (live.isIcmp()) {
            return script.events().stream().anyMatch(e -> e.action() instanceof IcmpSpec i && i.outbound());
        }
        if (c.remote == null || !java.util.Arrays.equals(live.dst(), c.remote) || live.dstPort() != c.remotePort) {
            return false;
        }
        if (c.local != null) {
            return java.util.Arrays.equals(live.src(), c.local) && live.srcPort() == c.localPort;
        }
        final boolean begins = live.isTcp() ? c.state == State.SYN_SENT && live.has(TcpSpec.SYN)
            && !live.has(TcpSpec.ACK) : c.type == SocketDefs.SOCK_DGRAM;
        if (begins) {
            c.local = live.src();
            c.localPort = live.srcPort();
            c.liveLocalIsn = live.isTcp() ? live.seq() : 0;
        }
        return begins;
    }

    // ---- commands and code ------------------------------------------------------------

    private void command(final String line) throws DrillException {
        note("`" + line + "`");
        final Shell.Status s = shell.run(line);
        if (s.status() != 0) {
            throw new DrillException("the command answers status " + s.status() + ": `" + line + "`"
                + (s.error().isEmpty() ? "" : "\n  " + s.error().strip().replace("\n", "\n  "))
                + "\n  output: " + s.output().strip().replace("\n", "\n          "));
        }
    }

    private void code(final Action.Code c) throws DrillException {
        final SockOpt opt = SockOpt.get(InDefs.IPPROTO_TCP, InDefs.TCP_INFO);
        if (underTest == null || underTest.so == null) {
            throw new DrillException("no socket for the code");
        }
        final Errno e = underTest.so.getOpt(opt);
        if (e != Errno.OK || !(opt.object() instanceof TcpInfo info)) {
            throw new DrillException("no TCP_INFO: " + e);
        }
        try {
            CodeEval.run(c.text(), CodeEval.names(info));
        } catch (final CodeEval.CodeException x) {
            throw new DrillException(x.getMessage());
        }
    }

    // ---- system calls ------------------------------------------------------------

    private void call(final Event e, final Action.Syscall c) throws DrillException {
        if (blocked != null && c.blocking()) {
            awaitBlocked();
        }
        callStartUs = host.nowUs();
        wakeUs = NEVER;
        note(c.toString());
        Outcome o = syscalls.attempt(c, true);
        if (o == null && c.blocking()) {
            blocked = c;
            blockedStartUs = callStartUs;
            blockedEvent = e;
            blockedEndUs = c.endUs() + offsetUs;
            return;
        }
        final long until = host.nowUs() + PATIENCE_US;
        while (o == null) {
            final boolean more = step(until);
            wakeUs = NEVER;
            o = syscalls.attempt(c, false);
            if (o == null && !more) {
                throw new DrillException("the call blocks for ever: " + c);
            }
        }
        wakeUs = NEVER;
        check(c, o);
        if (c.blocking()) {
            checkEnd(c.endUs() + offsetUs);
        }
    }

    private void retryBlocked() throws DrillException {
        if (blocked == null) {
            return;
        }
        final Action.Syscall c = blocked;
        callStartUs = blockedStartUs;
        wakeUs = NEVER;
        final Outcome o = syscalls.attempt(c, false);
        if (o != null) {
            blocked = null;
            wakeUs = NEVER;
            note("returned: " + c);
            final Event now = event;
            event = blockedEvent;
            check(c, o);
            checkEnd(blockedEndUs);
            event = now;
        }
    }

    private void awaitBlocked() throws DrillException {
        final long until = Math.max(host.nowUs(), blockedEndUs) + PATIENCE_US;
        boolean more = true;
        while (blocked != null && more) {
            more = step(until);
            retryBlocked();
        }
        if (blocked != null) {
            throw new DrillException("the call blocks for ever: " + blocked);
        }
    }

    private void checkEnd(final long endUs) throws DrillException {
        final long off = Math.abs(host.nowUs() - endUs);
        if (off > tolerance(endUs)) {
            throw new DrillException("timing: the call is to return at " + Format.seconds(endUs) + " s, returned at "
                + Format.seconds(host.nowUs()) + " s");
        }
    }

    private void check(final Action.Syscall c, final Outcome o) throws DrillException {
        String wrong = o.wrong();
        if (!c.result().isEllipsis()) {
            final long want = Values.number(c.result());
            final Long errno = c.errno() == null ? null : Symbols.find(c.errno());
            final String seen = o.result() < 0 ? "-1 " + o.errno() : String.valueOf(o.result());
            if (want != o.result()) {
                wrong = "result: expected " + want + (c.errno() == null ? "" : " " + c.errno()) + ", seen " + seen;
            } else if (errno != null && errno != o.errno().code()) {
                wrong = "error: expected " + c.errno() + ", seen " + o.errno();
            }
        }
        if (wrong != null) {
            if (config().nonFatalSyscall()) {
                note("warning: " + wrong);
            } else {
                throw new DrillException(wrong + "\n  call:     " + c);
            }
        }
    }

    // ---- what system calls ask for ------------------------------------------------------------

    /** The open socket of a script's descriptor, or null. */
    Conn open(final int fd) {
        for (final Conn c : conns) {
            if (!c.closed && c.fd == fd && c.so != null) {
                return c;
            }
        }
        return null;
    }

    /** All that are open. */
    List<Conn> open() {
        return conns.stream().filter(c -> !c.closed && c.so != null).toList();
    }

    void newSocket(final int fd, final int type, final Socket so) throws DrillException {
        unused(fd);
        final Conn c = new Conn(type);
        c.fd = fd;
        c.so = so;
        conns.add(c);
        underTest = c;
    }

    private void unused(final int fd) throws DrillException {
        if (open(fd) != null) {
            throw new DrillException("descriptor " + fd + " is in use");
        }
    }

    void accepted(final int fd, final Socket so, final SockAddr peer) throws DrillException {
        unused(fd);
        for (final Conn c : conns) {
            final boolean waits = c.state == State.SYNACK_SENT || c.state == State.SYNACK_ACKED
                || c.state == State.PACKET_RECEIVED;
            if (waits && c.so == null && c.remotePort == peer.port()) {
                c.fd = fd;
                c.so = so;
                return;
            }
        }
        so.close();
        throw new DrillException("accept answers a connection that the script did not make: " + peer);
    }

    SockAddr bindAddress() {
        return socketAddress(config().localIp(), config().bindPort());
    }

    SockAddr connectAddress() {
        return underTest != null && underTest.state == State.PACKET_RECEIVED
            ? socketAddress(config().remoteIp(), underTest.remotePort)
            : socketAddress(config().remoteIp(), config().connectPort());
    }

    /** As the script's sockets name it. */
    private SockAddr socketAddress(final String literal, final int port) {
        final SockAddr a = SockAddr.of(literal, port);
        return config().mapped() ? SockAddr.in6(0, In6.v4Mapped(a.in4()), port) : a;
    }

    /** A socket is about to connect. */
    void connecting(final Conn c, final SockAddr to) {
        if (c.state == State.NEW) {
            c.state = State.CONNECTING;
            c.remote = remote;
            c.remotePort = to.port();
        }
    }

    int sentSoFar() {
        return sentSoFar;
    }

    void setSentSoFar(final int octets) {
        sentSoFar = octets;
    }

    /** Whether a call has waited so long; negative is for ever. If not, it is tried again when it has. */
    boolean waited(final long ms) {
        if (ms < 0) {
            return false;
        }
        final long end = callStartUs + ms * US_PER_MS;
        wakeUs = Math.min(wakeUs, end);
        return host.nowUs() >= end;
    }

    /** Closes what is open, so that nothing is left in the pool. */
    @Override
    public void close() throws ErrnoException {
        for (final Conn c : open()) {
            c.closed = true;
            c.so.close();
        }
    }
}
