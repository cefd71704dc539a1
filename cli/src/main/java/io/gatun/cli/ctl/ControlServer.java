package io.gatun.cli.ctl;

import io.gatun.protosw.Vnet;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Takes commands for a vnet from other processes of the same user, over a socket in {@link ControlDir}. One connection
 * is one command:
 *
 * <pre>
 *   asked     u2 words, then each as u2 octets and UTF-8
 *   answered  u4 octets of output, the output, u2 octets of error, the error (none: it went well)
 * </pre>
 *
 * <p>Locking key: (c) constant; (v) volatile.
 */
public final class ControlServer implements AutoCloseable {
    private static final int MAX_WORDS = 256;

    private final Vnet vnet;                  // (c)
    private final Path path;                  // (c)
    private final ServerSocketChannel server; // (c)
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closing;         // (v)

    private ControlServer(final Vnet vnet, final Path path, final ServerSocketChannel server) {
        this.vnet = vnet;
        this.path = path;
        this.server = server;
    }

    /**
     * Starts to listen.
     *
     * @param name of the stack, by which {@code --stack} finds it
     * @throws IOException when the directory is not this user's alone, or a stack of that name runs
     */
    public static ControlServer start(final Vnet vnet, final ControlDir dir, final String name) throws IOException {
        dir.prepare();
        final Path path = dir.socket(name);
        if (Files.exists(path)) {
            if (answers(path)) {
                throw new IOException("a stack named " + name + " runs already");
            }
            Files.delete(path); // of a process that ended without a word
        }
        final ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(path));
        } catch (final IOException e) {
            server.close();
            throw new IOException("control socket " + path + ": " + e.getMessage(), e);
        }
        final ControlServer s = new ControlServer(vnet, path, server);
        Thread.ofPlatform().daemon().name("gatun: control").start(s::accept);
        return s;
    }

    private static boolean answers(final Path path) {
        try (SocketChannel c = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return c.isConnected();
        } catch (final IOException e) {
            return false;
        }
    }

    private void accept() {
        while (!closing) {
            try {
                final SocketChannel c = server.accept();
                open.add(c);
                Thread.ofPlatform().daemon().name("gatun: command").start(() -> serve(c));
            } catch (final IOException e) {
                Thread.onSpinWait(); // closed, and closing says so; or one connection that came to nothing
            }
        }
    }

    private void serve(final SocketChannel c) {
        try (c) {
            final DataInputStream in = new DataInputStream(new BufferedInputStream(Channels.newInputStream(c)));
            final int n = in.readUnsignedShort();
            final List<String> words = new ArrayList<>();
            for (int i = 0; i < Math.min(n, MAX_WORDS); i++) {
                words.add(new String(in.readNBytes(in.readUnsignedShort()), StandardCharsets.UTF_8));
            }
            final StringBuilder out = new StringBuilder();
            final String error = n > MAX_WORDS ? "more than " + MAX_WORDS + " words"
                : StackCommands.run(vnet, words, out);
            final byte[] shown = out.toString().getBytes(StandardCharsets.UTF_8);
            final byte[] failed = (error == null ? "" : error).getBytes(StandardCharsets.UTF_8);
            final DataOutputStream answer = new DataOutputStream(Channels.newOutputStream(c));
            answer.writeInt(shown.length);
            answer.write(shown);
            answer.writeShort(failed.length);
            answer.write(failed);
            answer.flush();
        } catch (final IOException e) {
            Thread.onSpinWait(); // who asked has gone away: nobody is left to tell
        } finally {
            open.remove(c);
        }
    }

    /** Stops listening, ends the connections and takes the socket away. */
    @Override
    public void close() throws IOException {
        closing = true;
        server.close();
        Files.deleteIfExists(path);
        for (final SocketChannel c : open) {
            c.close();
        }
    }
}
