package io.gatun.cli.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;

/** The kernel's loopback through Java NIO: direct buffers, default socket buffers, one thread at each end. */
final class KernelStack implements Stack {
    private static final int READ_OCTETS = 256 * 1024;
    private static final int DATAGRAM = 64;
    private static final int DATAGRAM_RCVBUF = 4 << 20;
    private static final int BACKLOG = 1024;
    private static final int LAG = 64;

    /** Two connected channels. */
    private record Pair(SocketChannel a, SocketChannel b) implements AutoCloseable {
        static Pair open() throws IOException {
            try (ServerSocketChannel listener = ServerSocketChannel.open()) {
                listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
                final SocketChannel a = SocketChannel.open(listener.getLocalAddress());
                return new Pair(a, listener.accept());
            }
        }

        @Override
        public void close() throws IOException {
            a.close();
            b.close();
        }
    }

    @Override
    public double bulk(final int writeOctets, final Span span) throws IOException {
        try (Pair pair = Pair.open()) {
            final AtomicLong received = new AtomicLong();
            final Worker reader = Worker.start("kernel reader", () -> {
                final ByteBuffer in = ByteBuffer.allocateDirect(READ_OCTETS);
                int n = pair.b.read(in);
                while (n >= 0) {
                    received.lazySet(received.getPlain() + n);
                    in.clear();
                    n = pair.b.read(in);
                }
            });
            final AtomicBoolean stop = new AtomicBoolean();
            final Worker writer = Worker.start("kernel writer", () -> {
                final ByteBuffer out = ByteBuffer.allocateDirect(writeOctets);
                while (!stop.get()) {
                    out.clear();
                    while (out.hasRemaining()) {
                        pair.a.write(out);
                    }
                }
                pair.a.shutdownOutput();
            });
            final double rate = Rates.measure(received, span);
            stop.set(true);
            writer.join();
            reader.join();
            return rate;
        }
    }

    @Override
    public double roundTripNs(final boolean spin, final Span span) throws IOException {
        try (Pair pair = Pair.open()) {
            pair.a.setOption(StandardSocketOptions.TCP_NODELAY, true);
            pair.b.setOption(StandardSocketOptions.TCP_NODELAY, true);
            pair.a.configureBlocking(!spin);
            pair.b.configureBlocking(!spin);
            final Worker echo = Worker.start("kernel echo", () -> {
                final ByteBuffer buf = ByteBuffer.allocateDirect(1);
                while (readOne(pair.b, buf)) {
                    buf.flip();
                    writeOne(pair.b, buf);
                }
            });
            final ByteBuffer buf = ByteBuffer.allocateDirect(1);
            final Histogram ns = Rates.roundTrips(span, () -> {
                buf.clear();
                writeOne(pair.a, buf);
                readOne(pair.a, buf);
            });
            pair.a.shutdownOutput();
            echo.join();
            return ns.getValueAtPercentile(50);
        }
    }

    private static boolean readOne(final SocketChannel ch, final ByteBuffer buf) throws IOException {
        buf.clear();
        int n = ch.read(buf);
        while (n == 0) {
            Thread.onSpinWait();
            n = ch.read(buf);
        }
        return n > 0;
    }

    private static void writeOne(final SocketChannel ch, final ByteBuffer buf) throws IOException {
        while (buf.hasRemaining()) {
            ch.write(buf);
        }
    }

    /** One by one, whatever the burst. */
    @Override
    public double udp64(final int burst, final Span span) throws IOException {
        try (DatagramChannel in = DatagramChannel.open(); DatagramChannel out = DatagramChannel.open()) {
            in.setOption(StandardSocketOptions.SO_RCVBUF, DATAGRAM_RCVBUF);
            in.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            in.configureBlocking(false);
            out.connect(in.getLocalAddress());
            final AtomicBoolean stop = new AtomicBoolean();
            final AtomicLong received = new AtomicLong();
            final Worker reader = Worker.start("kernel receiver", () -> {
                final ByteBuffer buf = ByteBuffer.allocateDirect(DATAGRAM);
                while (!stop.get()) {
                    buf.clear();
                    if (in.receive(buf) != null) {
                        received.lazySet(received.getPlain() + 1);
                    }
                }
            });
            final Worker writer = Worker.start("kernel sender", () -> {
                final ByteBuffer buf = ByteBuffer.allocateDirect(DATAGRAM);
                while (!stop.get()) {
                    buf.clear();
                    out.write(buf);
                }
            });
            final double rate = Rates.measure(received, span);
            stop.set(true);
            writer.join();
            reader.join();
            return rate;
        }
    }

    @Override
    public double connections(final Span span) throws IOException {
        try (ServerSocketChannel listener = ServerSocketChannel.open()) {
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
            listener.configureBlocking(false);
            final InetSocketAddress to = (InetSocketAddress) listener.getLocalAddress();
            final AtomicBoolean stop = new AtomicBoolean();
            final AtomicLong accepted = new AtomicLong();
            final Worker server = Worker.start("kernel server", () -> {
                while (!stop.get()) {
                    final SocketChannel ch = listener.accept();
                    if (ch != null) {
                        ch.close();
                        accepted.lazySet(accepted.getPlain() + 1);
                    }
                }
            });
            final Worker client = Worker.start("kernel client", () -> {
                long opened = 0;
                while (!stop.get()) {
                    try (SocketChannel ch = SocketChannel.open(to)) {
                        ch.setOption(StandardSocketOptions.SO_LINGER, 0);
                    }
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
            return rate;
        }
    }
}
