package io.gatun.cli;

import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.Ucred;
import io.gatun.uipc.SoResult;
import io.gatun.uipc.Socket;
import io.gatun.uipc.Sockets;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Small servers on a stack, over TCP and UDP: echo (RFC 862), discard (RFC 863), character generator (RFC 864), and a
 * file to whoever connects. A virtual thread for each connection. {@link #close} ends them all.
 */
final class Services implements AutoCloseable {
    private static final int BACKLOG = 512;
    private static final int BUFFER = 64 * 1024;
    private static final int CHARGEN_LINE = 72;
    private static final int CHARGEN_FIRST = ' ';
    private static final int CHARGEN_CHARS = 95;

    private final Sockets sockets;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private volatile boolean closing; // (v)

    Services(final Sockets sockets) {
        this.sockets = sockets;
    }

    /** What a connection's thread does. */
    @FunctionalInterface
    private interface Handler {
        void serve(Stream stream, MemorySegment buffer) throws ErrnoException;
    }

    /** What a datagram service answers: octets of the buffer to send back, or less than 0 for nothing. */
    @FunctionalInterface
    private interface Answer {
        int answer(MemorySegment buffer, int length);
    }

    void echo(final int port) throws ErrnoException {
        listen(port, Services::echo);
        datagrams(port, (buffer, n) -> n);
    }

    void discard(final int port) throws ErrnoException {
        listen(port, Services::discard);
        datagrams(port, (buffer, n) -> -1);
    }

    void chargen(final int port) throws ErrnoException {
        final MemorySegment text = chargenText();
        listen(port, (stream, buffer) -> {
            while (true) {
                stream.send(text, 0, text.byteSize());
            }
        });
        datagrams(port, (buffer, n) -> {
            MemorySegment.copy(text, 0, buffer, 0, CHARGEN_LINE + 2);
            return CHARGEN_LINE + 2;
        });
    }

    /** Sends the file to each connection and closes it. */
    void file(final Path path, final int port) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            final MemorySegment content = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
            listen(port, (stream, buffer) -> stream.send(content, 0, content.byteSize()));
        }
    }

    private static void echo(final Stream stream, final MemorySegment buffer) throws ErrnoException {
        int n = stream.receive(buffer);
        while (n > 0) {
            stream.send(buffer, 0, n);
            n = stream.receive(buffer);
        }
    }

    private static void discard(final Stream stream, final MemorySegment buffer) throws ErrnoException {
        int n = stream.receive(buffer);
        while (n > 0) {
            n = stream.receive(buffer);
        }
    }

    /** RFC 864: lines of 72 characters, each beginning one further; 95 lines until it repeats. */
    private static MemorySegment chargenText() {
        final MemorySegment text = Arena.ofAuto().allocate((long) CHARGEN_CHARS * (CHARGEN_LINE + 2));
        long at = 0;
        for (int line = 0; line < CHARGEN_CHARS; line++) {
            for (int i = 0; i < CHARGEN_LINE; i++) {
                text.set(java.lang.foreign.ValueLayout.JAVA_BYTE, at++,
                    (byte) (CHARGEN_FIRST + (line + i) % CHARGEN_CHARS));
            }
            text.set(java.lang.foreign.ValueLayout.JAVA_BYTE, at++, (byte) '\r');
            text.set(java.lang.foreign.ValueLayout.JAVA_BYTE, at++, (byte) '\n');
        }
        return text;
    }

    /** On every address of both families. */
    private Socket bound(final int type, final int port) throws ErrnoException {
        final String what = (type == SocketDefs.SOCK_STREAM ? "TCP" : "UDP") + " port " + port;
        final SoResult r = sockets.create(SockAddr.AF_INET6, type, 0, Ucred.ROOT);
        ErrnoException.check(r.errno(), what);
        open.add(r.so());
        final SockOpt both = SockOpt.set(InDefs.IPPROTO_IPV6, InDefs.IPV6_V6ONLY, 0);
        ErrnoException.check(r.so().setOpt(both), what);
        ErrnoException.check(r.so().bind(SockAddr.in6(0, 0, port), Ucred.ROOT), what);
        return r.so();
    }

    private void listen(final int port, final Handler handler) throws ErrnoException {
        final Socket head = bound(SocketDefs.SOCK_STREAM, port);
        // Where net.inet.tcp.fastopen.server_enable says so, text may come with a SYN.
        final Errno off = head.setOpt(SockOpt.set(InDefs.IPPROTO_TCP, InDefs.TCP_FASTOPEN, 1));
        if (off != Errno.EPERM) {
            ErrnoException.check(off, "Fast Open on TCP port " + port);
        }
        ErrnoException.check(head.listen(BACKLOG, Ucred.ROOT), "listen on TCP port " + port);
        threads.execute(() -> acceptLoop(head, handler));
    }

    private void acceptLoop(final Socket head, final Handler handler) {
        final SockAddr peer = new SockAddr();
        SoResult r = head.accept(peer, 0);
        while (!closing && (r.errno() == Errno.OK || transientError(r.errno()))) {
            if (r.errno() == Errno.OK) {
                final Socket so = r.so();
                open.add(so);
                if (closing) {
                    so.close(); // close may have gone through the set already
                    open.remove(so);
                } else {
                    threads.execute(() -> serve(so, handler));
                }
            }
            r = head.accept(peer, 0);
        }
        if (r.so() != null) {
            r.so().close();
        }
    }

    private static boolean transientError(final Errno e) {
        return e == Errno.ECONNABORTED || e == Errno.ENOBUFS || e == Errno.EAGAIN;
    }

    private void serve(final Socket so, final Handler handler) {
        try {
            handler.serve(new Stream(so), Arena.ofAuto().allocate(BUFFER));
        } catch (final ErrnoException e) {
            // The peer went away, or the service is being closed: the connection ends, which is all there is to do.
            open.remove(so);
        } finally {
            so.close();
            open.remove(so);
        }
    }

    private void datagrams(final int port, final Answer answer) throws ErrnoException {
        final Socket so = bound(SocketDefs.SOCK_DGRAM, port);
        threads.execute(() -> {
            final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER);
            final SockAddr from = new SockAddr();
            final Stream stream = new Stream(so);
            while (!closing) {
                answerOne(stream, from, buffer, answer);
            }
        });
    }

    private void answerOne(final Stream stream, final SockAddr from, final MemorySegment buffer, final Answer answer) {
        try {
            final int n = answer.answer(buffer, stream.receiveFrom(from, buffer));
            if (n >= 0) {
                stream.sendTo(from, buffer, 0, n);
            }
        } catch (final ErrnoException e) {
            // An ICMP error of an earlier answer, or no buffer for this one: the next datagram is another matter.
            Thread.onSpinWait();
        }
    }

    /** Ends all servers and connections and waits for their threads. */
    @Override
    public void close() {
        closing = true;
        while (!open.isEmpty()) {
            open.removeIf(so -> {
                so.close();
                return true;
            });
        }
        threads.close();
    }
}
