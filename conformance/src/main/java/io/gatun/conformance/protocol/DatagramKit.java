package io.gatun.conformance.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatun.netinet.InetConfig;
import io.gatun.netinet.ip.InCksum;
import io.gatun.protosw.Vnet;
import io.gatun.protosw.VnetBuilder;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The contract of {@link io.gatun.spi.socket.Protosw} for a datagram protocol (PR_ATOMIC, PR_ADDR) as tests. Extend it,
 * answer {@link #family}, {@link #protocol} and {@link #address}, and run it; nothing else of the protocol is touched.
 *
 * <p>Each test makes a vnet of its own with {@code lo0}, and sockets in it. After each test the sockets and the vnet
 * are closed and its pool recounted: a leaked mbuf or an armed callout fails it. All but the last run without threads,
 * on a virtual clock.
 */
public abstract class DatagramKit {
    private static final int SMALL = 100;
    private static final int FLOOD = 5000;
    private static final int GARBAGE = 2000;
    private static final int IP_HDR = 20;
    private static final int TTL = 64;
    private static final int NO_OPTION = 0x7fff;

    private final List<SocketFile> sockets = new ArrayList<>();
    private Vnet vnet;

    /** For subclasses. */
    protected DatagramKit() {
        // everything is made by the tests
    }

    // ---- what the author of a protocol answers ------------------------------------------------------------

    /** AF_*. */
    protected abstract int family();

    /** The third argument of socket(2); 0 for the usual protocol of SOCK_DGRAM. */
    protected abstract int protocol();

    /** An address of this host that a socket can be bound to; another for each number, 1 to 9. */
    protected abstract SockAddr address(int number);

    /** Octets of the longest message that the protocol promises to carry; at least 1,000. */
    protected abstract int longest();

    /** The number of its IPv4 packets, to have it fed with garbage; 0 for a protocol that is none of IPv4's. */
    protected int ipProtocol() {
        return 0;
    }

    /** Adds what ServiceLoader does not find: a domain, a module. */
    protected VnetBuilder configure(final VnetBuilder builder) {
        return builder;
    }

    /** Makes what the protocol stands on. By default {@code lo0} with 127.0.0.1 and ::1. */
    protected void prepare(final Vnet theVnet) throws Exception {
        final Ifnet lo = theVnet.ifnets().create("lo0");
        final InetConfig inet = theVnet.service(InetConfig.class);
        if (inet != null) {
            inet.addAddress(lo, "127.0.0.1/8");
            inet.addAddress(lo, "::1/128");
        }
        lo.up();
    }

    /** Under which locks to run. */
    protected LockStrategy strategy() {
        return LockStrategy.SPLIT;
    }

    // ---- the frame of a test ------------------------------------------------------------

    private void start(final boolean threads) throws Exception {
        vnet = configure(Vnet.builder().name("kit").strict(true).seed(1).threads(threads).lockStrategy(strategy())
            .clock(threads ? Clock.SYSTEM : new VirtualClock()).pool(MbufPool.builder().small())).build();
        prepare(vnet);
    }

    @AfterEach
    public final void everything_isGivenBack() throws Exception {
        if (vnet == null) {
            return;
        }
        for (final SocketFile s : sockets) {
            s.close();
        }
        sockets.clear();
        final Vnet gone = vnet;
        vnet = null;
        gone.close();
        assertThat(gone.pool().outstanding()).as(gone.pool().leakReport()).isZero();
        assertThat(gone.pool().clustersOutstanding()).isZero();
        gone.pool().check();
    }

    private SocketFile socket() throws ErrnoException {
        final SocketFile s = SocketFile.socket(vnet, family(), SocketDefs.SOCK_DGRAM, protocol());
        sockets.add(s);
        return s;
    }

    private SocketFile bound(final int number) throws ErrnoException {
        final SocketFile s = socket();
        s.bind(address(number));
        s.so().setNonBlocking(true);
        return s;
    }

    private static byte[] octets(final int n, final int seed) {
        final byte[] out = new byte[n];
        new SplittableRandom(seed).nextBytes(out);
        return out;
    }

    private static int send(final SocketFile from, final byte[] message, final SockAddr to) throws ErrnoException {
        return from.sendto(ByteBuffer.wrap(message), 0, to);
    }

    private void settle() {
        if (!vnet.threaded()) {
            vnet.runUntilIdle();
        }
    }

    /** The next message, or null. */
    private byte[] next(final SocketFile at, final SockAddr from) throws ErrnoException {
        settle();
        final ByteBuffer in = ByteBuffer.allocate(longest() + 1);
        final int n = at.recvfrom(in, SocketDefs.MSG_DONTWAIT, from);
        if (n == SocketFile.WOULD_BLOCK) {
            return null;
        }
        final byte[] out = new byte[in.flip().remaining()];
        in.get(out);
        return out;
    }

    private static void refused(final ThrowingCallable call, final Errno... how) {
        assertThatThrownBy(call).isInstanceOfSatisfying(ErrnoException.class,
            e -> assertThat(List.of(how)).contains(e.errno()));
    }

    // ---- messages ------------------------------------------------------------

    @Test
    public final void message_sent_arrivesWholeWithItsSender() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        final SocketFile b = bound(2);
        final SockAddr from = new SockAddr();
        for (final int n : new int[] {1, SMALL, Mbuf.MLEN - 1, Mbuf.MLEN, Mbuf.MLEN + 1, 1000, longest()}) {
            assertThat(send(a, octets(n, n), address(2))).isEqualTo(n);
            assertThat(next(b, from)).as(n + " octets").isEqualTo(octets(n, n));
            assertThat(from).isEqualTo(address(1));
        }
        assertThat(next(b, from)).isNull();
    }

    @Test
    public final void messages_severalSent_keepTheirBoundaries() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        final SocketFile b = bound(2);
        for (int i = 0; i < 20; i++) {
            send(a, octets(1 + i * 7, i), address(2));
        }
        for (int i = 0; i < 20; i++) {
            assertThat(next(b, null)).as("message " + i).isEqualTo(octets(1 + i * 7, i));
        }
    }

    @Test
    public final void message_tooLong_isRefused_andTheNextGoes() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        final SocketFile b = bound(2);
        refused(() -> send(a, new byte[1 << 20], address(2)), Errno.EMSGSIZE);
        assertThat(send(a, octets(SMALL, 1), address(2))).isEqualTo(SMALL);
        assertThat(next(b, null)).isEqualTo(octets(SMALL, 1));
    }

    @Test
    public final void message_longerThanTheReader_isCutAndItsRestGone() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        final SocketFile b = bound(2);
        send(a, octets(SMALL, 1), address(2));
        send(a, octets(SMALL, 2), address(2));
        settle();
        assertThat(b.receive(ByteBuffer.allocate(10), SocketDefs.MSG_PEEK)).isEqualTo(10);
        assertThat(b.receive(ByteBuffer.allocate(10))).isEqualTo(10);
        assertThat(next(b, null)).isEqualTo(octets(SMALL, 2));
    }

    @Test
    public final void message_toNobody_isLost_andNothingElse() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        send(a, octets(SMALL, 1), address(9));
        settle();
        a.getOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_ERROR); // it may or may not be told
        final SocketFile b = bound(2);
        send(a, octets(SMALL, 1), address(2));
        assertThat(next(b, null)).isEqualTo(octets(SMALL, 1));
    }

    @Test
    public final void messages_beyondTheBuffer_areDropped_andItGoesOn() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        final SocketFile b = bound(2);
        for (int i = 0; i < FLOOD; i++) {
            try {
                send(a, octets(SMALL, i), address(2));
            } catch (final ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.ENOBUFS);
            }
        }
        int n = 0;
        while (next(b, null) != null) {
            n++;
        }
        assertThat(n).isBetween(1, FLOOD - 1);
        send(a, octets(SMALL, 1), address(2));
        assertThat(next(b, null)).isEqualTo(octets(SMALL, 1));
    }

    @Test
    public final void closed_withMessagesQueued_leavesNothing() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        final SocketFile b = bound(2);
        for (int i = 0; i < 5; i++) {
            send(a, octets(SMALL, i), address(2));
        }
        settle();
        b.close();
        final SocketFile again = bound(2);
        assertThat(next(again, null)).as("not what the one before it was sent").isNull();
    }

    @Test
    public final void garbage_fromBelow_isDropped_andItGoesOn() throws Exception {
        assumeTrue(ipProtocol() != 0, "not a protocol of IPv4");
        start(false);
        final SocketFile a = bound(1);
        final SocketFile b = bound(2);
        final long seed = System.nanoTime();
        final SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < GARBAGE; i++) {
            final byte[] packet = new byte[IP_HDR + random.nextInt(SMALL)];
            random.nextBytes(packet);
            ByteBuffer.wrap(packet).putInt(0, 0x4500_0000 | packet.length).putInt(4, 0)
                .putShort(8, (short) (TTL << 8 | ipProtocol())).putShort(10, (short) 0)
                .putInt(12, SockAddr.INADDR_LOOPBACK).putInt(16, SockAddr.INADDR_LOOPBACK);
            final Mbuf m = vnet.pool().devget(MemorySegment.ofArray(packet), 0, packet.length,
                vnet.ifnets().byName("lo0"));
            m.put16(10, InCksum.hdr(m, IP_HDR));
            assertThat(vnet.netisr().dispatch(Netisr.NETISR_IP, m)).as("seed " + seed).isEqualTo(Errno.OK);
            settle();
        }
        while (next(b, null) != null) {
            // some of it may have been right
        }
        send(a, octets(SMALL, 1), address(2));
        assertThat(next(b, null)).as("seed " + seed).isEqualTo(octets(SMALL, 1));
    }

    // ---- names and peers ------------------------------------------------------------

    @Test
    public final void bind_takenOrTwice_isRefused() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        assertThat(a.localAddress()).isEqualTo(address(1));
        refused(() -> bound(1), Errno.EADDRINUSE);
        refused(() -> a.bind(address(2)), Errno.EINVAL);
        a.close();
        assertThat(bound(1).localAddress()).isEqualTo(address(1));
        refused(() -> socket().bind(SockAddr.un("/nowhere")), Errno.EAFNOSUPPORT, Errno.EINVAL);
    }

    @Test
    public final void unbound_sending_isGivenAName() throws Exception {
        start(false);
        final SocketFile a = socket();
        final SocketFile b = bound(2);
        final SockAddr from = new SockAddr();
        send(a, octets(SMALL, 1), address(2));
        assertThat(next(b, from)).isEqualTo(octets(SMALL, 1));
        send(b, octets(SMALL, 2), from);
        a.so().setNonBlocking(true);
        assertThat(next(a, null)).as("an answer finds its way").isEqualTo(octets(SMALL, 2));
    }

    @Test
    public final void unconnected_sendingToNobody_isRefused() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        refused(() -> a.send(ByteBuffer.allocate(SMALL)), Errno.ENOTCONN, Errno.EDESTADDRREQ);
        refused(a::peerAddress, Errno.ENOTCONN);
    }

    @Test
    public final void connected_hearsItsPeerAlone() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        final SocketFile b = bound(2);
        final SocketFile c = bound(3);
        assertThat(a.connect(address(2))).isTrue();
        assertThat(a.peerAddress()).isEqualTo(address(2));
        send(c, octets(SMALL, 1), address(1));
        send(b, octets(SMALL, 2), address(1));
        assertThat(next(a, null)).isEqualTo(octets(SMALL, 2));
        assertThat(next(a, null)).isNull();
        a.send(ByteBuffer.wrap(octets(SMALL, 3)));
        assertThat(next(b, null)).isEqualTo(octets(SMALL, 3));
        refused(() -> send(a, octets(SMALL, 1), address(3)), Errno.EISCONN);
        assertThat(a.connect(address(3))).as("a datagram socket may change its peer").isTrue();
        send(c, octets(SMALL, 4), address(1));
        assertThat(next(a, null)).isEqualTo(octets(SMALL, 4));
        assertThat(a.so().disconnect()).isEqualTo(Errno.OK);
        refused(a::peerAddress, Errno.ENOTCONN);
    }

    @Test
    public final void shutdown_eitherWay_ends() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        a.connect(address(2));
        a.shutdown(SocketDefs.SHUT_WR);
        refused(() -> a.send(ByteBuffer.allocate(SMALL)), Errno.EPIPE);
        a.shutdown(SocketDefs.SHUT_RD);
        assertThat(a.receive(ByteBuffer.allocate(SMALL))).isIn(0, SocketFile.END);
        refused(() -> a.shutdown(NO_OPTION), Errno.EINVAL);
    }

    @Test
    public final void whatItCannotDo_isRefused() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        refused(() -> a.listen(1), Errno.EOPNOTSUPP);
        refused(a::accept, Errno.EINVAL, Errno.EOPNOTSUPP);
        refused(() -> a.setOption(SocketDefs.SOL_SOCKET, NO_OPTION, 1), Errno.ENOPROTOOPT);
        refused(() -> a.setOption(NO_OPTION, 1, 1), Errno.ENOPROTOOPT);
        refused(() -> a.getOption(NO_OPTION, 1), Errno.ENOPROTOOPT);
    }

    // ---- no memory ------------------------------------------------------------

    @Test
    public final void anyMbufRefused_isAnErrorOrALoss_andItGoesOn() throws Exception {
        start(false);
        final SocketFile a = bound(1);
        final SocketFile b = bound(2);
        final byte[] message = octets(1000, 1);
        for (int nth = 1; nth <= 12; nth++) {
            vnet.pool().refuse(nth, 1);
            try {
                send(a, message, address(2));
            } catch (final ErrnoException e) {
                assertThat(e.errno()).as("refused " + nth).isIn(Errno.ENOBUFS, Errno.EAGAIN);
            }
            final byte[] got = next(b, null);
            vnet.pool().refuse(0, 0);
            assertThat(got == null || Arrays.equals(got, message)).as("refused " + nth).isTrue();
            send(a, message, address(2));
            assertThat(next(b, null)).as("after " + nth).isEqualTo(message);
        }
    }

    // ---- threads ------------------------------------------------------------

    @Test
    public final void closed_underLoadOfOtherThreads_leavesNothing() throws Exception {
        start(true);
        final AtomicInteger received = new AtomicInteger();
        for (int round = 0; round < 5; round++) {
            final SocketFile a = bound(1);
            final SocketFile b = bound(2);
            a.connect(address(2));
            final Thread sender = Thread.ofPlatform().start(() -> untilClosed(() -> {
                a.send(ByteBuffer.wrap(octets(SMALL, 1)));
            }));
            final Thread reader = Thread.ofPlatform().start(() -> untilClosed(() -> {
                if (next(b, null) != null) {
                    received.incrementAndGet();
                }
            }));
            final int before = received.get();
            while (received.get() - before < SMALL) {
                Thread.yield();
            }
            b.close();
            a.close();
            sender.join();
            reader.join();
        }
    }

    /** A call that may fail. */
    @FunctionalInterface
    private interface Call {
        void run() throws ErrnoException;
    }

    private static void untilClosed(final Call call) {
        Errno e = Errno.OK;
        while (e != Errno.EBADF) {
            try {
                call.run();
            } catch (final ErrnoException x) {
                e = x.errno();
            }
        }
    }
}
