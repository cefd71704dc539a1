package io.gatun.protosw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.ifnet.IfnetListener;
import io.gatun.spi.ifnet.LinkLayer;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class IfnetsTest {
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());
    private final Vnet vnet = TestVnets.polled(new VirtualClock()).driver(new NullDriver()).build();

    /** Frames go nowhere. */
    private final class NullDriver implements IfnetDriver {
        @Override
        public String name() {
            return "null";
        }

        @Override
        public Ifnet create(VnetSide v, int unit, Map<String, String> params) throws ErrnoException {
            if (params.containsKey("fail")) {
                throw new ErrnoException(Errno.ENXIO, "create null");
            }
            Ifnet ifp = plain(v, "null", unit);
            ErrnoException.check(v.ifnets().attach(ifp), "create " + ifp);
            return ifp;
        }

        @Override
        public void destroy(Ifnet ifp) {
            ifp.vnet().ifnets().detach(ifp);
            ifp.free();
            log.add("destroyed " + ifp);
        }
    }

    private static Ifnet plain(VnetSide v, String dname, int unit) {
        Ifnet ifp = Ifnet.alloc(v, Ifnet.IFT_TUNNEL, dname, unit, null);
        ifp.setTransmitFn((i, m) -> {
            m.freeChain();
            return Errno.OK;
        });
        ifp.setQflushFn(i -> { });
        ifp.setOutputFn((i, m, dst) -> i.transmit(m));
        return ifp;
    }

    @AfterEach
    void close() {
        vnet.close();
    }

    @Test
    void create_withoutUnit_takesTheLowestFree() throws ErrnoException {
        assertThat(vnet.ifnets().create("null").xname()).isEqualTo("null0");
        Ifnet one = vnet.ifnets().create("null");
        assertThat(vnet.ifnets().create("null7").xname()).isEqualTo("null7");
        assertThat(one.index()).isEqualTo(2);
        assertThat(vnet.ifnets().destroy(one)).isEqualTo(Errno.OK);
        assertThat(one.index()).isZero();
        assertThat(vnet.ifnets().byIndex(2)).isNull();
        Ifnet again = vnet.ifnets().create("null");
        assertThat(again.xname()).isEqualTo("null1");
        assertThat(again.index()).isEqualTo(2);
        assertThat(vnet.ifnets().all()).extracting(Ifnet::xname).containsExactly("null0", "null1", "null7");
        assertThat(vnet.ifnets().byName("null7").index()).isEqualTo(3);
    }

    @Test
    void create_impossible_saysWhy() throws ErrnoException {
        Ifnet first = vnet.ifnets().create("null0");
        assertThat(first.index()).isEqualTo(1);
        assertErrno(Errno.EEXIST, "null0", Map.of());
        assertErrno(Errno.ENODEV, "tap0", Map.of());
        assertErrno(Errno.ENXIO, "null", Map.of("fail", "yes"));
        assertErrno(Errno.EINVAL, "null99999999999", Map.of());
        assertThat(vnet.ifnets().create("null").xname()).isEqualTo("null1");
    }

    private void assertErrno(Errno e, String name, Map<String, String> params) {
        assertThatThrownBy(() -> vnet.ifnets().create(name, params))
            .isInstanceOfSatisfying(ErrnoException.class, x -> assertThat(x.errno()).isEqualTo(e));
    }

    @Test
    void attach_incomplete_isRefused() {
        Ifnet bare = Ifnet.alloc(vnet, Ifnet.IFT_ETHER, "bare", 0, null);
        assertThat(vnet.ifnets().attach(bare)).isEqualTo(Errno.EINVAL);
        bare.setTransmitFn((i, m) -> Errno.OK);
        bare.setQflushFn(i -> { });
        assertThat(vnet.ifnets().attach(bare)).as("no link layer of its type").isEqualTo(Errno.EINVAL);
        assertThat(vnet.ifnets().destroy(bare)).isEqualTo(Errno.ENODEV);
    }

    @Test
    void attach_linkLayer_fillsSlotsOrRefuses() {
        LinkLayer layer = new LinkLayer() {
            @Override
            public Errno attach(Ifnet ifp) {
                ifp.setOutputFn((i, m, dst) -> i.transmit(m));
                log.add("layer " + ifp + " index " + ifp.index());
                return ifp.dunit() == 1 ? Errno.ENOMEM : Errno.OK;
            }

            @Override
            public void detach(Ifnet ifp) {
                log.add("layer gone " + ifp);
            }
        };
        assertThat(vnet.ifnets().registerLinkLayer(Ifnet.IFT_ETHER, layer)).isEqualTo(Errno.OK);
        assertThat(vnet.ifnets().registerLinkLayer(Ifnet.IFT_ETHER, layer)).isEqualTo(Errno.EEXIST);
        for (int unit = 0; unit < 2; unit++) {
            Ifnet ifp = Ifnet.alloc(vnet, Ifnet.IFT_ETHER, "eth", unit, null);
            ifp.setTransmitFn((i, m) -> Errno.OK);
            ifp.setQflushFn(i -> log.add("flush " + i));
            assertThat(vnet.ifnets().attach(ifp)).isEqualTo(unit == 0 ? Errno.OK : Errno.ENOMEM);
            if (unit == 0) {
                vnet.ifnets().detach(ifp);
            }
            ifp.free();
        }
        assertThat(log).containsExactly("layer eth0 index 1", "layer gone eth0", "flush eth0", "layer eth1 index 1");
    }

    @Test
    void listeners_hearOfEverything() throws ErrnoException {
        IfnetListener l = new IfnetListener() {
            @Override
            public void arrived(Ifnet ifp) {
                log.add("arrived " + ifp);
            }

            @Override
            public void departing(Ifnet ifp) {
                log.add("departing " + ifp + " " + (ifp.flags() & Ifnet.IFF_DYING));
            }

            @Override
            public void addressChanged(Ifnet ifp, IfAddr addr, boolean added) {
                log.add("address " + added);
            }

            @Override
            public void stateChanged(Ifnet ifp) {
                log.add("state " + (ifp.flags() & Ifnet.IFF_UP));
            }
        };
        vnet.ifnets().addListener(l);
        Ifnet ifp = vnet.ifnets().create("null");
        ifp.up();
        ifp.addAddr(new IfAddr(SockAddr.in(0x0a000001, 0), 24, null, null));
        assertThat(vnet.ifnets().destroy(ifp)).isEqualTo(Errno.OK);
        vnet.ifnets().removeListener(l);
        vnet.ifnets().create("null");
        assertThat(log).containsExactly("arrived null0", "state 1", "address true",
            "departing null0 " + Ifnet.IFF_DYING, "destroyed null0");
    }

    @Test
    void transmit_afterDetach_isDroppedAndCounted() throws ErrnoException {
        Ifnet ifp = vnet.ifnets().create("null");
        ifp.up();
        assertThat(vnet.ifnets().destroy(ifp)).isEqualTo(Errno.OK);
        assertThat(ifp.transmit(TestVnets.packet(vnet, 1))).isEqualTo(Errno.ENETDOWN);
        assertThat(vnet.drops(DropReason.IF_DETACHED)).isEqualTo(1);
    }

    @Test
    void close_destroysInterfacesNewestFirst() throws ErrnoException {
        vnet.ifnets().create("null");
        vnet.ifnets().create("null");
        assertThat(vnet.ifnets().attach(plain(vnet, "own", 0))).isEqualTo(Errno.OK);
        vnet.close();
        assertThat(log).containsExactly("destroyed null1", "destroyed null0");
        assertThat(vnet.ifnets().all()).isEmpty();
    }

    @Test
    void detach_underLoad_waitsForCallsUnderWay() throws InterruptedException {
        try (Vnet v = TestVnets.threaded().build()) {
            for (int round = 0; round < 200; round++) {
                AtomicBoolean gone = new AtomicBoolean();
                AtomicInteger late = new AtomicInteger();
                Ifnet ifp = Ifnet.alloc(v, Ifnet.IFT_TUNNEL, "busy", 0, null);
                ifp.setTransmitFn((i, m) -> {
                    Thread.onSpinWait();
                    late.addAndGet(gone.get() ? 1 : 0);
                    m.freeChain();
                    return Errno.OK;
                });
                ifp.setQflushFn(i -> { });
                ifp.setOutputFn((i, m, dst) -> i.transmit(m));
                assertThat(v.ifnets().attach(ifp)).isEqualTo(Errno.OK);
                ifp.up();
                AtomicInteger sent = new AtomicInteger();
                Thread sender = Thread.ofPlatform().start(() -> {
                    Errno e = Errno.OK;
                    while (e == Errno.OK) {
                        Mbuf m = TestVnets.packet(v, 1);
                        e = ifp.transmit(m);
                        sent.incrementAndGet();
                    }
                });
                while (sent.get() < 20) {
                    Thread.onSpinWait();
                }
                v.ifnets().detach(ifp);
                gone.set(true);
                ifp.free();
                sender.join();
                assertThat(late).hasValue(0);
            }
        }
    }

    @Test
    void transmitList_interfaceDown_dropsEach() {
        Ifnet ifp = plain(vnet, "list", 0);
        assertThat(vnet.ifnets().attach(ifp)).isEqualTo(Errno.OK);
        Mbuf first = TestVnets.packet(vnet, 1);
        Mbuf second = TestVnets.packet(vnet, 2);
        first.nextPkt(second);
        second.nextPkt(TestVnets.packet(vnet, 3));
        assertThat(ifp.transmit(first)).isEqualTo(Errno.ENETDOWN);
        assertThat(vnet.drops(DropReason.IF_DOWN)).isEqualTo(3);
        assertThat(vnet.pool().outstanding()).isZero();
    }

    /** Holds up whoever takes an interface away. */
    private static final class Brake implements IfnetListener {
        final CountDownLatch begun = new CountDownLatch(1);
        final CountDownLatch on = new CountDownLatch(1);

        @Override
        public void departing(Ifnet ifp) {
            begun.countDown();
            boolean interrupted = false;
            while (on.getCount() > 0) {
                try {
                    on.await();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            assertThat(interrupted).isFalse();
        }

        /** Until a thread waits or has ended; then all may go on. */
        void releaseWhenWaiting(Thread t) {
            while (t.isAlive() && t.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            on.countDown();
        }
    }

    @Test
    void destroy_whileAnotherThreadDoes_waitsForIt() throws Exception {
        try (Vnet v = TestVnets.threaded().driver(new NullDriver()).build()) {
            Brake brake = new Brake();
            v.ifnets().addListener(brake);
            Ifnet ifp = v.ifnets().create("null");
            FutureTask<Errno> first = new FutureTask<>(() -> v.ifnets().destroy(ifp));
            FutureTask<Errno> second = new FutureTask<>(() -> v.ifnets().destroy(ifp));
            Thread.ofPlatform().start(first);
            brake.begun.await();
            brake.releaseWhenWaiting(Thread.ofPlatform().start(second));
            assertThat(first.get()).isEqualTo(Errno.OK);
            assertThat(second.get()).isEqualTo(Errno.OK);
            assertThat(ifp.index()).isZero();
        }
    }

    @Test
    void close_whileAThreadTakesAnInterfaceAway_waitsForIt() throws Exception {
        Vnet v = TestVnets.threaded().driver(new NullDriver()).build();
        Brake brake = new Brake();
        v.ifnets().addListener(brake);
        Ifnet ifp = v.ifnets().create("null");
        FutureTask<Errno> first = new FutureTask<>(() -> v.ifnets().destroy(ifp));
        FutureTask<Integer> close = new FutureTask<>(() -> {
            v.close();
            return ifp.index();
        });
        Thread.ofPlatform().start(first);
        brake.begun.await();
        brake.releaseWhenWaiting(Thread.ofPlatform().start(close));
        assertThat(close.get()).as("index after close").isZero();
        assertThat(first.get()).isEqualTo(Errno.OK);
    }
}
