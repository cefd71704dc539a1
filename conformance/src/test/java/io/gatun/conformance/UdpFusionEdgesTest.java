package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.Mmsghdr;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Datagrams that go straight next to packets, and next to a receiver who goes. */
class UdpFusionEdgesTest {
    private static final int MANY = 1 << 16;
    private static final int REOPENED = 5000;
    private static final int EACH = 4;

    private static int receive(final SocketFile so) throws ErrnoException {
        return so.receive(ByteBuffer.allocate(MANY), SocketDefs.MSG_DONTWAIT);
    }

    private static SocketFile at(final Vnet v, final int port) throws ErrnoException {
        final SocketFile so = Bed.udp(v);
        so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_REUSEPORT, 1);
        so.bind(SockAddr.of("127.0.0.1", port));
        return so;
    }

    /** A receiver, and a sender that is connected with it. */
    private record Pair(SocketFile in, SocketFile out) implements AutoCloseable {
        static Pair of(final Vnet v) throws ErrnoException {
            final SocketFile in = at(v, 5353);
            final SocketFile out = Bed.udp(v);
            out.bind(SockAddr.of("127.0.0.1", 4000));
            out.connect(SockAddr.of("127.0.0.1", 5353));
            return new Pair(in, out);
        }

        void send(final int octets) throws ErrnoException {
            assertThat(out.send(ByteBuffer.allocate(octets))).isEqualTo(octets);
        }

        /** Waits for it, if there are threads. */
        void receive(final int octets) throws ErrnoException {
            assertThat(in.receive(ByteBuffer.allocate(MANY))).isEqualTo(octets);
        }

        @Override
        public void close() throws ErrnoException {
            in.close();
            out.close();
        }
    }

    /** A receiver that closes while a datagram is put into its buffer leaves none there. */
    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void receiversThatClose_underDatagrams_leaveNothing(final LockStrategy locks) throws Exception {
        try (Bed bed = new Bed(locks, true, 1)) {
            final Vnet v = bed.loopback();
            final AtomicBoolean done = new AtomicBoolean();
            final FutureTask<Void> sender = new FutureTask<>(() -> {
                final SocketFile out = Bed.udp(v);
                out.connect(SockAddr.of("127.0.0.1", 5353));
                final ByteBuffer b = ByteBuffer.allocateDirect(600);
                for (int i = 0; !done.get(); i++) {
                    try {
                        out.send(b.clear().limit(i % 2 == 0 ? 600 : 8));
                    } catch (final ErrnoException e) {
                        Thread.onSpinWait(); // nobody is there now
                    }
                }
                out.close();
                return null;
            });
            Thread.ofPlatform().daemon().start(sender);
            for (int i = 0; i < REOPENED; i++) {
                final SocketFile in = at(v, 5353);
                for (int k = i % 100; k > 0; k--) {
                    Thread.onSpinWait();
                }
                in.close();
            }
            done.set(true);
            sender.get();
        }
    }

    @Test
    void shutForReading_withoutAPeer_keepsNothingForTheNext() throws Exception {
        try (Bed bed = new Bed(LockStrategy.SPLIT, true, 1)) {
            final Vnet v = bed.loopback();
            final SocketFile in = at(v, 5353);
            final SocketFile out = Bed.udp(v);
            out.connect(SockAddr.of("127.0.0.1", 5353));
            for (int i = 0; i < 3; i++) {
                out.send(ByteBuffer.allocate(10));
            }
            assertThat(receive(in)).isEqualTo(10);
            assertThatThrownBy(() -> in.shutdown(SocketDefs.SHUT_RD)).hasMessageContaining("ENOTCONN");
            assertThat(in.available()).isZero();
            assertThat(receive(in)).isLessThanOrEqualTo(0);
            in.close();
            out.close();
        }
    }

    /** Of a burst without a peer the first is a packet, that waits for the end of the call. */
    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void datagramsOfABurst_keepTheirOrder(final LockStrategy locks) throws Exception {
        for (final boolean threads : new boolean[] {false, true}) {
            try (Bed bed = new Bed(locks, threads, 1)) {
                final Vnet v = bed.loopback();
                final SocketFile in = at(v, 5353);
                final SocketFile out = Bed.udp(v);
                final Mmsghdr[] vec = new Mmsghdr[EACH];
                for (int i = 0; i < EACH; i++) {
                    vec[i] = new Mmsghdr();
                    vec[i].hdr.uio.set(Arena.ofAuto().allocate(i + 1), 0, i + 1);
                    vec[i].hdr.from = SockAddr.of("127.0.0.1", 5353);
                }
                assertThat(out.sendmmsg(vec, EACH, 0)).isEqualTo(EACH);
                for (int i = 0; i < EACH; i++) {
                    assertThat(in.receive(ByteBuffer.allocate(EACH))).isEqualTo(i + 1);
                }
                in.close();
                out.close();
            }
        }
    }

    /** A receiver that is full loses the datagram and counts it, as one that came as a packet. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void fullReceiver_losesAndCounts_keepsTheRest(final boolean threads) throws Exception {
        try (Bed bed = new Bed(LockStrategy.SPLIT, threads, 1); Pair p = Pair.of(bed.loopback())) {
            p.in.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, 5000);
            for (int i = 0; i < 10; i++) {
                p.send(900);
            }
            // What finds no room goes on as a packet, which another thread may have in hand.
            int got = 0;
            while (got + p.in.so().vnet().counters().get("udp.fullsock") < 10) {
                got += receive(p.in) == 900 ? 1 : 0;
            }
            assertThat(got).isBetween(1, threads ? 9 : 5);
            assertThat(receive(p.in)).as("no more than were sent").isLessThanOrEqualTo(0);
            p.send(900);
            p.receive(900);
        }
    }

    /** Who sends from memory that is gone is told so; nothing arrives, nothing is kept, and the next goes well. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void memoryThatIsGone_throws_andLeavesNothing(final boolean threads) throws Exception {
        try (Bed bed = new Bed(LockStrategy.SPLIT, threads, 1); Pair p = Pair.of(bed.loopback())) {
            p.send(8); // finds the way
            p.receive(8);
            for (final int octets : new int[] {64, 6000}) {
                final ByteBuffer gone;
                try (Arena arena = Arena.ofShared()) {
                    gone = arena.allocate(octets).asByteBuffer();
                }
                assertThatThrownBy(() -> p.out.send(gone)).isInstanceOf(IllegalStateException.class);
                assertThat(p.in.available()).isZero();
                p.send(octets);
                p.receive(octets);
            }
        }
    }

    /** Of a message in several pieces the sender's address and the octets arrive, however long it is. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void messagesInPieces_ofAnyLength_arriveWhole(final boolean threads) throws Exception {
        try (Bed bed = new Bed(LockStrategy.SPLIT, threads, 1); Pair p = Pair.of(bed.loopback())) {
            final MemorySegment octets = Arena.ofAuto().allocate(9000);
            for (int i = 0; i < octets.byteSize(); i++) {
                octets.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31));
            }
            final RecvMsg msg = new RecvMsg();
            msg.from = new SockAddr();
            final MemorySegment got = Arena.ofAuto().allocate(MANY);
            for (final int n : new int[] {0, 1, 150, 224, 225, 512, 513, 2048, 9000}) {
                final Mmsghdr[] vec = {new Mmsghdr()};
                vec[0].hdr.uio.set(octets, 0, n / 3);
                vec[0].hdr.uio.add(octets, n / 3, 0);
                vec[0].hdr.uio.add(octets, n / 3, n - n / 3);
                assertThat(p.out.sendmmsg(vec, 1, 0)).isEqualTo(1);
                msg.uio.set(got, 0, MANY);
                msg.flags = 0;
                p.in.receive(msg);
                assertThat(MANY - msg.uio.resid()).isEqualTo(n);
                assertThat(msg.from).isEqualTo(SockAddr.of("127.0.0.1", 4000));
                assertThat(got.asSlice(0, n).mismatch(octets.asSlice(0, n))).isEqualTo(-1);
            }
        }
    }

    /** Without an mbuf for it the sender is told so, as on the way of packets. */
    @Test
    void withoutMbufs_sendSaysSo() throws Exception {
        try (Bed bed = new Bed(LockStrategy.SPLIT, false, 1); Pair p = Pair.of(bed.loopback())) {
            p.send(8);
            p.receive(8);
            final MbufPool pool = p.in.so().vnet().pool();
            Mbuf all = null;
            for (Mbuf m = pool.gethdr(Mbuf.MT_DATA); m != null; m = pool.gethdr(Mbuf.MT_DATA)) {
                m.nextPkt(all);
                all = m;
            }
            assertThatThrownBy(() -> p.send(8)).hasMessageContaining("ENOBUFS");
            all.freePkts();
            assertThat(p.in.available()).isZero();
            p.send(8);
            p.receive(8);
        }
    }
}
