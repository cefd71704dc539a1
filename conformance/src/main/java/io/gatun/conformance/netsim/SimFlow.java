package io.gatun.conformance.netsim;

import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * A transfer over TCP in one direction: connects, writes octets that depend on their position, compares them at the
 * other end, and closes. Writes and reads as soon as it can, unless told to pause.
 */
public final class SimFlow {
    /** As many octets as time allows. */
    public static final long ENDLESS = Long.MAX_VALUE;

    private static final int PORT = 5001;
    private static final int WRITE = 64 * 1024;
    private static final int READ = 256 * 1024;
    /** Room that a write waits for, so that it fills clusters. */
    private static final int LOWAT = 16 * 1024;
    private static final double NS_PER_S = 1e9;

    private final Netsim sim;
    private final SimHost from;
    private final SimHost to;
    private final long total;
    private final long startNs;
    private final Pattern pattern = new Pattern(READ);
    private final MemorySegment in = Arena.ofAuto().allocate(READ);
    private final SocketFile listener;
    private final SocketFile sender;
    private SocketFile receiver;
    private long sent;
    private long received;
    private boolean shut;
    private boolean done;
    private long doneNs;
    private boolean reading = true;
    private boolean writing = true;
    private int readOctets = READ;
    private int writeOctets = WRITE;

    SimFlow(final Netsim sim, final SimHost from, final SimHost to, final int number, final long octets)
            throws ErrnoException {
        this.sim = sim;
        this.from = from;
        this.to = to;
        total = octets;
        startNs = sim.nowNs();
        final SockAddr at = SockAddr.of(to.address(), PORT + number);
        listener = SocketFile.socket(to.vnet(), at.family(), SocketDefs.SOCK_STREAM, 0);
        listener.setNonBlocking(true);
        listener.bind(at);
        listener.listen(1);
        sender = SocketFile.socket(from.vnet(), at.family(), SocketDefs.SOCK_STREAM, 0);
        sender.setNonBlocking(true);
        sender.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_SNDLOWAT, LOWAT);
        to.app(this::receive);
        from.app(new SimApp() {
            private boolean begun;

            @Override
            public boolean run() throws ErrnoException {
                if (!begun) {
                    begun = true; // not before the caller could set options
                    sender.connect(at);
                    return true;
                }
                return send();
            }
        });
    }

    private boolean send() throws ErrnoException {
        if (shut || !writing || (sender.poll(SocketDefs.POLLOUT) & SocketDefs.POLLOUT) == 0) {
            return false;
        }
        if (sent == total) {
            shut = true;
            sender.shutdown(SocketDefs.SHUT_WR);
            return true;
        }
        final long n = sender.send(pattern.segment(), pattern.offset(sent), Math.min(writeOctets, total - sent), 0);
        sent += Math.max(n, 0);
        return n > 0;
    }

    private boolean receive() throws ErrnoException {
        if (receiver == null) {
            receiver = listener.accept();
            if (receiver == null) {
                return false;
            }
            receiver.setNonBlocking(true);
        }
        if (done || !reading) {
            return false;
        }
        final long n = receiver.receive(in, 0, readOctets, 0);
        if (n == SocketFile.WOULD_BLOCK) {
            return false;
        }
        if (n == SocketFile.END) {
            if (received != total) {
                throw new AssertionError("ended at " + received + " of " + total);
            }
            done = true;
            doneNs = sim.nowNs();
            return true;
        }
        pattern.check(in, n, received);
        received += n;
        return true;
    }

    /** Whether all has arrived and the stream has ended. */
    public boolean done() {
        return done;
    }

    /** Octets that have arrived. */
    public long received() {
        return received;
    }

    /** Octets that have been written. */
    public long sent() {
        return sent;
    }

    /** From the start to the end, or to now. */
    public Duration elapsed() {
        return Duration.ofNanos((done ? doneNs : sim.nowNs()) - startNs);
    }

    /** Bits of payload per second, from the start to the end or to now. */
    public double goodput() {
        return received * Byte.SIZE * NS_PER_S / Math.max(elapsed().toNanos(), 1);
    }

    /** Whether the receiver reads. */
    public void reading(final boolean on) {
        reading = on;
        to.touch();
    }

    /** Whether the sender writes. */
    public void writing(final boolean on) {
        writing = on;
        from.touch();
    }

    /** Octets of a read at most. */
    public SimFlow reads(final int octets) {
        readOctets = Math.min(octets, READ);
        return this;
    }

    /** Octets of a write at most. */
    public SimFlow writes(final int octets) throws ErrnoException {
        writeOctets = Math.min(octets, READ);
        sender.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_SNDLOWAT, Math.min(octets, LOWAT));
        return this;
    }

    /** The congestion control of the sender. */
    public SimFlow congestion(final String name) throws ErrnoException {
        sender.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_CONGESTION, name);
        return this;
    }

    /** The sending socket. */
    public SocketFile sender() {
        return sender;
    }

    /** The receiving socket; null before it is accepted. */
    public SocketFile receiver() {
        return receiver;
    }

    /** What TCP says of the sending end. */
    public TcpInfo info() throws ErrnoException {
        return sender.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class);
    }

    void close() throws ErrnoException {
        sender.close();
        if (receiver != null) {
            receiver.close();
        }
        listener.close();
    }

    @Override
    public String toString() {
        return from + " to " + to + " sent " + sent + ", received " + received + (done ? ", done" : "");
    }
}
