package io.gatun.cli.bench;

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

/**
 * Gatun's {@code lo0} in a vnet without threads: both ends and the stack on one thread, as embedded stacks are
 * driven.
 */
final class PollStack implements Stack {
    private static final int READ_OCTETS = 256 * 1024;

    private final boolean packets;

    PollStack(final boolean packets) {
        this.packets = packets;
    }

    @Override
    public double bulk(final int writeOctets, final Span span) throws IOException {
        try (Lab lab = new Lab(false, packets)) {
            final Socket[] pair = lab.pair(false);
            pair[0].setNonBlocking(true);
            pair[1].setNonBlocking(true);
            final MemorySegment out = Arena.ofAuto().allocate(writeOctets);
            final MemorySegment in = Arena.ofAuto().allocate(READ_OCTETS);
            final Uio uio = new Uio();
            final RecvMsg msg = new RecvMsg();
            final double rate = Rates.run(span, () -> {
                write(pair[0], uio, out);
                lab.vnet().poll();
                return read(pair[1], msg, in);
            });
            GatunStack.close(pair);
            return rate;
        }
    }

    /** Goes on with the present write, or begins the next. */
    private static void write(final Socket so, final Uio uio, final MemorySegment out) throws ErrnoException {
        if (uio.resid() == 0) {
            uio.set(out, 0, out.byteSize());
        }
        final Errno e = so.send(null, uio, null, null, 0);
        if (e != Errno.EAGAIN) {
            Lab.check(e, "send");
        }
    }

    private static long read(final Socket so, final RecvMsg msg, final MemorySegment in) throws ErrnoException {
        msg.uio.set(in, 0, in.byteSize());
        msg.flags = 0;
        final Errno e = so.receive(msg);
        if (e != Errno.EAGAIN) {
            Lab.check(e, "receive");
        }
        return in.byteSize() - msg.uio.resid();
    }

    /** The same figure whether the ends spin or block: they are one thread. */
    @Override
    public double roundTripNs(final boolean spin, final Span span) throws IOException {
        try (Lab lab = new Lab(false, packets)) {
            final Socket[] pair = lab.pair(true);
            pair[0].setNonBlocking(true);
            pair[1].setNonBlocking(true);
            final GatunStack.OneOctet a = new GatunStack.OneOctet(pair[0]);
            final GatunStack.OneOctet b = new GatunStack.OneOctet(pair[1]);
            final double p50 = Rates.roundTrips(span, () -> {
                a.write();
                b.read();
                b.write();
                a.read();
            }).getValueAtPercentile(50);
            GatunStack.close(pair);
            return p50;
        }
    }

    @Override
    public double udp64(final int burst, final Span span) throws IOException {
        try (Lab lab = new Lab(false, packets)) {
            final GatunStack.Datagrams d = new GatunStack.Datagrams(lab, burst);
            final double rate = Rates.run(span, () -> {
                d.send();
                return d.receive();
            });
            d.close();
            return rate;
        }
    }

    @Override
    public double connections(final Span span) throws IOException {
        try (Lab lab = new Lab(false, packets)) {
            final Socket head = lab.listener();
            head.setNonBlocking(true);
            final SockAddr peer = new SockAddr();
            final double rate = Rates.run(span, () -> {
                final Socket so = lab.socket(SocketDefs.SOCK_STREAM);
                so.setNonBlocking(true);
                final Errno e = so.connect(Lab.listenerAddr(), Ucred.ROOT);
                if (e != Errno.EINPROGRESS) {
                    Lab.check(e, "connect");
                }
                Lab.lingerZero(so);
                final SoResult child = head.accept(peer, SocketDefs.MSG_DONTWAIT);
                Lab.check(child.errno(), "accept");
                Lab.check(so.close(), "close");
                Lab.check(child.so().close(), "close");
                return 1;
            });
            Lab.check(head.close(), "close");
            return rate;
        }
    }

    @Override
    public double fib4Lookup(final Span span) throws IOException {
        return new FibLab().lookup4(span);
    }

    @Override
    public double fib6Lookup(final Span span) throws IOException {
        return new FibLab().lookup6(span);
    }

    @Override
    public double fibUpdate(final boolean six, final Span span) throws IOException {
        final FibLab lab = new FibLab();
        return six ? lab.update6(span) : lab.update4(span);
    }

    @Override
    public double fibMemory(final boolean six) {
        return new FibLab().memory(six);
    }

    @Override
    public double forward(final int routes, final boolean six, final Span span) throws IOException {
        try (ForwardLab lab = new ForwardLab(routes, six)) {
            return lab.run(span);
        }
    }
}
