package io.gatun.drivers.linux;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * The device against the machine's own stack. Each test runs on a thread that has left for a network namespace of its
 * own, where any address is free and of which nothing remains.
 */
@EnabledOnOs(OS.LINUX)
class TapDeviceTest {
    private static final int HOST = 0xc0000201; // 192.0.2.1
    private static final int PEER = 0xc0000202; // 192.0.2.2
    private static final byte[] PEER_MAC = {2, 0, 0, 0, 0, 2};
    private static final int ETHERTYPE_IP = 0x0800;
    private static final int ETHERTYPE_ARP = 0x0806;
    private static final int PAYLOAD = 14 + 20 + 8;
    private static final int PORT = 4711;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private final LibC libc = new LibC();
    private final TapDevice tap = new TapDevice();
    private final MemorySegment frame = Arena.ofAuto().allocate(65_550, 8);
    private final byte[] hostMac = new byte[6];

    @Test
    void neverOpened_everyCall_answersBadFd() {
        assertThat(tap.isOpen()).isFalse();
        assertThat(tap.await(0)).isEqualTo(-Linux.EBADF());
        assertThat(tap.read(frame, 0, 100)).isEqualTo(-Linux.EBADF());
        assertThat(tap.write(frame, 0, 100)).isEqualTo(-Linux.EBADF());
        tap.wake();
        tap.close();
    }

    @Test
    void options_thatCannotWork_areRefused() {
        for (String name : List.of("", ".", "..", "a/b", "a b", "a:b", "sixteen_is_a_lot")) {
            assertThatThrownBy(() -> new TapOptions(name)).as(name).isInstanceOf(IllegalArgumentException.class);
        }
        TapOptions plain = new TapOptions("fifteen_is_fine");
        assertThatThrownBy(() -> plain.withVnetHdr(11, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> plain.withVnetHdr(0, Linux.TUN_F_CSUM())).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void hostIf_absentDevice_answersNoDevice() {
        HostIf absent = new HostIf("no-such-device");
        assertThat(absent.index()).isEqualTo(-Linux.ENODEV());
        assertThat(absent.setUp(true)).isEqualTo(-Linux.ENODEV());
        assertThat(absent.mtu()).isEqualTo(-Linux.ENODEV());
        assertThat(absent.hwAddress(hostMac)).isEqualTo(-Linux.ENODEV());
        assertThat(new HostIf("lo").flags() & Linux.IFF_UP()).isEqualTo(Linux.IFF_UP());
    }

    @Nested
    class InNamespace {
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
        void open_makesTheDevice_closeRemovesIt() throws Exception {
            inNamespace(() -> {
                assertThat(tap.open(new TapOptions("gatun%d").withExclusive())).isZero();
                HostIf host = new HostIf(tap.name());
                assertThat(tap.name()).isEqualTo("gatun0");
                assertThat(host.index()).isPositive();
                assertThat(tap.open(new TapOptions("gatun1"))).isEqualTo(-Linux.EBUSY());
                tap.close();
                tap.close();
                assertThat(host.index()).isEqualTo(-Linux.ENODEV());
                assertThat(tap.await(-1)).isEqualTo(-Linux.EBADF());
                assertThat(tap.open(new TapOptions("gatun0"))).isZero();
                assertThat(tap.await(0)).isZero();
            });
        }

        @Test
        void open_nameHeldOrOfAnotherSort_answersWhy() throws Exception {
            inNamespace(() -> {
                assertThat(tap.open(new TapOptions("gatun0"))).isZero();
                try (TapDevice second = new TapDevice()) {
                    assertThat(second.open(new TapOptions("gatun0"))).isEqualTo(-Linux.EBUSY());
                    assertThat(second.open(new TapOptions("lo"))).isEqualTo(-Linux.EINVAL());
                    assertThat(second.isOpen()).isFalse();
                    assertThat(second.open(new TapOptions("gatun1"))).isZero();
                }
            });
        }

        @Test
        void hostIf_setsWhatItIsTold() throws Exception {
            inNamespace(() -> {
                assertThat(tap.open(new TapOptions("gatun0"))).isZero();
                HostIf host = new HostIf("gatun0");
                assertThat(host.setMtu(9000)).isZero();
                assertThat(host.mtu()).isEqualTo(9000);
                assertThat(host.setMtu(-1)).isEqualTo(-Linux.EINVAL());
                assertThat(host.setHwAddress(PEER_MAC)).isZero();
                assertThat(host.hwAddress(hostMac)).isZero();
                assertThat(hostMac).isEqualTo(PEER_MAC);
                assertThat(host.setUp(true)).isZero();
                assertThat(host.flags() & Linux.IFF_UP()).isEqualTo(Linux.IFF_UP());
                assertThat(host.setUp(false)).isZero();
                assertThat(host.flags() & Linux.IFF_UP()).isZero();
                assertThat(tap.write(frame, 0, 60)).isEqualTo(-Linux.EIO());
                assertThat(host.setAddress(HOST, 24)).isZero();
                assertThat(host.removeAddress()).isZero();
            });
        }

        @Test
        void plain_kernelAsksArp_andItsDatagramArrives_andOursIsReceived() throws Exception {
            inNamespace(() -> conversation(new TapOptions("gatun0")));
        }

        @Test
        void vnetHeader10_sameConversation() throws Exception {
            inNamespace(() -> conversation(new TapOptions("gatun0").withVnetHdr(TapOptions.VNET_HDR, 0)));
        }

        @Test
        void vnetHeader12_offload_leavesTheChecksumToUs() throws Exception {
            inNamespace(() -> {
                conversation(new TapOptions("gatun0")
                        .withVnetHdr(TapOptions.VNET_HDR_MRG_RXBUF, Linux.TUN_F_CSUM() | Linux.TUN_F_TSO4()));
                // the datagram is still in the buffer, under its header
                assertThat((int) virtio_net_hdr.flags(frame)).isEqualTo(Linux.VIRTIO_NET_HDR_F_NEEDS_CSUM());
                assertThat((int) virtio_net_hdr.csum_start(frame)).isEqualTo(14 + 20);
                assertThat((int) virtio_net_hdr.csum_offset(frame)).isEqualTo(6);
            });
        }

        @Test
        void waiting_wake_returnsWoken() throws Exception {
            inNamespace(() -> {
                assertThat(tap.open(new TapOptions("gatun0"))).isZero();
                tap.wake();
                tap.wake();
                assertThat(tap.await(-1)).isEqualTo(TapDevice.WOKEN);
                assertThat(tap.await(0)).isZero();
                Thread waker = Thread.ofPlatform().start(tap::wake);
                assertThat(tap.await(-1)).isEqualTo(TapDevice.WOKEN);
                waker.join();
            });
        }

        @Test
        void waiting_closedByAnother_leavesAtOnce() throws Exception {
            inNamespace(() -> {
                for (int i = 0; i < 50; i++) {
                    closeUnderReader();
                }
            });
        }

        @Test
        void wakersAndWriters_underClose_neverTouchAnotherDescriptor() throws Exception {
            inNamespace(() -> {
                AtomicInteger strangers = new AtomicInteger();
                for (int round = 0; round < 20; round++) {
                    openUp(new TapOptions("gatun0"));
                    List<Thread> users = new ArrayList<>();
                    users.add(Thread.ofPlatform().start(() -> wakeUntilClosed()));
                    users.add(Thread.ofPlatform().start(() -> strangers.addAndGet(writeUntilClosed())));
                    tap.close();
                    for (Thread user : users) {
                        user.join();
                    }
                    assertThat(new HostIf("gatun0").index()).isEqualTo(-Linux.ENODEV());
                }
                assertThat(strangers).hasValue(0);
            });
        }

        @Test
        void steadyState_writeAndEmptyReadAndWait_allocateNothing() throws Exception {
            inNamespace(() -> {
                openUp(new TapOptions("gatun0"));
                IoVec iov = new IoVec(3);
                exercise(iov, 100_000);
                assertThat(Allocation.steadyOctets(() -> exercise(iov, 10_000))).isZero();
            });
        }
    }

    /** ARP from the kernel, answered in three pieces; then one datagram each way. */
    private void conversation(TapOptions options) throws Exception {
        openUp(options);
        int header = options.vnetHdrOctets();
        try (DatagramChannel kernel = DatagramChannel.open()) {
            kernel.bind(new InetSocketAddress("192.0.2.1", PORT));
            kernel.send(ByteBuffer.wrap("down".getBytes(US_ASCII)), new InetSocketAddress("192.0.2.2", PORT));
            readType(header, ETHERTYPE_ARP);
            assertThat(frame.get(INT, header + 14 + 24)).isEqualTo(PEER);
            answerArp(header);
            sendDatagram(header, "up");
            ByteBuffer up = ByteBuffer.allocate(100);
            assertThat(kernel.receive(up)).isEqualTo(new InetSocketAddress("192.0.2.2", PORT));
            assertThat(new String(up.array(), 0, up.position(), US_ASCII)).isEqualTo("up");
            int octets = readType(header, ETHERTYPE_IP);
            assertThat(octets).isEqualTo(header + PAYLOAD + 4);
            assertThat(frame.asSlice(header + PAYLOAD, 4).toArray(BYTE)).isEqualTo("down".getBytes(US_ASCII));
        }
    }

    private void openUp(TapOptions options) {
        assertThat(tap.open(options)).isZero();
        HostIf host = new HostIf(tap.name());
        assertThat(host.hwAddress(hostMac)).isZero();
        assertThat(host.setAddress(HOST, 24)).isZero();
        assertThat(host.setUp(true)).isZero();
    }

    /** Reads frames until one of that type; the kernel speaks IPv6 of its own accord. */
    private int readType(int header, int type) {
        while (true) {
            int octets = tap.read(frame, 0, (int) frame.byteSize());
            if (octets == -Linux.EAGAIN()) {
                assertThat(tap.await(10_000)).isEqualTo(TapDevice.READABLE);
            } else {
                assertThat(octets).isGreaterThanOrEqualTo(header + 14);
                if ((frame.get(SHORT, header + 12) & 0xffff) == type) {
                    return octets;
                }
            }
        }
    }

    private void answerArp(int header) {
        MemorySegment reply = Arena.ofAuto().allocate(64);
        putEthernet(reply, ETHERTYPE_ARP);
        reply.set(INT, 14, 0x00010800);
        reply.set(SHORT, 18, (short) 0x0604);
        reply.set(SHORT, 20, (short) 2);
        MemorySegment.copy(PEER_MAC, 0, reply, BYTE, 22, 6);
        reply.set(INT, 28, PEER);
        MemorySegment.copy(hostMac, 0, reply, BYTE, 32, 6);
        reply.set(INT, 38, HOST);
        writeInPieces(header, reply, 42);
    }

    private void sendDatagram(int header, String text) {
        MemorySegment m = Arena.ofAuto().allocate(64);
        putEthernet(m, ETHERTYPE_IP);
        m.set(INT, 14, 0x45000000 | (28 + text.length()));
        m.set(INT, 22, 64 << 24 | 17 << 16);
        m.set(INT, 26, PEER);
        m.set(INT, 30, HOST);
        int sum = 0;
        for (int i = 14; i < 34; i += 2) {
            sum += m.get(SHORT, i) & 0xffff;
        }
        m.set(SHORT, 24, (short) ~(sum % 0xffff));
        m.set(INT, 34, PORT << 16 | PORT);
        m.set(INT, 38, (8 + text.length()) << 16);
        MemorySegment.copy(text.getBytes(US_ASCII), 0, m, BYTE, PAYLOAD, text.length());
        writeInPieces(header, m, PAYLOAD + text.length());
    }

    private void putEthernet(MemorySegment m, int type) {
        MemorySegment.copy(hostMac, 0, m, BYTE, 0, 6);
        MemorySegment.copy(PEER_MAC, 0, m, BYTE, 6, 6);
        m.set(SHORT, 12, (short) type);
    }

    private void writeInPieces(int header, MemorySegment m, int octets) {
        IoVec iov = new IoVec(4);
        MemorySegment zeros = Arena.ofAuto().allocate(TapOptions.VNET_HDR_MRG_RXBUF);
        if (header > 0) {
            iov.add(zeros, 0, header);
        }
        iov.add(m, 0, 14);
        iov.add(m, 14, 20);
        iov.add(m, 34, octets - 34);
        assertThat(tap.writev(iov)).isEqualTo(header + octets);
    }

    private void closeUnderReader() throws Exception {
        assertThat(tap.open(new TapOptions("gatun0"))).isZero();
        CountDownLatch reading = new CountDownLatch(1);
        FutureTask<Integer> last = new FutureTask<>(() -> {
            reading.countDown();
            int ready = tap.await(-1);
            while (ready >= 0) {
                ready = tap.await(-1);
            }
            return ready;
        });
        Thread reader = Thread.ofPlatform().start(last);
        reading.await();
        tap.close();
        assertThat(last.get()).isEqualTo(-Linux.EBADF());
        reader.join();
    }

    private void wakeUntilClosed() {
        while (tap.isOpen()) {
            tap.wake();
        }
    }

    /** How many writes answered anything but a whole frame or EBADF. */
    private int writeUntilClosed() {
        int strange = 0;
        int answer = tap.write(frame, 0, 60);
        while (answer != -Linux.EBADF()) {
            strange += answer == 60 ? 0 : 1;
            answer = tap.write(frame, 0, 60);
        }
        return strange;
    }

    private void exercise(IoVec iov, int rounds) {
        for (int i = 0; i < rounds; i++) {
            boolean good = tap.write(frame, 0, 60) == 60;
            iov.clear();
            iov.add(frame, 0, 14);
            iov.add(frame, 100, 46);
            good &= tap.writev(iov) == 60;
            tap.wake();
            good &= (tap.await(-1) & TapDevice.WOKEN) != 0;
            int octets = tap.read(frame, 0, 2048);
            good &= octets > 0 || octets == -Linux.EAGAIN();
            if (!good) {
                throw new AssertionError("round " + i + ": read answered " + octets);
            }
        }
    }

    private interface Step {
        void run() throws Exception;
    }

    private void inNamespace(Step step) throws Exception {
        Callable<Void> body = () -> {
            assertThat(libc.unshare(Linux.CLONE_NEWNET())).isZero();
            try (tap) {
                step.run();
            }
            return null;
        };
        FutureTask<Void> task = new FutureTask<>(body);
        Thread.ofPlatform().name("namespace").start(task).join();
        task.get();
    }
}
