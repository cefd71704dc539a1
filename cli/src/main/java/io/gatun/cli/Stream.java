package io.gatun.cli;

import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.Socket;
import java.lang.foreign.MemorySegment;

/** Blocking calls on a socket with what they need kept for the next. One thread sends, one receives. */
final class Stream {
    private final Socket so;
    private final Uio out = new Uio();
    private final RecvMsg in = new RecvMsg();

    Stream(final Socket so) {
        this.so = so;
    }

    /** Sends it all. */
    void send(final MemorySegment seg, final long offset, final long length) throws ErrnoException {
        sendTo(null, seg, offset, length);
    }

    /** Sends it all, or one message, to an address. */
    void sendTo(final SockAddr to, final MemorySegment seg, final long offset, final long length)
            throws ErrnoException {
        out.set(seg, offset, length);
        while (true) {
            ErrnoException.check(so.send(to, out, null, null, 0), "send");
            if (out.resid() == 0) {
                return;
            }
        }
    }

    /** Octets received; 0 at the end of the stream. */
    int receive(final MemorySegment seg) throws ErrnoException {
        return receiveFrom(null, seg);
    }

    /** One message with its sender's address. */
    int receiveFrom(final SockAddr from, final MemorySegment seg) throws ErrnoException {
        in.uio.set(seg, 0, seg.byteSize());
        in.from = from;
        in.flags = 0;
        final Errno e = so.receive(in);
        ErrnoException.check(e, "receive");
        return (int) (seg.byteSize() - in.uio.resid());
    }
}
