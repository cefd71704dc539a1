package io.gatun.conformance.driver;

import io.gatun.drivers.linux.HostIf;
import io.gatun.drivers.linux.LibC;
import io.gatun.drivers.linux.Linux;
import io.gatun.spi.ifnet.EtherVlan;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The machine's end of a tap: a packet socket on its device, which sees and sends frames as they are. To be made in
 * the network namespace of the device, which it brings up.
 */
final class PacketPeer implements KitPeer {
    private static final int AF_PACKET = 17;
    private static final int SOCK_RAW = 3;
    private static final short ETH_P_ALL = 3;
    private static final int SOCKADDR_LL = 20;
    private static final int RECEIVE_BUFFER = 1 << 22;
    private static final int ETHER_HDR_LEN = 14;
    private static final int MAC_OCTETS = 6;
    private static final int LONGEST = 70_000;

    private final LibC reader = new LibC();
    private final LibC writer = new LibC();
    private final MemorySegment in = Arena.ofAuto().allocate(LONGEST);
    private final MemorySegment out = Arena.ofAuto().allocate(LONGEST);
    private final int vid;
    private volatile int fd;

    PacketPeer(String device) {
        this(device, 0);
    }

    /** With a vid other than 0 it tags what it sends; the kernel takes the tags off what it hands to packet sockets. */
    PacketPeer(String device, int vid) {
        this.vid = vid;
        HostIf host = new HostIf(device);
        check(host.setUp(true));
        int type = SOCK_RAW | Linux.SOCK_NONBLOCK() | Linux.SOCK_CLOEXEC();
        fd = check(reader.socket(AF_PACKET, type, Short.reverseBytes(ETH_P_ALL) & 0xffff));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocateFrom(ValueLayout.JAVA_INT, RECEIVE_BUFFER);
            Linux.setsockopt(fd, Linux.SOL_SOCKET(), Linux.SO_RCVBUF(), size, Integer.BYTES);
            MemorySegment address = arena.allocate(SOCKADDR_LL, Integer.BYTES);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_PACKET);
            address.set(ValueLayout.JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN), 2, ETH_P_ALL);
            address.set(ValueLayout.JAVA_INT, 4, check(host.index()));
            check(bind(fd, address));
        }
    }

    private static int check(int result) {
        if (result < 0) {
            throw new AssertionError("Linux answers " + result);
        }
        return result;
    }

    private static int bind(int fd, MemorySegment address) {
        Linker linker = Linker.nativeLinker();
        MethodHandle bind = linker.downcallHandle(linker.defaultLookup().find("bind").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS,
                        ValueLayout.JAVA_INT));
        try {
            return (int) bind.invokeExact(fd, address, SOCKADDR_LL);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    @Override
    public synchronized void inject(byte[] plain) {
        byte[] frame = vid == 0 ? plain : tagged(plain);
        if (fd >= 0) {
            MemorySegment.copy(frame, 0, out, ValueLayout.JAVA_BYTE, 0, frame.length);
            writer.write(fd, out, 0, frame.length);
        }
    }

    private byte[] tagged(byte[] frame) {
        return ByteBuffer.allocate(frame.length + Integer.BYTES).put(frame, 0, 2 * MAC_OCTETS)
                .putInt(EtherVlan.ETHERTYPE_VLAN << Short.SIZE | vid)
                .put(frame, 2 * MAC_OCTETS, frame.length - 2 * MAC_OCTETS).array();
    }

    @Override
    public byte[] next() {
        while (fd >= 0) {
            long n = reader.read(fd, in, 0, LONGEST);
            if (n < 0) {
                return null;
            }
            byte[] frame = in.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE);
            if (KitFrames.isKit(frame, ETHER_HDR_LEN) && !sentHere(frame)) {
                return frame;
            }
        }
        return null;
    }

    /** A packet socket hears itself. */
    private static boolean sentHere(byte[] frame) {
        return Arrays.equals(frame, MAC_OCTETS, 2 * MAC_OCTETS, KitFrames.peerMac(), 0, MAC_OCTETS);
    }

    @Override
    public synchronized void close() {
        if (fd >= 0) {
            writer.close(fd);
            fd = -1;
        }
    }
}
