package io.gatun.drivers.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The machine's own end of a device, known by name: what {@code ip link} and {@code ip addr} would set on it.
 *
 * <p>Each call opens a datagram socket, makes its requests on it and closes it; the name is looked up anew each time,
 * in the network namespace of the calling thread. For configuration, not for the data path: calls allocate. Needs
 * CAP_NET_ADMIN for whatever changes something. Any thread may call.
 *
 * <p>Every method answers 0 (or the value asked for), or the negative errno of Linux; {@code ENODEV} says that no
 * device has this name.
 */
public final class HostIf {
    /** The longest name of a device, in octets, its final NUL not counted. */
    public static final int MAX_NAME = Linux.IFNAMSIZ() - 1;

    private static final ValueLayout.OfInt NETWORK_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final long REQUEST_OFFSET = ifreq.ifr_ifru$offset();
    private static final int MAC_OCTETS = 6;
    private static final int ARPHRD_ETHER = 1;

    private final String name;

    /** The device {@code name}, which need not exist yet. */
    public HostIf(String name) {
        if (!isName(name)) {
            throw new IllegalArgumentException("not the name of a device: '" + name + "'");
        }
        this.name = name;
    }

    /** Whether Linux takes {@code name} for a device: 1 to {@link #MAX_NAME} octets, no slash, colon or space. */
    public static boolean isName(String name) {
        return !name.isEmpty() && !".".equals(name) && !"..".equals(name)
                && name.chars().allMatch(c -> c > ' ' && c != '/' && c != ':' && c != 0x7f)
                && name.getBytes(StandardCharsets.UTF_8).length <= MAX_NAME;
    }

    /** The name given to the constructor. */
    public String name() {
        return name;
    }

    /** The index of the device, above 0. */
    public int index() {
        return with((libc, fd, req) -> {
            int error = libc.ioctl(fd, Linux.SIOCGIFINDEX(), req);
            return error < 0 ? error : ifreq.ifr_ifru.ifru_ivalue(union(req));
        });
    }

    /** The IFF_* flags. */
    public int flags() {
        return with((libc, fd, req) -> {
            int error = libc.ioctl(fd, Linux.SIOCGIFFLAGS(), req);
            return error < 0 ? error : ifreq.ifr_ifru.ifru_flags(union(req)) & 0xffff;
        });
    }

    /** Brings the device up or down. */
    public int setUp(boolean up) {
        return with((libc, fd, req) -> {
            int error = libc.ioctl(fd, Linux.SIOCGIFFLAGS(), req);
            if (error < 0) {
                return error;
            }
            int flags = ifreq.ifr_ifru.ifru_flags(union(req));
            int wanted = up ? flags | Linux.IFF_UP() : flags & ~Linux.IFF_UP();
            ifreq.ifr_ifru.ifru_flags(union(req), (short) wanted);
            return libc.ioctl(fd, Linux.SIOCSIFFLAGS(), req);
        });
    }

    /** The MTU in octets. */
    public int mtu() {
        return with((libc, fd, req) -> {
            int error = libc.ioctl(fd, Linux.SIOCGIFMTU(), req);
            return error < 0 ? error : ifreq.ifr_ifru.ifru_mtu(union(req));
        });
    }

    /** Sets the MTU. */
    public int setMtu(int octets) {
        return with((libc, fd, req) -> {
            ifreq.ifr_ifru.ifru_mtu(union(req), octets);
            return libc.ioctl(fd, Linux.SIOCSIFMTU(), req);
        });
    }

    /** Copies the Ethernet address into the first six octets of {@code mac}. */
    public int hwAddress(byte[] mac) {
        return with((libc, fd, req) -> {
            int error = libc.ioctl(fd, Linux.SIOCGIFHWADDR(), req);
            if (error == 0) {
                MemorySegment.copy(ifreq.ifr_ifru.ifru_hwaddr(union(req)), ValueLayout.JAVA_BYTE,
                        sockaddr.sa_data$offset(), mac, 0, MAC_OCTETS);
            }
            return error;
        });
    }

    /** Sets the Ethernet address from the first six octets of {@code mac}. */
    public int setHwAddress(byte[] mac) {
        return with((libc, fd, req) -> {
            MemorySegment address = ifreq.ifr_ifru.ifru_hwaddr(union(req));
            sockaddr.sa_family(address, (short) ARPHRD_ETHER);
            MemorySegment.copy(mac, 0, address, ValueLayout.JAVA_BYTE, sockaddr.sa_data$offset(), MAC_OCTETS);
            return libc.ioctl(fd, Linux.SIOCSIFHWADDR(), req);
        });
    }

    /**
     * Gives the device its IPv4 address in place of the one it has.
     *
     * @param address the address, its first octet in the topmost bits
     * @param prefixLen 0 to 32
     */
    public int setAddress(int address, int prefixLen) {
        if (prefixLen < 0 || prefixLen > Integer.SIZE) {
            throw new IllegalArgumentException("prefix length: " + prefixLen);
        }
        int netmask = prefixLen == 0 ? 0 : -1 << (Integer.SIZE - prefixLen);
        return with((libc, fd, req) -> {
            putInetAddress(req, address);
            int error = libc.ioctl(fd, Linux.SIOCSIFADDR(), req);
            if (error < 0) {
                return error;
            }
            putInetAddress(req, netmask);
            return libc.ioctl(fd, Linux.SIOCSIFNETMASK(), req);
        });
    }

    /** Takes the IPv4 address off the device. */
    public int removeAddress() {
        return with((libc, fd, req) -> {
            putInetAddress(req, 0);
            return libc.ioctl(fd, Linux.SIOCSIFADDR(), req);
        });
    }

    /** Writes {@code name} into the name field of an {@link ifreq}. */
    static void putName(MemorySegment req, String name) {
        byte[] octets = name.getBytes(StandardCharsets.UTF_8);
        MemorySegment field = ifreq.ifr_ifrn.ifrn_name(ifreq.ifr_ifrn(req));
        field.fill((byte) 0);
        MemorySegment.copy(octets, 0, field, ValueLayout.JAVA_BYTE, 0, Math.min(octets.length, MAX_NAME));
    }

    /** The name in an {@link ifreq}. */
    static String getName(MemorySegment req) {
        return ifreq.ifr_ifrn.ifrn_name(ifreq.ifr_ifrn(req)).getString(0);
    }

    private static void putInetAddress(MemorySegment req, int address) {
        MemorySegment in = req.asSlice(REQUEST_OFFSET, sockaddr_in.layout());
        in.fill((byte) 0);
        sockaddr_in.sin_family(in, (short) Linux.AF_INET());
        in.set(NETWORK_INT, sockaddr_in.sin_addr$offset(), address);
    }

    private static MemorySegment union(MemorySegment req) {
        return ifreq.ifr_ifru(req);
    }

    private int with(Request request) {
        LibC libc = new LibC();
        int fd = libc.socket(Linux.AF_INET(), Linux.SOCK_DGRAM() | Linux.SOCK_CLOEXEC(), 0);
        if (fd < 0) {
            return fd;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment req = ifreq.allocate(arena);
            putName(req, name);
            return request.make(libc, fd, req);
        } finally {
            libc.close(fd);
        }
    }

    private interface Request {
        int make(LibC libc, int fd, MemorySegment req);
    }
}
