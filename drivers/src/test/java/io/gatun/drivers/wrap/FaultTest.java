package io.gatun.drivers.wrap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.Wire;
import io.gatun.drivers.epair.Epair;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class FaultTest {
    private static final int FRAME = 64;
    private static final long MS = 1_000_000;

    private Wire wire = new Wire();
    private Vnet vnet;
    private Epair pair;
    private Fault fault;

    @AfterEach
    void nothingIsLeft() {
        wire.close();
    }

    private void weather(Fault.Config config) throws Exception {
        vnet = wire.vnet();
        pair = Epair.join(vnet, vnet, 0, Epair.Config.DEFAULT);
        fault = Fault.wrap(pair.a(), config);
        Wire.up(pair.a(), pair.b());
    }

    private static Fault.Config config(double loss, double duplicate, double reorder, double corrupt) {
        return new Fault.Config(42, loss, duplicate, reorder, corrupt, 0, 0, MS, 1000);
    }

    private void send(int n) {
        for (int i = 0; i < n; i++) {
            assertThat(Wire.send(pair.a(), Wire.frame(i, FRAME))).isEqualTo(Errno.OK);
        }
    }

    /** What arrives of {@code n} frames sent 100 us apart, in order, by first octet. */
    private List<Integer> arrivals(int n) {
        List<Integer> got = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            assertThat(Wire.send(pair.a(), Wire.frame(i, FRAME))).isEqualTo(Errno.OK);
            wire.advance(MS / 10);
            wire.octets(pair.b()).forEach(f -> got.add((int) f[0]));
        }
        wire.advance(100 * MS);
        wire.octets(pair.b()).forEach(f -> got.add((int) f[0]));
        return got;
    }

    @Test
    void fairWeather_everyFrame_passesAtOnce() throws Exception {
        weather(config(0, 0, 0, 0));
        send(10);
        assertThat(wire.octets(pair.b())).hasSize(10);
        assertThat(vnet.calloutsArmed()).isZero();
    }

    @Test
    void certainLoss_everyFrame_isCountedAndFreed() throws Exception {
        weather(config(1, 0, 0, 0));
        send(10);
        assertThat(wire.octets(pair.b())).isEmpty();
        assertThat(fault.lost()).isEqualTo(10);
        assertThat(vnet.drops(DropReason.IF_FAULT_INJECTED)).isEqualTo(10);
    }

    @Test
    void certainDuplication_everyFrame_comesTwiceInPlace() throws Exception {
        weather(config(0, 1, 0, 0));
        send(3);
        List<byte[]> got = wire.octets(pair.b());
        assertThat(got).hasSize(6);
        for (int i = 0; i < 6; i++) {
            assertThat(got.get(i)).isEqualTo(Wire.frame(i / 2, FRAME));
        }
    }

    @Test
    void reordering_someFrames_areOvertakenAndNoneIsLost() throws Exception {
        weather(config(0, 0, 0.2, 0));
        List<Integer> got = arrivals(100);
        assertThat(fault.reordered()).isBetween(5L, 40L);
        assertThat(got).hasSize(100).doesNotHaveDuplicates().isNotEqualTo(got.stream().sorted().toList());
        long overtaken = 0;
        for (int i = 1; i < got.size(); i++) {
            overtaken += got.get(i) < got.get(i - 1) ? 1 : 0;
        }
        assertThat(overtaken).isGreaterThanOrEqualTo(5);
    }

    @Test
    void corruption_oneBitOfTheCopy_andTheSendersOctetsStay() throws Exception {
        weather(config(0, 0, 0, 1));
        byte[] frame = Wire.frame(3, 1000);
        Mbuf mine = Wire.mbuf(vnet, frame);
        for (int i = 0; i < 20; i++) {
            assertThat(pair.a().transmit(mine.copyM(0, Mbuf.M_COPYALL))).isEqualTo(Errno.OK);
        }
        assertThat(Wire.octets(mine)).isEqualTo(frame);
        mine.freeChain();
        List<byte[]> got = wire.octets(pair.b());
        assertThat(got).hasSize(20);
        for (byte[] f : got) {
            int bits = 0;
            for (int i = 0; i < frame.length; i++) {
                bits += Integer.bitCount((f[i] ^ frame[i]) & 0xff);
            }
            assertThat(bits).isEqualTo(1);
        }
    }

    @Test
    void delay_onAVirtualClock_isExact() throws Exception {
        weather(Fault.Config.delay(3 * MS + 1));
        long sentNs = wire.clock.nanoTime();
        send(2);
        assertThat(vnet.nextDeadlineNs()).isEqualTo(sentNs + 3 * MS + 1);
        wire.advance(3 * MS);
        assertThat(wire.octets(pair.b())).isEmpty();
        wire.advance(1);
        assertThat(wire.octets(pair.b())).containsExactly(Wire.frame(0, FRAME), Wire.frame(1, FRAME));
        assertThat(vnet.calloutsArmed()).isZero();
    }

    @Test
    void sameSeed_sameFate_otherSeed_another() throws Exception {
        List<List<Integer>> runs = new ArrayList<>();
        for (long seed : new long[] {1, 1, 2}) {
            weather(new Fault.Config(seed, 0.1, 0.1, 0.1, 0, 0, MS, MS, 1000));
            runs.add(arrivals(100));
            wire.close();
            wire = new Wire();
        }
        assertThat(runs.get(0)).isEqualTo(runs.get(1)).isNotEqualTo(runs.get(2));
    }

    @Test
    void tooManyHeldBack_areRefusedAndCounted() throws Exception {
        weather(new Fault.Config(1, 0, 0, 0, 0, MS, 0, 0, 5));
        send(5);
        assertThat(Wire.send(pair.a(), Wire.frame(9, FRAME))).isEqualTo(Errno.ENOBUFS);
        assertThat(vnet.drops(DropReason.IF_OQFULL)).isEqualTo(1);
        assertThat(pair.a().counter(IfCounter.OQDROPS)).isEqualTo(1);
        wire.advance(MS);
        assertThat(wire.octets(pair.b())).hasSize(5);
    }

    @Test
    void downOrDestroyed_heldFramesAreFreed_andNoCalloutIsLeft() throws Exception {
        weather(Fault.Config.delay(MS));
        send(5);
        assertThat(pair.a().down()).isEqualTo(Errno.OK);
        assertThat(vnet.calloutsArmed()).isZero();
        assertThat(vnet.pool().outstanding()).isZero();
        Wire.up(pair.a());
        send(5);
        pair.destroy();
        assertThat(vnet.calloutsArmed()).isZero();
        assertThat(vnet.pool().outstanding()).isZero();
    }

    @Test
    void config_outOfRange_isRefused() {
        assertThatThrownBy(() -> config(1.1, 0, 0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> config(0, -0.1, 0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> config(0, 0, Double.NaN, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Fault.Config.delay(-1)).isInstanceOf(IllegalArgumentException.class);
    }
}
