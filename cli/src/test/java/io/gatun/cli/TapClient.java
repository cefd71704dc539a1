package io.gatun.cli;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * A program that embeds the stack on a TAP device and connects to a program of the kernel's:
 * {@code TAP HOST-CIDR CIDR6 get|put ADDRESS PORT OCTETS}. It takes or sends octets until the end, prints their
 * SHA-256, and then what of the pool is outstanding.
 */
public final class TapClient {
    private static final int BLOCK = 1 << 20;
    private static final int TRIES = 100;

    private TapClient() {
    }

    /** Does it once. */
    public static void main(final String[] args) throws IOException, NoSuchAlgorithmException {
        final MbufPool pool = MbufPool.builder().nmbufs(1 << 16).nmbclusters(1 << 15).nmbjumbo16(1 << 11).build();
        try (Vnet vnet = Vnet.builder().name("client").pool(pool).build()) {
            // The first one to ask for marks is this stack.
            ErrnoException.check(vnet.sysctl().set("net.inet.tcp.ecn.enable", "1"), "sysctl");
            final Ifnet ifp = vnet.ifnets().create("tap0", Map.of("name", args[0], "host-address", args[1]));
            vnet.service(InetConfig.class).addAddress(ifp, args[2]);
            ifp.up();
            System.out.println("ready");
            final MessageDigest sha = MessageDigest.getInstance("SHA-256");
            try (SocketFile so = connect(vnet, SockAddr.of(args[4], Integer.parseInt(args[5])))) {
                final long octets = "put".equals(args[3]) ? put(so, sha, Long.parseLong(args[6])) : get(so, sha);
                System.out.println(octets + " octets " + HexFormat.of().formatHex(sha.digest()));
            }
        }
        System.out.println("mbufs outstanding " + pool.outstanding());
    }

    /** The kernel's side may come up a little later, and so may the addresses. */
    private static SocketFile connect(final Vnet vnet, final SockAddr to) throws ErrnoException {
        for (int i = 0;; i++) {
            final SocketFile so = SocketFile.socket(vnet, to.family(), SocketDefs.SOCK_STREAM, 0);
            try {
                so.connect(to);
                return so;
            } catch (final ErrnoException e) {
                so.close();
                if (i == TRIES || e.errno() == Errno.EAFNOSUPPORT) {
                    throw e;
                }
                LockSupport.parkNanos(100_000_000L);
            }
        }
    }

    private static long put(final SocketFile so, final MessageDigest sha, final long octets) throws ErrnoException {
        final SplittableRandom random = new SplittableRandom(1);
        final byte[] block = new byte[BLOCK];
        for (long done = 0; done < octets; done += BLOCK) {
            random.nextBytes(block);
            sha.update(block);
            final ByteBuffer out = ByteBuffer.wrap(block);
            while (out.hasRemaining()) {
                so.send(out);
            }
        }
        so.shutdown(SocketDefs.SHUT_WR);
        final ByteBuffer in = ByteBuffer.allocate(16);
        while (so.receive(in.clear()) != SocketFile.END) {
            // until the peer has had all
        }
        return octets;
    }

    private static long get(final SocketFile so, final MessageDigest sha) throws ErrnoException {
        final ByteBuffer in = ByteBuffer.allocate(BLOCK);
        long octets = 0;
        while (so.receive(in.clear()) != SocketFile.END) {
            octets += in.flip().remaining();
            sha.update(in);
        }
        return octets;
    }
}
