package io.gatun.conformance;

import io.gatun.conformance.netsim.Pattern;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * One direction of a connection and what goes over it: octets that depend on their position, compared where they
 * arrive. Allocates nothing once made.
 */
final class Flow {
    private static final int READ_OCTETS = 256 * 1024;

    private final SocketFile from;
    private final SocketFile to;
    private final long total;
    private final int write;
    private final Pattern pattern;
    private int read = READ_OCTETS;
    private final MemorySegment in = Arena.ofAuto().allocate(READ_OCTETS);
    private long sent;
    private long received;
    private boolean shut;
    private volatile boolean ended;

    /**
     * @param total octets to send, then the direction is shut down
     * @param write octets of a write
     */
    Flow(final SocketFile from, final SocketFile to, final long total, final int write) {
        this.from = from;
        this.to = to;
        this.total = total;
        this.write = write;
        pattern = new Pattern(Math.max(write, READ_OCTETS));
    }

    /** Octets of a read at most. */
    Flow reads(final int octets) {
        read = Math.min(octets, READ_OCTETS);
        return this;
    }

    /** Writes once, or shuts down; whether anything was taken. */
    boolean sendSome() throws ErrnoException {
        if (sent == total) {
            final boolean now = !shut;
            if (now) {
                shut = true;
                from.shutdown(SocketDefs.SHUT_WR);
            }
            return now;
        }
        final long n = from.send(pattern.segment(), pattern.offset(sent), Math.min(write, total - sent), 0);
        sent += Math.max(n, 0);
        return n > 0;
    }

    /** Reads once and compares; whether anything came. */
    boolean receiveSome() throws ErrnoException {
        if (ended) {
            return false;
        }
        final long n = to.receive(in, 0, read, 0);
        if (n == SocketFile.END) {
            check(received == total, "ended at " + received + " of " + total);
            ended = true;
            return true;
        }
        if (n == SocketFile.WOULD_BLOCK) {
            return false;
        }
        pattern.check(in, n, received);
        received += n;
        return n > 0;
    }

    void sendAll() throws ErrnoException {
        while (!shut) {
            sendSome();
        }
    }

    void receiveAll() throws ErrnoException {
        while (!ended) {
            receiveSome();
        }
    }

    long received() {
        return received;
    }

    boolean ended() {
        return ended;
    }

    private static void check(final boolean right, final String wrong) {
        if (!right) {
            throw new AssertionError(wrong);
        }
    }

    @Override
    public String toString() {
        return "sent " + sent + ", received " + received + " of " + total;
    }
}
