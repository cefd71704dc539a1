package io.gatun.cli.bench;

import io.gatun.spi.socket.Mmsghdr;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.Ucred;
import io.gatun.uipc.SoResult;
import io.gatun.uipc.Socket;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;

/**
 * Gatun's {@code lo0} in a vnet with threads, one thread at each end: what the kernel's column does, on the other
 * stack.
 */
final class GatunStack implements Stack {
    private static final int READ_OCTETS = 256 * 1024;
    private static final int DATAGRAM = 64;
    private static final int DATAGRAM_RCVBUF = 1 << 20;
    private static final int LAG = 64;
    private static final int UDP_PORT = 5002;

    private final boolean packets;

    GatunStack(final boolean packets) {
        this.packets = packets;
    }

    @Override
    public double bulk(final int writeOctets, final Span span) throws IOException {
        try (Lab lab = new Lab(true, packets)) {
            final Socket[] pair = lab.pair(false);
            final AtomicLong received = new AtomicLong();
            final Worker reader = Worker.start("gatun reader", () -> {
                final MemorySegment in = Arena.ofAuto().allocate(READ_OCTETS);
                final RecvMsg msg = new RecvMsg();
                long n = receive(pair[1], msg, in);
                while (n > 0) {
                    received.lazySet(received.getPlain() + n);
                    n = receive(pair[1], msg, in);
                }
            });
            final AtomicBoolean stop = new AtomicBoolean();
            final Worker writer = Worker.start("gatun writer", () -> {
                final MemorySegment out = Arena.ofAuto().allocate(writeOctets);
                final Uio uio = new Uio();
                while (!stop.get()) {
                    uio.set(out, 0, writeOctets);
                    Lab.check(pair[0].send(null, uio, null, null, 0), "send");
                }
                Lab.check(pair[0].shutdown(SocketDefs.SHUT_WR), "shutdown");
            });
            final double rate = Rates.measure(received, span);
            stop.set(true);
            writer.join();
            reader.join();
            close(pair);
            return rate;
        }
    }

    /** Octets received, 0 at the end of the stream. */
    static long receive(final Socket so, final RecvMsg msg, final MemorySegment in) throws ErrnoException {
        msg.uio.set(in, 0, in.byteSize());
        msg.flags = 0;
        Lab.check(so.receive(msg), "receive");
        return in.byteSize() - msg.uio.resid();
    }

    static void close(final Socket[] pair) throws ErrnoException {
        for (final Socket so : pair) {
            Lab.check(so.close(), "close");
        }
    }

    @Override
    public double roundTripNs(final boolean spin, final Span span) throws IOException {
        try (Lab lab = new Lab(true, packets)) {
            final Socket[] pair = lab.pair(true);
            pair[0].setNonBlocking(spin);
            pair[1].setNonBlocking(spin);
            final Worker echo = Worker.start("gatun echo", () -> {
                final OneOctet one = new OneOctet(pair[1]);
                while (one.read()) {
                    one.write();
                }
            });
            final OneOctet one = new OneOctet(pair[0]);
            final Histogram ns = Rates.roundTrips(span, () -> {
                one.write();
                one.read();
            });
            Lab.check(pair[0].shutdown(SocketDefs.SHUT_WR), "shutdown");
            echo.join();
            close(pair);
            return ns.getValueAtPercentile(50);
        }
    }

    /** Moves single octets, spinning where the socket does not block. */
    static final class OneOctet {
        private final Socket so;
        private final MemorySegment octet = Arena.ofAuto().allocate(1);
        private final Uio uio = new Uio();
        private final RecvMsg msg = new RecvMsg();

        OneOctet(final Socket so) {
            this.so = so;
        }

        void write() throws ErrnoException {
            uio.set(octet, 0, 1);
            Errno e = so.send(null, uio, null, null, 0);
            while (e == Errno.EAGAIN) {
                Thread.onSpinWait();
                e = so.send(null, uio, null, null, 0);
            }
            Lab.check(e, "send");
        }

        /** False at the end of the stream. */
        boolean read() throws ErrnoException {
            msg.uio.set(octet, 0, 1);
            msg.flags = 0;
            Errno e = so.receive(msg);
            while (e == Errno.EAGAIN) {
                Thread.onSpinWait();
                msg.flags = 0;
                e = so.receive(msg);
            }
            Lab.check(e, "receive");
            return msg.uio.resid() == 0;
        }
    }

    @Override
    public double udp64(final int burst, final Span span) throws IOException {
        try (Lab lab = new Lab(true, packets)) {
            final Datagrams d = new Datagrams(lab, burst);
            final AtomicBoolean stop = new AtomicBoolean();
            final AtomicLong received = new AtomicLong();
            final Worker reader = Worker.start("gatun receiver", () -> {
                while (!stop.get()) {
                    final int n = d.receive();
                    if (n > 0) {
                        received.lazySet(received.getPlain() + n);
                    }
                }
            });
            final Worker writer = Worker.start("gatun sender", () -> {
                while (!stop.get()) {
                    d.send();
                }
            });
            final double rate = Rates.measure(received, span);
            stop.set(true);
            writer.join();
            reader.join();
            d.close();
            return rate;
        }
    }

    /** A connected UDP sender and a receiver that does not block. */
    static final class Datagrams {
        private final Socket in;
        private final Socket out;
        private final Mmsghdr[] sent;
        private final Mmsghdr[] got;
        private final MemorySegment from;
        private final MemorySegment to;

        Datagrams(final Lab lab, final int burst) throws ErrnoException {
            in = lab.socket(SocketDefs.SOCK_DGRAM);
            out = lab.socket(SocketDefs.SOCK_DGRAM);
            Lab.check(in.setOpt(io.gatun.spi.socket.SockOpt.set(
                SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, DATAGRAM_RCVBUF)), "SO_RCVBUF");
            Lab.check(in.bind(Lab.loopback(UDP_PORT), Ucred.ROOT), "bind");
            Lab.check(out.connect(Lab.loopback(UDP_PORT), Ucred.ROOT), "connect");
            in.setNonBlocking(true);
            sent = messages(burst);
            got = messages(burst);
            from = Arena.ofAuto().allocate((long) burst * DATAGRAM);
            to = Arena.ofAuto().allocate((long) burst * DATAGRAM);
            for (final Mmsghdr m : got) {
                m.hdr.from = new SockAddr();
            }
        }

        private static Mmsghdr[] messages(final int n) {
            final Mmsghdr[] vec = new Mmsghdr[n];
            Arrays.setAll(vec, i -> new Mmsghdr());
            return vec;
        }

        private static void aim(final Mmsghdr[] vec, final MemorySegment octets) {
            for (int i = 0; i < vec.length; i++) {
                vec[i].hdr.uio.set(octets, (long) i * DATAGRAM, DATAGRAM);
                vec[i].hdr.flags = 0;
            }
        }

        /** One datagram, or a burst of them; what finds no room is lost. */
        void send() throws ErrnoException {
            aim(sent, from);
            final Errno e = sent.length == 1 ? out.send(null, sent[0].hdr.uio, null, null, 0)
                : error(out.sendmmsg(sent, sent.length, 0));
            if (e != Errno.OK && e != Errno.ENOBUFS) {
                Lab.check(e, "send");
            }
        }

        /** Datagrams received, as many as a burst has at most. */
        int receive() throws ErrnoException {
            aim(got, to);
            final int n = got.length == 1 ? -in.receive(got[0].hdr).code() : in.recvmmsg(got, got.length, 0);
            if (n == -Errno.EAGAIN.code()) {
                return 0;
            }
            Lab.check(error(n), "receive");
            return got.length == 1 ? 1 : n;
        }

        private static Errno error(final int answer) {
            return answer < 0 ? Errno.of(answer) : Errno.OK;
        }

        void close() throws ErrnoException {
            Lab.check(in.close(), "close");
            Lab.check(out.close(), "close");
        }
    }

    @Override
    public double connections(final Span span) throws IOException {
        try (Lab lab = new Lab(true, packets)) {
            final Socket head = lab.listener();
            head.setNonBlocking(true);
            final AtomicBoolean stop = new AtomicBoolean();
            final AtomicLong accepted = new AtomicLong();
            final Worker server = Worker.start("gatun server", () -> {
                final SockAddr peer = new SockAddr();
                while (!stop.get()) {
                    if (acceptOne(head, peer)) {
                        accepted.lazySet(accepted.getPlain() + 1);
                    }
                }
            });
            final Worker client = Worker.start("gatun client", () -> {
                long opened = 0;
                while (!stop.get()) {
                    final Socket so = lab.socket(SocketDefs.SOCK_STREAM);
                    Lab.check(so.connect(Lab.listenerAddr(), Ucred.ROOT), "connect");
                    Lab.lingerZero(so);
                    Lab.check(so.close(), "close");
                    opened++;
                    while (opened - accepted.get() > LAG && !stop.get()) {
                        Thread.onSpinWait();
                    }
                }
            });
            final double rate = Rates.measure(accepted, span);
            stop.set(true);
            client.join();
            server.join();
            Lab.check(head.close(), "close");
            return rate;
        }
    }

    /** Accepts and closes one connection, reset by its peer or not. False when none waits. */
    static boolean acceptOne(final Socket head, final SockAddr peer) throws ErrnoException {
        final SoResult r = head.accept(peer, SocketDefs.MSG_DONTWAIT);
        if (r.errno() == Errno.EAGAIN) {
            return false;
        }
        if (r.errno() == Errno.OK) {
            final Errno ignored = r.so().close();
        } else if (r.errno() != Errno.ECONNABORTED) {
            Lab.check(r.errno(), "accept");
        }
        return true;
    }
}
