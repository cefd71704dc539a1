package io.gatun.drivers.tap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatun.drivers.Wire;
import io.gatun.drivers.linux.Allocation;
import io.gatun.drivers.linux.HostIf;
import io.gatun.drivers.linux.LibC;
import io.gatun.drivers.linux.Linux;
import io.gatun.drivers.linux.TapDevice;
import io.gatun.drivers.linux.TapOptions;
import io.gatun.drivers.linux.TapRights;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.LinkLayer;
import io.gatun.spi.ifnet.LinkState;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** What the driver kit does not ask of tap: parameters, the machine's side, errors, allocation. */
@EnabledOnOs(OS.LINUX)
final class TapDriverTest {
    private static final int HOST = 0xc0000201; // 192.0.2.1

    private final Wire wire = new Wire();
    private final Vnet vnet = wire.vnet(new TapDriver());

    @AfterEach
    void nothingIsLeft() {
        wire.close();
    }

    private static void refused(Vnet vnet, Map<String, String> params, Errno errno, String word) {
        assertThatThrownBy(() -> vnet.ifnets().create("tap0", params)).as(params.toString())
                .isInstanceOfSatisfying(ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno))
                .hasMessageContaining("tap0").hasMessageContaining(word).hasMessageNotContaining("\n");
        assertThat(vnet.ifnets().all()).isEmpty();
    }

    @Test
    void parameters_wrong_areNamed() {
        refused(vnet, Map.of("colour", "red"), Errno.EINVAL, "colour");
        refused(vnet, Map.of("mtu", "67"), Errno.EINVAL, "67");
        refused(vnet, Map.of("mtu", "65522"), Errno.EINVAL, "65522");
        refused(vnet, Map.of("mtu", "many"), Errno.EINVAL, "many");
        refused(vnet, Map.of("qlimit", "0"), Errno.EINVAL, "qlimit");
        refused(vnet, Map.of("offload", "yes"), Errno.EINVAL, "offload");
        refused(vnet, Map.of("name", "a/b"), Errno.EINVAL, "a/b");
        refused(vnet, Map.of("name", "sixteen_is_a_lot"), Errno.EINVAL, "sixteen_is_a_lot");
        for (String address : List.of("", "192.0.2.1", "192.0.2.1/33", "192.0.2/24", "192.0.2.256/24", "host/24",
                "192.0.2.1/", "1.2.3.4.5/8", "-1.2.3.4/8")) {
            refused(vnet, Map.of("host-address", address), Errno.EINVAL, "tap0");
        }
    }

    @Test
    void parameters_right_areTaken() throws Exception {
        TapConfig none = TapConfig.parse(3, Map.of());
        assertThat(none).isEqualTo(new TapConfig("gatun3", TapConfig.NO_ADDRESS, TapConfig.NO_ADDRESS, 1500, false,
                true, 1024));
        TapConfig all = TapConfig.parse(0, Map.of("name", "x", "host-address", "192.0.2.1/0", "mtu", "65521",
                "offload", "false", "qlimit", "7"));
        assertThat(all).isEqualTo(new TapConfig("x", HOST, 0, 65_521, true, false, 7));
        assertThat(TapConfig.parse(0, Map.of("host-address", "255.255.255.255/32")).hostAddress()).isEqualTo(-1);
    }

    @Nested
    final class InNamespace {
        private static String missing;

        @BeforeAll
        static void lookForRights() {
            missing = TapRights.missing();
        }

        @BeforeEach
        void needRights() {
            assumeTrue(missing == null, missing);
        }

        @Test
        void nameTaken_orOfAnotherSort_isOneClearLine() throws Exception {
            inNamespace(() -> {
                try (TapDevice holder = new TapDevice()) {
                    assertThat(holder.open(new TapOptions("gatun0"))).isZero();
                    refused(vnet, Map.of(), Errno.EBUSY, "gatun0");
                }
                refused(vnet, Map.of("name", "lo"), Errno.EINVAL, "not a tap device");
                assertThat(vnet.ifnets().create("tap0").xname()).isEqualTo("tap0");
            });
        }

        @Test
        void hostAddress_bringsTheMachinesSideUp_withBothMtus() throws Exception {
            inNamespace(() -> {
                Ifnet ifp = vnet.ifnets().create("tap0",
                        Map.of("name", "mine", "host-address", "192.0.2.1/24", "mtu", "9000"));
                HostIf host = new HostIf("mine");
                assertThat(host.flags() & Linux.IFF_UP()).isNotZero();
                assertThat(host.mtu()).isEqualTo(9000);
                assertThat(ifp.ioctl(new IfReq.SetMtu(4000))).isEqualTo(Errno.OK);
                assertThat(host.mtu()).isEqualTo(4000);
                byte[] mac = new byte[6];
                assertThat(host.hwAddress(mac)).isZero();
                assertThat(ifp.lladdr()).isNotEqualTo(mac);
                assertThat(vnet.ifnets().destroy(ifp)).isEqualTo(Errno.OK);
                assertThat(host.index()).isEqualTo(-Linux.ENODEV());
            });
        }

        @Test
        void machinesSideDown_framesAreDroppedAndCounted() throws Exception {
            inNamespace(() -> {
                Ifnet ifp = vnet.ifnets().create("tap0");
                Wire.up(ifp);
                assertThat(Wire.send(ifp, Wire.frame(1, 60))).isEqualTo(Errno.OK);
                assertThat(vnet.drops(DropReason.IF_ERROR)).isEqualTo(1);
                assertThat(new HostIf("gatun0").setUp(true)).isZero();
                assertThat(Wire.send(ifp, Wire.frame(1, 60))).isEqualTo(Errno.OK);
                assertThat(vnet.drops(DropReason.IF_ERROR)).isEqualTo(1);
            });
        }

        @Test
        void deletedByTheMachine_linkGoesDown_andTheAgentEnds() throws Exception {
            assumeTrue(Files.isExecutable(Path.of("/usr/sbin/ip")), "there is no ip(8)");
            inNamespace(() -> {
                try (Vnet threaded = Vnet.builder().name("gone").services(false).driver(new TapDriver()).build()) {
                    assertThat(threaded.ifnets().registerLinkLayer(Ifnet.IFT_ETHER, wire)).isEqualTo(Errno.OK);
                    Ifnet ifp = threaded.ifnets().create("tap0");
                    Wire.up(ifp);
                    assertThat(agents("gone")).isEqualTo(1);
                    assertThat(new ProcessBuilder("/usr/sbin/ip", "link", "del", "gatun0").inheritIO().start()
                            .waitFor()).isZero();
                    while (ifp.linkState() != LinkState.DOWN || agents("gone") > 0) {
                        Thread.onSpinWait();
                    }
                    assertThat(Wire.send(ifp, Wire.frame(1, 60))).isEqualTo(Errno.OK);
                    assertThat(threaded.drops(DropReason.IF_ERROR)).isEqualTo(1);
                }
            });
        }

        /** By an error and with an interrupt, either of which would end a thread that is not on its guard. */
        @Test
        void handlerAboveThrows_isTold_andTheNextFrameComesUp() throws Exception {
            inNamespace(() -> {
                final Semaphore told = new Semaphore(0);
                final Semaphore up = new Semaphore(0);
                try (Vnet threaded = Vnet.builder().name("thrown").services(false).driver(new TapDriver())
                        .uncaughtExceptionHandler((t, e) -> told.release()).build()) {
                    assertThat(threaded.ifnets().registerLinkLayer(Ifnet.IFT_ETHER, new Thrower(up)))
                            .isEqualTo(Errno.OK);
                    Ifnet ifp = threaded.ifnets().create("tap0", Map.of("host-address", "192.0.2.1/24"));
                    Wire.up(ifp);
                    try (DatagramSocket host = new DatagramSocket()) {
                        for (int i = 2; i < 5; i++) { // each makes the machine ask for another address
                            host.send(new DatagramPacket(new byte[1], 1, InetAddress.getByName("192.0.2." + i), 9));
                            up.acquire();
                            told.acquire();
                        }
                    }
                    assertThat(agents("thrown")).isEqualTo(1);
                    assertThat(threaded.counters().get("vnet.uncaught")).isGreaterThanOrEqualTo(3);
                }
            });
        }

        @Test
        void destroyed_agentHasEnded() throws Exception {
            inNamespace(() -> {
                try (Vnet threaded = Vnet.builder().name("ended").services(false).driver(new TapDriver()).build()) {
                    assertThat(threaded.ifnets().registerLinkLayer(Ifnet.IFT_ETHER, wire)).isEqualTo(Errno.OK);
                    for (int i = 0; i < 20; i++) {
                        Ifnet ifp = threaded.ifnets().create("tap0");
                        assertThat(agents("ended")).isZero();
                        Wire.up(ifp);
                        assertThat(threaded.ifnets().destroy(ifp)).isEqualTo(Errno.OK);
                        assertThat(agents("ended")).isZero();
                    }
                }
            });
        }

        @Test
        void steadyState_sendingAndPolling_allocateNothing() throws Exception {
            inNamespace(() -> {
                Ifnet ifp = vnet.ifnets().create("tap0", Map.of("host-address", "192.0.2.1/24"));
                Wire.up(ifp);
                Mbuf frame = Wire.mbuf(vnet, Wire.frame(2, 1000));
                exercise(ifp, frame, 50_000);
                assertThat(Allocation.steadyOctets(() -> exercise(ifp, frame, 5000))).isZero();
                frame.freeChain();
            });
        }
    }

    private void exercise(Ifnet ifp, Mbuf frame, int rounds) {
        for (int i = 0; i < rounds; i++) {
            Mbuf head = vnet.pool().gethdr(Mbuf.MT_DATA);
            head.next(frame.copyM(0, Mbuf.M_COPYALL));
            head.next().demote(true, 0);
            head.pktLen(frame.pktLen());
            if (ifp.transmit(head) != Errno.OK || ifp.poll(1) > 1) {
                throw new AssertionError("round " + i);
            }
        }
    }

    /** A link layer that throws whatever comes up. */
    private record Thrower(Semaphore seen) implements LinkLayer {
        @Override
        public Errno attach(Ifnet ifp) {
            ifp.setInputFn((i, list) -> {
                Mbuf m = list;
                while (m != null) {
                    Mbuf next = m.nextPkt();
                    m.nextPkt(null);
                    m.freeChain();
                    m = next;
                }
                seen.release();
                Thread.currentThread().interrupt();
                throw new AssertionError("a bug");
            });
            ifp.setOutputFn((i, m, dst) -> i.transmit(m));
            return Errno.OK;
        }

        @Override
        public void detach(Ifnet ifp) {
            // keeps nothing
        }
    }

    /** Live reader threads of a vnet. */
    private static long agents(String vnetName) {
        return Thread.getAllStackTraces().keySet().stream().filter(t -> t.getName().equals(vnetName + "-tap0")).count();
    }

    private interface Step {
        void run() throws Exception;
    }

    private static void inNamespace(Step step) throws Exception {
        Callable<Void> body = () -> {
            assertThat(new LibC().unshare(Linux.CLONE_NEWNET())).isZero();
            step.run();
            return null;
        };
        FutureTask<Void> task = new FutureTask<>(body);
        Thread.ofPlatform().name("namespace").start(task).join();
        task.get();
    }
}
