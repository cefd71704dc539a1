package io.gatun.cli.ctl;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Brings a command to the process that runs the stack, and shows the answer. */
public final class ControlClient {
    private static final int MAX_WORD = 0xffff;

    private ControlClient() {
    }

    /**
     * Runs a command.
     *
     * @param stack name of the stack, or null for the only one
     * @throws IOException when no such stack runs, or with what the command says went wrong
     */
    public static void run(
        final ControlDir dir, final String stack, final List<String> words, final PrintWriter out) throws IOException {
        final Path path = dir.find(stack);
        final String error;
        try (SocketChannel c = connect(path)) {
            final DataOutputStream ask = new DataOutputStream(Channels.newOutputStream(c));
            ask.writeShort(words.size());
            for (final String w : words) {
                final byte[] b = w.getBytes(StandardCharsets.UTF_8);
                ask.writeShort(Math.min(b.length, MAX_WORD));
                ask.write(b, 0, Math.min(b.length, MAX_WORD));
            }
            ask.flush();
            final DataInputStream in = new DataInputStream(Channels.newInputStream(c));
            out.print(new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8));
            out.flush();
            error = new String(in.readNBytes(in.readUnsignedShort()), StandardCharsets.UTF_8);
        } catch (final EOFException e) {
            throw new IOException("the stack ended before it answered", e);
        }
        if (!error.isEmpty()) {
            throw new IOException(error);
        }
    }

    private static SocketChannel connect(final Path path) throws IOException {
        try {
            return SocketChannel.open(UnixDomainSocketAddress.of(path));
        } catch (final IOException e) {
            throw new IOException("the stack at " + path + " does not answer: " + e.getMessage(), e);
        }
    }
}
