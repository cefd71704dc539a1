package io.gatun.uipc;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** The socket buffer against a model of it: an array for streams, a queue of arrays for records. */
class SockBufModelTest {
    private static final int STEPS = 120;
    private final TestVnet vnet = new TestVnet(LockStrategy.SPLIT, false);
    private final MbufPool pool = vnet.pool();

    private Socket socket(final int type) {
        final Socket so = vnet.sockets().create(PairDomain.AF_PAIR, type, 0, Ucred.ROOT).so();
        so.reserve(100_000, 100_000);
        return so;
    }

    private Mbuf chain(final Random random, final byte[] octets, final boolean header) {
        Mbuf top = null;
        Mbuf tail = null;
        int at = 0;
        do {
            final int n = Math.min(octets.length - at, 1 + random.nextInt(3000));
            final Mbuf m = pool.get2(Math.max(1, n), Mbuf.MT_DATA, top == null && header ? Mbuf.M_PKTHDR : 0);
            m.len(n);
            for (int i = 0; i < n; i++) {
                m.put8(i, octets[at + i]);
            }
            at += n;
            if (top == null) {
                top = m;
            } else {
                tail.next(m);
            }
            tail = m;
        } while (at < octets.length);
        if (header) {
            top.fixHdr();
        }
        return top;
    }

    private static byte[] read(final Mbuf chain) {
        final byte[] out = new byte[chain.length()];
        chain.copyData(0, out.length, out, 0);
        return out;
    }

    private static byte[] octets(final Random random, final int bound) {
        final byte[] b = new byte[random.nextInt(bound)];
        random.nextBytes(b);
        return b;
    }

    @Property(tries = 200)
    void stream_anyOperations_equalsArray(@ForAll final long seed) {
        final Random random = new Random(seed);
        final Socket so = socket(SocketDefs.SOCK_STREAM);
        final MbufSockBuf sb = so.snd();
        byte[] model = new byte[0];
        sb.lock().lock();
        try {
            for (int step = 0; step < STEPS; step++) {
                switch (random.nextInt(6)) {
                    case 0, 1, 2 -> {
                        final byte[] b = octets(random, random.nextBoolean() ? 20 : 7000);
                        sb.appendStreamLocked(chain(random, b, random.nextBoolean()), 0);
                        model = concat(model, b);
                    }
                    case 3 -> {
                        final int n = random.nextInt(model.length + 1);
                        sb.dropLocked(n);
                        model = Arrays.copyOfRange(model, n, model.length);
                    }
                    case 4 -> {
                        final int n = random.nextInt(model.length + 1);
                        final Mbuf gone = sb.cutLocked(n);
                        if (gone != null) {
                            assertThat(read(gone)).isEqualTo(Arrays.copyOf(model, gone.length()));
                            gone.freeChain();
                        }
                        model = Arrays.copyOfRange(model, n, model.length);
                    }
                    default -> sendSome(random, sb, model);
                }
                assertThat(sb.check()).isTrue();
                assertThat(sb.avail()).isEqualTo(model.length);
                assertThat(sb.used()).isEqualTo(model.length);
                if (model.length > 0) {
                    assertThat(read(sb.mb())).isEqualTo(model);
                }
            }
        } finally {
            sb.lock().unlock();
        }
        so.close();
        vnet.checkWhole();
    }

    /** Copies from a place, sometimes going on from there as a transmission does, sometimes back. */
    private static void sendSome(final Random random, final MbufSockBuf sb, final byte[] model) {
        int off = 0;
        for (int i = 0; i < 3 && off < model.length; i++) {
            final int from = random.nextInt(4) == 0 ? random.nextInt(model.length) : off;
            final int n = 1 + random.nextInt(model.length - from);
            final Mbuf copy = sb.sndCopyLocked(from, n);
            assertThat(copy.has(Mbuf.M_PKTHDR)).isFalse();
            assertThat(read(copy)).isEqualTo(Arrays.copyOfRange(model, from, from + n));
            copy.freeChain();
            off = from + n;
        }
    }

    private static byte[] concat(final byte[] a, final byte[] b) {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(a);
        out.writeBytes(b);
        return out.toByteArray();
    }

    @Property(tries = 200)
    void records_anyOperations_equalQueue(@ForAll final long seed) {
        final Random random = new Random(seed);
        final Socket so = socket(SocketDefs.SOCK_DGRAM);
        final MbufSockBuf sb = so.rcv();
        final Deque<byte[]> model = new ArrayDeque<>();
        final SockAddr from = SockAddr.in(0x0a000001, 99);
        sb.lock().lock();
        try {
            for (int step = 0; step < STEPS; step++) {
                final byte[] b = octets(random, random.nextBoolean() ? 20 : 5000);
                switch (random.nextInt(6)) {
                    case 0, 1 -> appendAddr(random, sb, model, from, b);
                    case 2 -> {
                        sb.appendRecordLocked(chain(random, b, true));
                        model.add(b);
                    }
                    case 3 -> {
                        sb.appendControlLocked(chain(random, b, true), control(b), 0);
                        model.add(b);
                    }
                    case 4 -> {
                        sb.dropRecordLocked();
                        model.poll();
                    }
                    default -> {
                        final Mbuf r = sb.takeRecordLocked();
                        assertThat(r == null).isEqualTo(model.isEmpty());
                        if (r != null) {
                            assertThat(data(r)).isEqualTo(model.poll());
                            assertThat(r.nextPkt()).isNull();
                            r.freeChain();
                        }
                    }
                }
                assertThat(sb.check()).isTrue();
                assertThat(sb.avail()).isEqualTo(model.stream().mapToInt(r -> r.length).sum());
            }
            sb.flushLocked();
            assertThat(sb.used() + sb.mbcnt()).isZero();
        } finally {
            sb.lock().unlock();
        }
        so.close();
        vnet.checkWhole();
    }

    private void appendAddr(
        final Random random, final MbufSockBuf sb, final Deque<byte[]> model, final SockAddr from, final byte[] b) {
        final Mbuf m = chain(random, b, true);
        final Mbuf c = random.nextBoolean() ? control(b) : null;
        final int octets = b.length + SockAddrCodec.length(from) + (c == null ? 0 : c.len());
        final boolean room = octets <= sb.space();
        assertThat(sb.appendAddrLocked(from, m, c)).isEqualTo(room);
        if (room) {
            model.add(b);
        } else {
            m.freeChain();
            if (c != null) {
                c.freeChain();
            }
        }
    }

    private Mbuf control(final byte[] b) {
        final Mbuf m = pool.get(Mbuf.MT_CONTROL);
        m.len(12);
        for (int i = 0; i < 12; i++) {
            m.put8(i, b.length);
        }
        return m;
    }

    private static byte[] data(final Mbuf record) {
        Mbuf m = record;
        while (m != null && MbufSockBuf.isControl(m)) {
            m = m.next();
        }
        return m == null ? new byte[0] : read(m);
    }

    @Property(tries = 100)
    void records_dropOctetsAcrossThem_countsStayRight(@ForAll final long seed, @ForAll @IntRange(max = 8) final int n) {
        final Random random = new Random(seed);
        final Socket so = socket(SocketDefs.SOCK_DGRAM);
        final MbufSockBuf sb = so.rcv();
        for (int i = 0; i < n; i++) {
            final byte[] b = octets(random, 3000);
            sb.appendControl(chain(random, b, true), control(b), 0);
        }
        while (sb.used() > 0) {
            final int before = sb.used();
            final int k = 1 + random.nextInt(before);
            sb.drop(k);
            assertThat(sb.used()).isEqualTo(before - k);
            assertThat(sb.check()).isTrue();
        }
        so.close();
        vnet.checkWhole();
    }
}
