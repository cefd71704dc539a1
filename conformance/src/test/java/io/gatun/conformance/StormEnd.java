package io.gatun.conformance;

import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * One end of a connection in a storm. What it sends depends on its position and on whose it is; what it receives is
 * compared with that, octet by octet, urgent ones that were taken out of line allowed for. Knows whether somebody has
 * given a reason for the connection to end early; without one it must not.
 */
final class StormEnd {
    private static final int CHUNK = 40_000;
    private static final int RUN = 8;
    private static final int MOST_URGENT = 5;
    /** What has no cause in the connection: try again. */
    private static final Set<Errno> AGAIN = EnumSet.of(Errno.ENOBUFS, Errno.ENOMEM, Errno.EAGAIN);
    /** What ends a connection. */
    private static final Set<Errno> OVER = EnumSet.of(Errno.ECONNRESET, Errno.ECONNABORTED, Errno.ECONNREFUSED,
        Errno.ETIMEDOUT, Errno.EHOSTUNREACH, Errno.EHOSTDOWN, Errno.ENETDOWN, Errno.ENETUNREACH, Errno.EPIPE,
        Errno.ENOTCONN, Errno.EADDRNOTAVAIL);

    private final StormNet net;
    final SocketFile so;
    final boolean client;
    private final int id;
    private final boolean inline;
    private final ByteBuffer octets = ByteBuffer.allocateDirect(CHUNK);
    private final TreeSet<Long> urgent = new TreeSet<>();
    StormEnd peer;
    private long sent;
    private long unsure;      // octets beyond those that a failed call may have taken
    private long received;    // position: urgent octets that were passed over count
    private boolean shut;
    private boolean closed;
    private boolean ended;
    private boolean excused;
    private Errno error = Errno.OK;
    private String history = "";

    /** @param inline whether urgent octets that it receives stay in line */
    StormEnd(final StormNet net, final SocketFile so, final int id, final boolean client, final boolean inline) {
        this.net = net;
        this.so = so;
        this.id = id;
        this.client = client;
        this.inline = inline;
        so.setNonBlocking(true);
    }

    /** Any eight in a row differ from each other. */
    private static byte octet(final int whose, final long at) {
        final long x = (at / RUN + 1) * 0x9e3779b97f4a7c15L + whose * 0xc2b2ae3d27d4eb4fL;
        return (byte) ((x >>> 40) << 3 | at % RUN);
    }

    private void note(final String what) {
        history = history.length() > 1000 ? history.substring(500) + what + " " : history + what + " ";
    }

    /** The connection may end early from here on. */
    void excuse() {
        excused = true;
        if (peer != null) {
            peer.excused = true;
        }
    }

    boolean mayTalk() {
        return !closed && error == Errno.OK;
    }

    boolean over() {
        return closed || error != Errno.OK || ended && shut;
    }

    boolean isExcused() {
        return excused;
    }

    boolean isClosed() {
        return closed;
    }

    boolean paired() {
        return peer != null;
    }

    // ---- what it does ------------------------------------------------------------

    /** Sends so many octets at most, the last of them urgent if wanted. */
    void send(final int most, final boolean oob, final SockAddr to) {
        if (shut || unsure > 0 || oob && !mayBeUrgent(sent + most - 1)) {
            return;
        }
        octets.clear().limit(Math.min(most, CHUNK));
        for (int i = 0; i < octets.limit(); i++) {
            octets.put(i, octet(id, sent + i));
        }
        try {
            final int n = so.sendto(octets, oob ? SocketDefs.MSG_OOB : 0, to);
            if (n > 0) {
                sent += n;
                if (oob) {
                    urgent.add(sent - 1);
                }
            }
        } catch (final ErrnoException e) {
            unsure = octets.position();
            if (oob && unsure > 0) {
                urgent.add(sent + unsure - 1);
            }
            if (AGAIN.contains(e.errno()) && unsure > 0) {
                note("send-unsure " + unsure + " " + e.errno());
            }
            failed(e, "send");
        }
    }

    private boolean mayBeUrgent(final long at) {
        return urgent.subSet(at - MOST_URGENT, at + 1).size() < MOST_URGENT;
    }

    /** Reads so many octets at most, and compares; whether anything came. */
    boolean receive(final int most) {
        if (ended) {
            return false;
        }
        octets.clear().limit(Math.min(most, CHUNK));
        try {
            final int n = so.receive(octets);
            if (n == SocketFile.END) {
                end();
            } else if (n > 0) {
                compare(n);
            }
            return n != SocketFile.WOULD_BLOCK;
        } catch (final ErrnoException e) {
            failed(e, "receive");
            return false;
        }
    }

    private void compare(final int n) {
        check(paired(), "octets from nobody");
        for (int i = 0; i < n; i++) {
            final byte b = octets.get(i);
            while (b != octet(peer.id, received) && !inline && peer.urgent.contains(received)) {
                received++;
            }
            check(b == octet(peer.id, received), "octet " + received + " is wrong");
            received++;
        }
        check(received <= peer.sent + peer.unsure, "more than was sent");
    }

    private void end() {
        while (!inline && paired() && peer.urgent.contains(received)) {
            received++;
        }
        ended = true;
        note("end@" + received);
        if (paired()) {
            final boolean whole = received >= peer.sent && (peer.shut || peer.closed);
            check(whole || excused, "ended at " + received);
        }
    }

    /** Reads the urgent octet. */
    void receiveUrgent() {
        octets.clear().limit(1);
        try {
            final int n = so.receive(octets, SocketDefs.MSG_OOB);
            if (n == 1 && paired() && !ended) {
                boolean known = false;
                for (final long at : peer.urgent) {
                    known |= octets.get(0) == octet(peer.id, at);
                }
                check(known, "an urgent octet that nobody sent");
            }
        } catch (final ErrnoException e) {
            if (e.errno() != Errno.EINVAL) {
                failed(e, "urgent");
            }
        }
    }

    void shutdown(final int how) {
        note("shutdown" + how);
        if (how != SocketDefs.SHUT_WR) {
            excuse(); // nobody compares what comes any more
            ended = true;
        }
        try {
            so.shutdown(how);
            shut |= how != SocketDefs.SHUT_RD;
        } catch (final ErrnoException e) {
            shut |= how != SocketDefs.SHUT_RD && !AGAIN.contains(e.errno());
            failed(e, "shutdown");
        }
    }

    /** Once in peace: sends no more. */
    void shutdownWhenDue() {
        if (!shut) {
            shutdown(SocketDefs.SHUT_WR);
        }
    }

    /** Closes. In good order only when all was read. */
    void close(final boolean abort) {
        note(abort ? "abort" : "close");
        if (abort || !ended || !shut) {
            excuse(); // what it has not read is lost
        }
        try {
            if (abort) {
                so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0));
            }
        } catch (final ErrnoException e) {
            failed(e, "linger");
        }
        closed = true;
        try {
            so.close();
        } catch (final ErrnoException e) {
            failed(e, "close");
        }
    }

    void option(final int level, final int name, final Object value) {
        try {
            if (value instanceof Integer n) {
                so.setOption(level, name, n);
            } else {
                so.setOption(level, name, value);
            }
        } catch (final ErrnoException e) {
            failed(e, "option " + name);
        }
    }

    void failed(final ErrnoException e, final String call) {
        if (AGAIN.contains(e.errno())) {
            return;
        }
        if ("send".equals(call) && e.errno() == Errno.ENOTCONN) {
            return; // not yet
        }
        note(call + ":" + e.errno());
        if (call.startsWith("option") || "urgent".equals(call) || shut && (ended || "shutdown".equals(call))) {
            return; // of a connection that has ended in good order
        }
        check(OVER.contains(e.errno()), call + " answers " + e.errno());
        if (error == Errno.OK && e.errno() != Errno.EPIPE) {
            error = e.errno();
            check(excused || !paired() || net.cookies(), call + " answers " + e.errno() + " without a reason");
            excuse();
        }
    }

    private void check(final boolean right, final String wrong) {
        if (!right) {
            throw new AssertionError(wrong + ": " + this + "\n peer: " + peer);
        }
    }

    @Override
    public String toString() {
        return (client ? "client " : "server ") + id + " " + so + " sent " + sent + (unsure > 0 ? "+" + unsure : "")
            + " received " + received + " error " + error + (excused ? " excused" : "") + " history " + history;
    }
}
