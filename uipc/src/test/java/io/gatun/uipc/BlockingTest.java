package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.MSG_WAITALL;
import static io.gatun.spi.socket.SocketDefs.SB_WAIT;
import static io.gatun.spi.socket.SocketDefs.SOCK_DGRAM;
import static io.gatun.spi.socket.SocketDefs.SOCK_STREAM;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import java.io.ByteArrayOutputStream;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls that wait, on threads of both kinds. */
class BlockingTest {
    private static final long LIMIT_S = 60;

    /** A call under way on a thread of its own. */
    private static final class Call<T> {
        final FutureTask<T> task;
        final Thread thread;

        Call(final boolean virtual, final Callable<T> body) {
            task = new FutureTask<>(body);
            thread = (virtual ? Thread.ofVirtual() : Thread.ofPlatform().daemon()).start(task);
        }

        T get() throws Exception {
            return task.get(LIMIT_S, TimeUnit.SECONDS);
        }
    }

    private static void await(final BooleanSupplier condition) {
        final long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - start).as("waiting").isLessThan(TimeUnit.SECONDS.toNanos(LIMIT_S));
            Thread.yield();
        }
    }

    private static boolean waits(final MbufSockBuf sb) {
        return (sb.flags() & SB_WAIT) != 0;
    }

    /** An odd case uses virtual threads. */
    private static boolean virtual(final LockStrategy strategy) {
        return strategy.ordinal() % 2 == 1;
    }

    private static void set(final Socket so, final int name, final long value) {
        assertThat(so.setOpt(SockOpt.set(SOL_SOCKET, name, value))).isEqualTo(Errno.OK);
    }

    @ParameterizedTest
    @EnumSource
    void reader_parked_isWokenByData(final LockStrategy strategy) throws Exception {
        final Setting s = new Setting(strategy, true);
        final Socket[] p = s.pair(SOCK_STREAM);
        final Call<byte[]> read = new Call<>(virtual(strategy), () -> Setting.receive(p[0], 10, 0));
        await(() -> waits(p[0].rcv()));
        assertThat(Setting.send(p[1], Setting.ascii("hi"), 0)).isEqualTo(Errno.OK);
        assertThat(read.get()).isEqualTo(Setting.ascii("hi"));
        assertThat(waits(p[0].rcv())).isFalse();
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void reader_belowLowWater_sleepsOn(final LockStrategy strategy) throws Exception {
        final Setting s = new Setting(strategy, true);
        final Socket[] p = s.pair(SOCK_STREAM);
        set(p[0], SocketDefs.SO_RCVLOWAT, 4);
        final Call<byte[]> read = new Call<>(virtual(strategy), () -> Setting.receive(p[0], 10, 0));
        await(() -> waits(p[0].rcv()));
        Setting.send(p[1], Setting.ascii("abc"), 0);
        assertThat(waits(p[0].rcv())).as("three octets wake nobody who wants four").isTrue();
        Setting.send(p[1], Setting.ascii("d"), 0);
        assertThat(read.get()).isEqualTo(Setting.ascii("abcd"));
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void bulk_twoThreads_arrivesWhole(final LockStrategy strategy) throws Exception {
        final Setting s = new Setting(strategy, true);
        final Socket[] p = s.pair(SOCK_STREAM);
        final byte[] out = Setting.octets(3_000_000, strategy.ordinal());
        final Call<Errno> write = new Call<>(virtual(strategy), () -> {
            int at = 0;
            int n = 1;
            while (at < out.length) {
                n = Math.min(out.length - at, n * 3 % 100_003);
                final Errno e = Setting.send(p[1], java.util.Arrays.copyOfRange(out, at, at + n), 0);
                if (e != Errno.OK) {
                    return e;
                }
                at += n;
            }
            return p[1].shutdown(SocketDefs.SHUT_WR);
        });
        final ByteArrayOutputStream got = new ByteArrayOutputStream();
        byte[] in = Setting.receive(p[0], 70_000, 0);
        int i = 0;
        while (in.length > 0) {
            got.writeBytes(in);
            in = Setting.receive(p[0], 1 + i * 7919 % 70_000, i % 3 == 0 ? MSG_WAITALL : 0);
            i++;
        }
        assertThat(write.get()).isEqualTo(Errno.OK);
        assertThat(got.toByteArray()).isEqualTo(out);
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void pingPong_twoThreads_neverLosesAWakeup(final LockStrategy strategy) throws Exception {
        final Setting s = new Setting(strategy, true);
        // Some rounds are caught spinning, others parked.
        s.vnet.sysctl().set("kern.ipc.spin_ns", "2000");
        final Socket[] p = s.pair(SOCK_STREAM);
        final int rounds = 5000;
        final Call<Integer> echo = new Call<>(virtual(strategy), () -> {
            int n = 0;
            for (byte[] b = Setting.receive(p[1], 1, 0); b.length > 0; b = Setting.receive(p[1], 1, 0)) {
                Setting.send(p[1], b, 0);
                n++;
            }
            return n;
        });
        for (int i = 0; i < rounds; i++) {
            Setting.send(p[0], new byte[] {(byte) i}, 0);
            assertThat(Setting.receive(p[0], 1, 0)).containsExactly((byte) i);
        }
        p[0].shutdown(SocketDefs.SHUT_WR);
        assertThat(echo.get()).isEqualTo(rounds);
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void timeout_passed_answersEagainOrProgress(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, true);
        s.vnet.sysctl().set("kern.ipc.spin_ns", "0");
        final Socket[] p = s.pair(SOCK_STREAM);
        set(p[0], SocketDefs.SO_RCVTIMEO, 1_000_000);
        assertThat(p[0].receive(Setting.msg(new byte[4], 0))).isEqualTo(Errno.EAGAIN);
        Setting.send(p[1], new byte[] {1}, 0);
        assertThat(Setting.receive(p[0], 4, MSG_WAITALL)).as("what came hides the time-out").containsExactly(1);
        set(p[0], SocketDefs.SO_SNDTIMEO, 1_000_000);
        final Uio uio = Setting.uio(new byte[200_000]);
        assertThat(p[0].send(null, uio, null, null, 0)).as("progress").isEqualTo(Errno.OK);
        assertThat(uio.resid()).isPositive();
        assertThat(Setting.send(p[0], new byte[100_000], 0)).isEqualTo(Errno.EAGAIN);
        final Socket head = s.listener(1);
        set(head, SocketDefs.SO_RCVTIMEO, 1_000_000);
        assertThat(head.accept(null, 0).errno()).isEqualTo(Errno.EAGAIN);
        head.close();
        p[1].close();
        p[0].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void interrupt_whileWaiting_answersEintrAndStaysSet(final LockStrategy strategy) throws Exception {
        final Setting s = new Setting(strategy, true);
        final Socket[] p = s.pair(SOCK_STREAM);
        final Call<Boolean> read = new Call<>(virtual(strategy), () ->
            p[0].receive(Setting.msg(new byte[4], 0)) == Errno.EINTR && Thread.currentThread().isInterrupted());
        await(() -> waits(p[0].rcv()));
        read.thread.interrupt();
        assertThat(read.get()).isTrue();
        Setting.send(p[1], new byte[] {1}, 0);
        assertThat(Setting.receive(p[0], 4, 0)).as("the socket lives on").containsExactly(1);
        final Call<Errno> second = new Call<>(virtual(strategy), () -> p[0].receive(Setting.msg(new byte[4], 0)));
        await(() -> waits(p[0].rcv()));
        final Call<Errno> third = new Call<>(virtual(strategy), () -> p[0].receive(Setting.msg(new byte[4], 0)));
        third.thread.interrupt();
        assertThat(third.get()).as("behind another reader").isEqualTo(Errno.EINTR);
        p[1].close();
        assertThat(second.get()).isEqualTo(Errno.OK);
        p[0].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void close_fromAnotherThread_endsWaiters(final LockStrategy strategy) throws Exception {
        final Setting s = new Setting(strategy, true);
        final Socket[] p = s.pair(SOCK_STREAM);
        final Call<Errno> read = new Call<>(virtual(strategy), () -> p[0].receive(Setting.msg(new byte[4], 0)));
        final Call<Errno> behind = new Call<>(virtual(strategy), () -> p[0].receive(Setting.msg(new byte[4], 0)));
        final Call<Errno> write = new Call<>(virtual(strategy), () -> Setting.send(p[0], new byte[100_000], 0));
        await(() -> waits(p[0].rcv()) && waits(p[0].snd()));
        assertThat(p[0].close()).isEqualTo(Errno.OK);
        assertThat(read.get()).isIn(Errno.EBADF, Errno.OK);
        assertThat(behind.get()).isIn(Errno.EBADF, Errno.OK);
        assertThat(write.get()).isIn(Errno.EBADF, Errno.EPIPE);
        final Socket head = s.listener(1);
        final Call<Errno> accept = new Call<>(virtual(strategy), () -> head.accept(null, 0).errno());
        await(() -> accept.thread.getState() == Thread.State.WAITING);
        head.close();
        assertThat(accept.get()).isEqualTo(Errno.ECONNABORTED);
        final Socket dgram = s.socket(SOCK_DGRAM);
        final Call<Errno> recv = new Call<>(virtual(strategy), () -> dgram.receive(Setting.msg(new byte[4], 0)));
        await(() -> waits(dgram.rcv()));
        dgram.close();
        assertThat(recv.get()).isEqualTo(Errno.EBADF);
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void connect_slow_waitsAndHearsTheOutcome(final LockStrategy strategy) throws Exception {
        final Setting s = new Setting(strategy, true);
        s.vnet.pair().slow = true;
        final Socket head = s.listener(3);
        final Socket a = s.socket(SOCK_STREAM);
        final SockAddr to = SockAddr.in(0, Setting.PORT);
        final Call<Errno> connect = new Call<>(virtual(strategy), () -> a.connect(to, Ucred.ROOT));
        final Call<Socket> accept = new Call<>(virtual(strategy), () -> head.accept(null, 0).so());
        await(() -> !s.vnet.pair().handshakes.isEmpty());
        assertThat(a.connect(to, Ucred.ROOT)).isEqualTo(Errno.EALREADY);
        s.vnet.pair().finishHandshakes();
        assertThat(connect.get()).isEqualTo(Errno.OK);
        accept.get().close();
        final Socket b = s.socket(SOCK_STREAM);
        final Call<Errno> refused = new Call<>(virtual(strategy), () -> b.connect(to, Ucred.ROOT));
        await(() -> !s.vnet.pair().handshakes.isEmpty());
        head.close();
        assertThat(refused.get()).isEqualTo(Errno.ECONNRESET);
        s.vnet.pair().finishHandshakes();
        a.close();
        b.close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void linger_onClose_waitsForTheEnd(final LockStrategy strategy) throws Exception {
        final Setting s = new Setting(strategy, true);
        final Socket[] p = s.pair(SOCK_STREAM);
        s.vnet.pair().slowClose = true;
        p[0].setOpt(SockOpt.set(SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 10)));
        final Call<Errno> close = new Call<>(virtual(strategy), p[0]::close);
        await(() -> !s.vnet.pair().disconnects.isEmpty());
        assertThat(close.task.isDone()).isFalse();
        s.vnet.pair().finishDisconnects();
        assertThat(close.get()).isEqualTo(Errno.OK);
        s.vnet.pair().slowClose = false;
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void datagramReaders_many_eachGetsOne(final LockStrategy strategy) throws Exception {
        final Setting s = new Setting(strategy, true);
        final Socket so = s.socket(SOCK_DGRAM);
        so.bind(SockAddr.in(0, 5), Ucred.ROOT);
        final Call<?>[] readers = new Call<?>[4];
        for (int i = 0; i < readers.length; i++) {
            readers[i] = new Call<>(virtual(strategy), () -> Setting.receive(so, 10, 0));
        }
        await(() -> waits(so.rcv()));
        for (int i = 0; i < readers.length; i++) {
            assertThat(so.send(SockAddr.in(0, 5), Setting.uio(new byte[] {(byte) i}), null, null, 0))
                .isEqualTo(Errno.OK);
        }
        int sum = 0;
        for (final Call<?> r : readers) {
            sum += ((byte[]) r.get())[0];
        }
        assertThat(sum).isEqualTo(6);
        so.close();
        s.checkWhole();
    }

    @Test
    void upcall_set_hearsOfDataAndSpace() {
        final Setting s = new Setting(LockStrategy.SPLIT, true);
        final Socket[] p = s.pair(SOCK_STREAM);
        final int[] calls = new int[2];
        p[0].upcallSet(false, (so, arg) -> {
            calls[0]++;
            return SocketDefs.SU_OK;
        }, null);
        p[1].upcallSet(true, (so, arg) -> {
            calls[1]++;
            return SocketDefs.SU_OK;
        }, null);
        Setting.send(p[1], new byte[100], 0);
        assertThat(calls).containsExactly(1, 1);
        p[0].upcallSet(false, null, null);
        Setting.send(p[1], new byte[100], 0);
        assertThat(calls[0]).isOne();
        p[0].upcallSet(false, (so, arg) -> SocketDefs.SU_ISCONNECTED, null);
        Setting.send(p[1], new byte[100], 0);
        assertThat(p[0].rcv().flags() & SocketDefs.SB_UPCALL).as("cleared by its answer").isZero();
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void flush_duringPartialRead_leavesTheReaderItsOctets(final LockStrategy strategy) throws Exception {
        final Setting s = new Setting(strategy, true);
        for (int round = 0; round < 300; round++) {
            final Socket[] p = s.pair(SOCK_STREAM);
            final byte[] out = Setting.octets(12_000, round);
            Setting.send(p[1], out, 0);
            final Call<byte[]> read = new Call<>(virtual(strategy), () -> {
                final byte[] b = new byte[8000];
                final RecvMsg msg = Setting.msg(b, 0);
                p[0].receive(msg);
                return java.util.Arrays.copyOf(b, (int) (8000 - msg.uio.resid()));
            });
            p[0].rcv().flush();
            p[0].cantRcvMore();
            final byte[] got = read.get();
            assertThat(got).isEqualTo(java.util.Arrays.copyOf(out, got.length));
            p[0].close();
            p[1].close();
        }
        s.checkWhole();
    }
}
