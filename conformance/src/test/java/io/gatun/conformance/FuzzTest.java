package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetSlots;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Two hosts that talk over both families, by TCP, UDP and ICMP, while a box between them spoils what they send, in both
 * directions and at every layer, and now and then makes packets up: nothing is thrown, and in the end nothing is held.
 * For {@code -Dgatun.fuzz.seconds=N} seconds, a few by default; {@code -Dgatun.seed=N} runs one seed.
 */
class FuzzTest {
    private static final long SECONDS = Long.getLong("gatun.fuzz.seconds", 4);
    private static final int STEPS = 10_000;
    private static final int SOCKETS = 24;
    private static final int FORGED = 4;
    private static final int SEEN = 100;
    private static final double SPOILT = 0.2;
    private static final int[] OPTIONS = {InDefs.TCP_NODELAY, InDefs.TCP_NOPUSH, InDefs.TCP_KEEPIDLE};

    /** What the hosts do, at random. */
    private static final class Scene {
        private final Bed bed;
        private final SplittableRandom r;
        private final Vnet[] v = new Vnet[2];
        private final Ifnet[] ifp = new Ifnet[2];
        private final IfnetSlots.TransmitFn[] wires = new IfnetSlots.TransmitFn[2];
        private final List<SocketFile> heads = new ArrayList<>();
        private final List<SocketFile> sockets = new ArrayList<>();
        private final ByteBuffer octets = ByteBuffer.allocateDirect(20_000);
        private final List<byte[]> seen = new ArrayList<>();
        private boolean spoiling;
        private long frames;
        private byte[] last = {};

        Scene(final Bed bed, final SplittableRandom r) throws ErrnoException {
            this.bed = bed;
            this.r = r;
            v[0] = bed.vnet("left");
            v[1] = bed.vnet("right");
            final Epair cable = bed.cable(v[0], v[1], Bed.ETHERNET);
            ifp[0] = cable.a();
            ifp[1] = cable.b();
            for (int i = 0; i < 2; i++) {
                final IfnetSlots.TransmitFn below = ifp[i].transmitFn();
                wires[i] = below;
                ifp[i].setTransmitFn((p, m) -> transmit(p, m, below));
            }
            for (final Family f : Family.values()) {
                f.up(cable);
                head(v[0], f.left(Bed.PORT));
                head(v[1], f.right(Bed.PORT));
            }
        }

        private void head(final Vnet at, final SockAddr addr) throws ErrnoException {
            final SocketFile so = Bed.listener(at, addr, 4);
            so.setNonBlocking(true);
            heads.add(so);
        }

        private Errno transmit(final Ifnet p, final Mbuf first, final IfnetSlots.TransmitFn below) {
            Errno e = Errno.OK;
            Mbuf m = first;
            while (m != null) {
                final Mbuf next = m.nextPkt();
                m.nextPkt(null);
                if (spoiling) {
                    spoil(p, m, below);
                }
                e = below.transmit(p, m);
                m = next;
            }
            return e;
        }

        /** Borrows m. What goes out besides it is a spoilt copy, one of what was seen before, or noise. */
        private void spoil(final Ifnet p, final Mbuf m, final IfnetSlots.TransmitFn below) {
            if (seen.size() < SEEN) {
                seen.add(octets(m));
            } else if (r.nextInt(8) == 0) {
                seen.set(r.nextInt(SEEN), octets(m));
            }
            if (r.nextDouble() < SPOILT) {
                emit(p, octets(m), below);
            }
        }

        /** Spoils octets, and sends them. */
        private void emit(final Ifnet p, final byte[] from, final IfnetSlots.TransmitFn below) {
            frames++;
            last = new Spoiler(r).any(from);
            final Mbuf bad = last.length == 0 ? null
                : p.vnet().pool().devget(MemorySegment.ofArray(last), 0, last.length, null);
            if (bad != null) {
                final Errno full = below.transmit(p, bad);
            }
        }

        private static byte[] octets(final Mbuf m) {
            final byte[] f = new byte[m.pktLen()];
            m.copyData(0, f.length, f, 0);
            return f;
        }

        void step() {
            try {
                act();
            } catch (final ErrnoException e) {
                // whatever a peer, real or made up, may bring about
            }
            for (int i = r.nextInt(2 * FORGED); i > 0 && !seen.isEmpty(); i--) {
                final int side = r.nextInt(2);
                emit(ifp[side], seen.get(r.nextInt(seen.size())).clone(), wires[side]);
            }
            bed.run();
            if (r.nextInt(20) == 0) {
                bed.advance(r.nextInt(r.nextInt(20) == 0 ? 5_000_000 : 100_000) * 1000L);
            }
        }

        private void act() throws ErrnoException {
            if (sockets.size() < SOCKETS && r.nextInt(8) == 0) {
                open();
            }
            for (final SocketFile head : heads) {
                final SocketFile so = head.accept();
                if (so != null) {
                    so.setNonBlocking(true);
                    sockets.add(so);
                }
            }
            if (sockets.isEmpty()) {
                return;
            }
            final SocketFile so = sockets.get(r.nextInt(sockets.size()));
            switch (r.nextInt(20)) {
                case 0 -> so.shutdown(r.nextInt(3));
                case 1 -> close(so, r.nextInt(3) == 0);
                case 2 -> so.setOption(InDefs.IPPROTO_TCP, OPTIONS[r.nextInt(OPTIONS.length)], r.nextInt(2));
                case 3 -> so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, 1000 + r.nextInt(60_000));
                case 4 -> so.send(octets.clear().limit(1 + r.nextInt(10)), SocketDefs.MSG_OOB);
                case 5, 6, 7, 8, 9, 10, 11 -> so.receive(octets.clear().limit(1 + r.nextInt(octets.capacity())));
                default -> so.send(octets.clear().limit(1 + r.nextInt(r.nextInt(3) == 0 ? 9000 : 1400)));
            }
        }

        private void open() throws ErrnoException {
            final int side = r.nextInt(2);
            final Family f = r.nextBoolean() ? Family.V4 : Family.V6;
            final SockAddr to = side == 0 ? f.right(Bed.PORT) : f.left(Bed.PORT);
            final boolean tcp = r.nextInt(3) != 0;
            final SocketFile so = SocketFile.socket(v[side], to.family(),
                tcp ? SocketDefs.SOCK_STREAM : SocketDefs.SOCK_DGRAM, 0);
            sockets.add(so);
            so.setNonBlocking(true);
            so.connect(to);
        }

        private void close(final SocketFile so, final boolean abort) throws ErrnoException {
            sockets.remove(so);
            if (abort) {
                so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0));
            }
            so.close();
        }

        /** All is closed, the box stands aside, and time passes. */
        void end() throws ErrnoException {
            spoiling = false;
            for (final SocketFile so : new ArrayList<>(sockets)) {
                try {
                    close(so, false);
                } catch (final ErrnoException e) {
                    assertThat(e.errno()).isIn(Errno.ECONNRESET, Errno.ENOTCONN);
                }
            }
            for (final SocketFile so : heads) {
                so.close();
            }
            bed.advance(TimeUnit.MINUTES.toNanos(30));
            for (final Vnet one : v) {
                assertThat(one.sysctl().find("net.inet.tcp.pcbcount").getString()).isEqualTo("0");
            }
            assertThat(bed.pool.outstanding()).isZero();
        }
    }

    /** Runs one seed; answers how many frames were spoilt. */
    private static long run(final long seed) {
        final LockStrategy strategy = LockStrategy.values()[(int) (seed % LockStrategy.values().length)];
        Scene scene = null;
        try (Bed bed = new Bed(strategy, false, seed)) {
            scene = new Scene(bed, new SplittableRandom(seed));
            scene.spoiling = true;
            for (int i = 0; i < STEPS; i++) {
                scene.step();
            }
            scene.end();
            assertThat(scene.frames).as("frames: no two ends answer each other for ever").isLessThan(20L * STEPS);
            return scene.frames;
        } catch (final Exception | AssertionError e) {
            final byte[] frame = scene == null ? new byte[0] : scene.last;
            throw new AssertionError("-Dgatun.seed=" + seed + " frame " + HexFormat.of().formatHex(frame), e);
        }
    }

    @Test
    void spoiltAtEveryLayer_nothingIsThrown_nothingIsHeld() {
        final Long given = Long.getLong("gatun.seed");
        if (given != null) {
            run(given);
            return;
        }
        final long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        long frames = 0;
        long seed = 0;
        while (seed < 3 || System.nanoTime() < until) {
            frames += run(seed++);
        }
        System.out.println("fuzz: " + frames + " frames spoilt, seeds 0 to " + (seed - 1));
        assertThat(frames).isGreaterThan(1000);
    }
}
