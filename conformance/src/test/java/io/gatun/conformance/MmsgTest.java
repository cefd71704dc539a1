package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Cmsg;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Mmsghdr;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Several messages in one call. */
class MmsgTest {
    private static final int ROOM = 256;
    private static final int TOO_LONG = 70_000;

    private final MemorySegment memory = Arena.ofAuto().allocate(1 << 20);

    static Stream<Arguments> modes() {
        final List<Arguments> all = new ArrayList<>();
        for (final LockStrategy strategy : LockStrategy.values()) {
            for (final Family family : Family.values()) {
                all.add(Arguments.of(strategy, family, false));
                all.add(Arguments.of(strategy, family, true));
            }
        }
        return all.stream();
    }

    private static SocketFile udp(final Vnet vnet, final Family family) throws ErrnoException {
        return SocketFile.socket(vnet, family.left(0).family(), SocketDefs.SOCK_DGRAM, 0);
    }

    /** Messages whose room is one slot of the memory each. */
    private Mmsghdr[] vec(final int n) {
        final Mmsghdr[] vec = new Mmsghdr[n];
        for (int i = 0; i < n; i++) {
            vec[i] = new Mmsghdr();
            vec[i].hdr.uio.set(memory, (long) i * ROOM, ROOM);
        }
        return vec;
    }

    /** Message i: as many octets as {@code length}, each telling where it is. */
    private Mmsghdr fill(final Mmsghdr m, final int i, final int length) {
        for (int k = 0; k < length; k++) {
            memory.set(Mbuf.U8, (long) i * ROOM + k, (byte) (i * 31 + k));
        }
        m.hdr.uio.set(memory, (long) i * ROOM, length);
        return m;
    }

    private static int length(final int i) {
        return i * 7 % ROOM;
    }

    private static void fails(final ThrowingCallable call, final Errno errno) {
        assertThatThrownBy(call).isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void burst_arrivesWholeAndInOrder(final LockStrategy strategy, final Family family, final boolean threads)
            throws Exception {
        final int many = 150; // more than the stack leaves queued
        try (Bed bed = new Bed(strategy, threads, 1)) {
            final Vnet[] v = family.pair(bed, Bed.ETHERNET);
            try (SocketFile in = udp(v[1], family); SocketFile out = udp(v[0], family)) {
                in.bind(family.right(Bed.PORT));
                out.bind(family.left(Bed.PORT + 1));
                out.connect(family.right(Bed.PORT));
                // The first packets of a host wait for its neighbour, and not all of them may.
                assertThat(out.sendmmsg(vec(1), 1, 0)).isEqualTo(1);
                assertThat(in.recvmmsg(vec(1), 1, 0)).isEqualTo(1);
                final Mmsghdr[] sent = vec(many);
                for (int i = 0; i < many; i++) {
                    fill(sent[i], i, length(i));
                }
                assertThat(out.sendmmsg(sent, many, 0)).isEqualTo(many);
                check(in, many, family.left(Bed.PORT + 1));
                for (int i = 0; i < many; i++) {
                    assertThat(sent[i].len).isEqualTo(length(i));
                }
            }
        }
    }

    private static void check(final SocketFile in, final int many, final SockAddr sender) throws ErrnoException {
        final MemorySegment room = Arena.ofAuto().allocate((long) many * ROOM);
        final Mmsghdr[] got = new Mmsghdr[many];
        final SockAddr[] from = new SockAddr[many];
        for (int i = 0; i < many; i++) {
            got[i] = new Mmsghdr();
            got[i].hdr.uio.set(room, (long) i * ROOM, ROOM);
            from[i] = new SockAddr();
            got[i].hdr.from = from[i];
        }
        assertThat(in.recvmmsg(got, many, 0)).isEqualTo(many);
        for (int i = 0; i < many; i++) {
            assertThat(got[i].len).isEqualTo(length(i));
            assertThat(from[i]).isEqualTo(sender);
            for (int k = 0; k < got[i].len; k++) {
                assertThat(room.get(Mbuf.U8, (long) i * ROOM + k)).isEqualTo((byte) (i * 31 + k));
            }
        }
    }

    @Test
    void receive_nothingThere_wouldBlock() throws Exception {
        try (Bed bed = new Bed(1); SocketFile in = Bed.udp(bed.loopback())) {
            in.bind(SockAddr.of("127.0.0.1", Bed.PORT));
            assertThat(in.recvmmsg(vec(4), 4, SocketDefs.MSG_DONTWAIT)).isEqualTo(SocketFile.WOULD_BLOCK);
            assertThat(in.recvmmsg(vec(4), 0, SocketDefs.MSG_DONTWAIT)).isZero();
            assertThat(in.sendmmsg(vec(4), 0, 0)).isZero();
        }
    }

    @Test
    void receive_fewerThere_answersThose() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = bed.loopback();
            try (SocketFile in = Bed.udp(v); SocketFile out = Bed.udp(v)) {
                in.bind(SockAddr.of("127.0.0.1", Bed.PORT));
                out.connect(SockAddr.of("127.0.0.1", Bed.PORT));
                assertThat(out.sendmmsg(vec(3), 3, 0)).isEqualTo(3);
                assertThat(in.recvmmsg(vec(10), 2, SocketDefs.MSG_DONTWAIT)).isEqualTo(2);
                assertThat(in.recvmmsg(vec(10), 10, SocketDefs.MSG_DONTWAIT)).isEqualTo(1);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void waitForOne_waitsForTheFirstAlone(final LockStrategy strategy) throws Exception {
        try (Bed bed = new Bed(strategy, true, 1)) {
            final Vnet v = bed.loopback();
            try (SocketFile in = Bed.udp(v); SocketFile out = Bed.udp(v)) {
                in.bind(SockAddr.of("127.0.0.1", Bed.PORT));
                out.connect(SockAddr.of("127.0.0.1", Bed.PORT));
                final CountDownLatch waiting = new CountDownLatch(1);
                final Thread sender = Thread.ofPlatform().start(() -> {
                    try {
                        waiting.await();
                        out.sendmmsg(vec(1), 1, 0);
                    } catch (final ErrnoException | InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
                waiting.countDown();
                assertThat(in.recvmmsg(vec(10), 10, SocketDefs.MSG_WAITFORONE)).isEqualTo(1);
                sender.join();
            }
        }
    }

    @Test
    void send_oneTooLong_sendsThoseBefore() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = bed.loopback();
            try (SocketFile in = Bed.udp(v); SocketFile out = Bed.udp(v)) {
                in.bind(SockAddr.of("127.0.0.1", Bed.PORT));
                final Mmsghdr[] vec = vec(4);
                for (final Mmsghdr m : vec) {
                    m.hdr.from = SockAddr.of("127.0.0.1", Bed.PORT);
                }
                vec[2].hdr.uio.set(memory, 0, TOO_LONG);
                assertThat(out.sendmmsg(vec, 4, 0)).isEqualTo(2);
                assertThat(vec[2].len).isZero();
                assertThat(in.recvmmsg(vec(4), 4, SocketDefs.MSG_DONTWAIT)).isEqualTo(2);
                vec[0].hdr.uio.set(memory, 0, TOO_LONG);
                fails(() -> out.sendmmsg(vec, 4, 0), Errno.EMSGSIZE);
            }
        }
    }

    @Test
    void control_goesWithItsMessage() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = bed.loopback();
            try (SocketFile in = Bed.udp(v); SocketFile out = Bed.udp(v)) {
                in.bind(SockAddr.of("127.0.0.1", Bed.PORT));
                in.setOption(InDefs.IPPROTO_IP, InDefs.IP_RECVTOS, 1);
                out.connect(SockAddr.of("127.0.0.1", Bed.PORT));
                final Mmsghdr[] vec = vec(3);
                vec[1].hdr.control = tos(bed, 0x28);
                vec[2].hdr.control = tos(bed, 0x30);
                vec[2].hdr.uio.set(memory, 0, TOO_LONG); // is tried, so its control message goes all the same
                assertThat(out.sendmmsg(vec, 3, 0)).isEqualTo(2);
                assertThat(vec[1].hdr.control).isNull();
                assertThat(vec[2].hdr.control).isNull();
                final Mmsghdr[] got = vec(2);
                got[0].hdr.wantControl = true;
                got[1].hdr.wantControl = true;
                assertThat(in.recvmmsg(got, 2, 0)).isEqualTo(2);
                assertThat(got[0].hdr.control.getU8(Cmsg.HDRLEN)).isZero();
                assertThat(got[1].hdr.control.getU8(Cmsg.HDRLEN)).isEqualTo(0x28);
                got[0].hdr.control.freeChain();
                got[1].hdr.control.freeChain();
            }
        }
    }

    @Test
    void send_memoryOfALaterOneIsGone_sendsThoseBefore() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = bed.loopback();
            try (SocketFile in = Bed.udp(v); SocketFile out = Bed.udp(v)) {
                in.bind(SockAddr.of("127.0.0.1", Bed.PORT));
                out.connect(SockAddr.of("127.0.0.1", Bed.PORT));
                final Mmsghdr[] vec = vec(4);
                for (int i = 0; i < 4; i++) {
                    fill(vec[i], i, 32);
                }
                try (Arena gone = Arena.ofShared()) {
                    vec[2].hdr.uio.set(gone.allocate(32), 0, 32);
                }
                assertThatThrownBy(() -> out.sendmmsg(vec, 4, 0)).isInstanceOf(IllegalStateException.class);
                assertThat(in.recvmmsg(vec(4), 4, SocketDefs.MSG_DONTWAIT)).isEqualTo(2);
                assertThat(vec[2].hdr.uio.resid()).isEqualTo(32);
                assertThat(vec[3].hdr.uio.resid()).isEqualTo(32);
            }
        }
    }

    @Test
    void send_smallOnesRefused_keepTheirOctets() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = bed.loopback();
            try (SocketFile out = Bed.udp(v)) {
                final Mmsghdr[] vec = vec(4);
                for (int i = 0; i < 4; i++) {
                    fill(vec[i], i, 32);
                    vec[i].hdr.from = SockAddr.of("127.0.0.1", i == 2 ? 0 : Bed.PORT); // there is no port 0
                }
                assertThat(out.sendmmsg(vec, 4, 0)).isEqualTo(2);
                assertThat(vec[1].len).isEqualTo(32);
                assertThat(vec[1].hdr.uio.resid()).isZero();
                assertThat(vec[2].len).isZero();
                assertThat(vec[2].hdr.uio.resid()).isEqualTo(32);
                assertThat(vec[3].hdr.uio.resid()).isEqualTo(32);
            }
        }
    }

    @Test
    void send_poolRefuses_leavesTheRest() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = bed.loopback();
            try (SocketFile in = Bed.udp(v); SocketFile out = Bed.udp(v)) {
                in.bind(SockAddr.of("127.0.0.1", Bed.PORT));
                out.connect(SockAddr.of("127.0.0.1", Bed.PORT));
                final Mmsghdr[] vec = vec(4);
                for (int i = 0; i < 4; i++) {
                    fill(vec[i], i, 32);
                }
                bed.pool.refuse(3, Long.MAX_VALUE);
                assertThat(out.sendmmsg(vec, 4, 0)).isEqualTo(2);
                fails(() -> out.sendmmsg(new Mmsghdr[] {vec[2], vec[3]}, 2, 0), Errno.ENOBUFS);
                bed.pool.refuse(0, 0);
                assertThat(out.sendmmsg(new Mmsghdr[] {vec[2], vec[3]}, 2, 0)).isEqualTo(2);
                assertThat(in.recvmmsg(vec(9), 9, SocketDefs.MSG_DONTWAIT)).isEqualTo(4);
            }
        }
    }

    private static Mbuf tos(final Bed bed, final int value) {
        final Mbuf m = bed.pool.get(Mbuf.MT_CONTROL);
        m.len(Cmsg.space(1));
        for (int i = 0; i < m.len(); i++) {
            m.put8(i, 0);
        }
        m.putInt(0, Cmsg.HDRLEN + 1);
        m.putInt(Cmsg.LEVEL, InDefs.IPPROTO_IP);
        m.putInt(Cmsg.TYPE, InDefs.IP_TOS);
        m.put8(Cmsg.HDRLEN, value);
        return m;
    }

    @ParameterizedTest
    @MethodSource("modes")
    void stream_piecesFollowEachOther(final LockStrategy strategy, final Family family, final boolean threads)
            throws Exception {
        try (Bed bed = new Bed(strategy, threads, 1)) {
            final Vnet[] v = family.pair(bed, Bed.ETHERNET);
            final SocketFile[] c = bed.connection(v[0], v[1], family.right(Bed.PORT));
            final Mmsghdr[] sent = vec(100);
            int octets = 0;
            for (int i = 0; i < sent.length; i++) {
                fill(sent[i], i, length(i));
                octets += length(i);
            }
            assertThat(c[0].sendmmsg(sent, sent.length, 0)).isEqualTo(sent.length);
            c[0].shutdown(SocketDefs.SHUT_WR);
            final MemorySegment got = Arena.ofAuto().allocate(octets);
            int at = 0;
            while (at < octets) {
                final long n = c[1].receive(got, at, octets - at, 0);
                assertThat(n).isNotZero().isNotEqualTo(SocketFile.END);
                if (n > 0) {
                    at += (int) n;
                } else {
                    assertThat(bed.run() || bed.step()).isTrue();
                }
            }
            at = 0;
            for (int i = 0; i < sent.length; i++) {
                final MemorySegment piece = got.asSlice(at, length(i));
                assertThat(piece.mismatch(memory.asSlice((long) i * ROOM, length(i)))).isEqualTo(-1);
                at += length(i);
            }
            c[0].close();
            c[1].close();
        }
    }

    @Test
    void closedSocket_isABadFile() throws Exception {
        try (Bed bed = new Bed(1)) {
            final SocketFile f = Bed.udp(bed.loopback());
            f.close();
            fails(() -> f.sendmmsg(vec(1), 1, 0), Errno.EBADF);
            fails(() -> f.recvmmsg(vec(1), 1, 0), Errno.EBADF);
            assertThatThrownBy(() -> f.sendmmsg(vec(1), 2, 0)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }
}
