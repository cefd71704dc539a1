package io.gatun.cli;

import io.gatun.drivers.epair.Epair;
import io.gatun.drivers.wrap.Fault;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.Ucred;
import io.gatun.uipc.SoResult;
import io.gatun.uipc.Socket;
import io.gatun.uipc.Sockets;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/** Two vnets joined by an epair, and one file from the first to the second over TCP. */
final class Transfer implements AutoCloseable {
    private static final int PORT = 5001;
    private static final String LEFT = "10.0.0.1";
    private static final String RIGHT = "10.0.0.2";
    private static final int NMBUFS = 1 << 16;
    private static final int CLUSTERS_2K = 1 << 15;
    private static final int CLUSTERS_16K = 1 << 10;
    private static final int BUFFER = 256 * 1024;
    private static final long PROGRESS_MS = 100;
    private static final int EPAIR_QUEUE = 4096;
    private static final Epair.Config CABLE = new Epair.Config(1500, EPAIR_QUEUE, true, false);

    private final MemorySegment content;
    private final MbufPool pool =
        MbufPool.builder().nmbufs(NMBUFS).nmbclusters(CLUSTERS_2K).nmbjumbo16(CLUSTERS_16K).build();
    private final Vnet left = Vnet.builder().name("left").pool(pool).build();
    private final Vnet right = Vnet.builder().name("right").pool(pool).build();
    private final AtomicLong received = new AtomicLong();
    private boolean closed;

    /** @param faults what goes wrong in both directions, or null */
    Transfer(final MemorySegment content, final Fault.Config faults) throws ErrnoException {
        this.content = content;
        final Epair cable = Epair.join(left, right, 0, CABLE);
        if (faults != null) {
            Fault.wrap(cable.a(), faults);
            Fault.wrap(cable.b(), faults);
        }
        up(left, cable.a(), LEFT);
        up(right, cable.b(), RIGHT);
    }

    private static void up(final Vnet vnet, final Ifnet ifp, final String address) throws ErrnoException {
        vnet.service(InetConfig.class).addAddress(ifp, address + "/24");
        ifp.up();
    }

    /** Sends all of it and compares. */
    TransferReport run(final ProgressBar bar) throws IOException {
        final Socket head = socket(right);
        ErrnoException.check(head.bind(SockAddr.of(RIGHT, PORT), Ucred.ROOT), "bind");
        ErrnoException.check(head.listen(1, Ucred.ROOT), "listen");
        final long startNs = System.nanoTime();
        final CompletableFuture<String> receiver = async(() -> receive(head));
        final Socket so = socket(left);
        ErrnoException.check(so.connect(SockAddr.of(RIGHT, PORT), Ucred.ROOT), "connect");
        final CompletableFuture<String> sender = async(() -> send(so));
        final String got = await(receiver, bar);
        final long elapsedNs = System.nanoTime() - startNs;
        final String sent = await(sender, bar);
        bar.end();
        final long srttNs = srttNs(so);
        ErrnoException.check(so.close(), "close");
        ErrnoException.check(head.close(), "close");
        close();
        return new TransferReport(received.get(), elapsedNs, sent, got, srttNs, left.counters().snapshot(),
            right.counters().snapshot(), drops(), pool.outstanding());
    }

    private static Socket socket(final Vnet vnet) throws ErrnoException {
        final SoResult r = Sockets.of(vnet).create(SockAddr.AF_INET, SocketDefs.SOCK_STREAM, 0, Ucred.ROOT);
        ErrnoException.check(r.errno(), "socket");
        return r.so();
    }

    private static long srttNs(final Socket so) {
        final SockOpt opt = SockOpt.get(InDefs.IPPROTO_TCP, InDefs.TCP_INFO);
        return so.getOpt(opt) == Errno.OK && opt.object() instanceof TcpInfo info ? info.rttNs() : -1;
    }

    /** Work that may fail. */
    @FunctionalInterface
    private interface Work {
        String run() throws IOException;
    }

    private static CompletableFuture<String> async(final Work work) {
        final CompletableFuture<String> result = new CompletableFuture<>();
        Thread.ofPlatform().daemon().start(() -> {
            try {
                result.complete(work.run());
            } catch (final IOException | RuntimeException | Error e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    private String await(final CompletableFuture<String> work, final ProgressBar bar) throws IOException {
        while (true) {
            try {
                return work.get(PROGRESS_MS, TimeUnit.MILLISECONDS);
            } catch (final TimeoutException e) {
                bar.update(received.get());
            } catch (final InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            } catch (final java.util.concurrent.ExecutionException | CompletionException e) {
                throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
            }
        }
    }

    private String send(final Socket so) throws IOException {
        final Stream stream = new Stream(so);
        final MessageDigest sha = sha256();
        for (long at = 0; at < content.byteSize(); at += BUFFER) {
            final long n = Math.min(BUFFER, content.byteSize() - at);
            sha.update(content.asSlice(at, n).asByteBuffer());
            stream.send(content, at, n);
        }
        ErrnoException.check(so.shutdown(SocketDefs.SHUT_WR), "shutdown");
        return HexFormat.of().formatHex(sha.digest());
    }

    private String receive(final Socket head) throws IOException {
        final SoResult r = head.accept(new SockAddr(), 0);
        ErrnoException.check(r.errno(), "accept");
        final Stream stream = new Stream(r.so());
        final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER);
        final MessageDigest sha = sha256();
        int n = stream.receive(buffer);
        while (n > 0) {
            sha.update(buffer.asSlice(0, n).asByteBuffer());
            received.addAndGet(n);
            n = stream.receive(buffer);
        }
        ErrnoException.check(r.so().close(), "close");
        return HexFormat.of().formatHex(sha.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (final NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private Map<String, Long> drops() {
        final Map<String, Long> out = new TreeMap<>();
        for (final DropReason r : DropReason.values()) {
            final long n = left.drops(r) + right.drops(r);
            if (n != 0) {
                out.put(r.name(), n);
            }
        }
        return out;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            left.close();
            right.close();
        }
    }
}
