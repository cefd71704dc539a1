package io.gatun.drivers.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One queue of a Linux TAP device: Ethernet frames without FCS, one per read and one per write.
 *
 * <p>The descriptor is non-blocking. One thread, the reader, calls {@link #await}, {@link #read} and {@link #readv};
 * one thread at a time, the writer, calls {@link #write} and {@link #writev}; the two may be different and run at the
 * same time. {@link #wake} and {@link #close} may come from any thread whenever it likes: the reader leaves
 * {@code await} at once, calls under way end before the descriptor does, and calls after it answer {@code -EBADF}.
 * None of these allocates. A device that nobody made persistent leaves the machine with its last descriptor.
 *
 * <p>Answers are counts, or the negative errno of Linux. Worth knowing: {@code EAGAIN} nothing to read;
 * {@code EIO} on writing while the host's end is down; {@code EBADFD} the device was deleted from outside.
 *
 * <p><b>Locking key.</b>
 * <ul>
 * <li>(c) constant
 * <li>(l) written under {@code lock} while no user is inside; read by users, ordered by {@code users}
 * <li>(r) the reader
 * <li>(v) accessed through {@link #USERS}
 * </ul>
 */
public final class TapDevice implements AutoCloseable {
    /** In the answer of {@link #await}: a read will not answer EAGAIN; it brings a frame, or the device's error. */
    public static final int READABLE = 1;
    /** In the answer of {@link #await}: somebody called {@link #wake} or {@link #close} since the last time. */
    public static final int WOKEN = 2;

    private static final String CLONE_DEVICE = "/dev/net/tun";
    private static final int CLOSED = Integer.MIN_VALUE;
    private static final int NO_FD = -1;
    private static final VarHandle USERS;

    static {
        try {
            USERS = MethodHandles.lookup().findVarHandle(TapDevice.class, "users", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final LibC control = new LibC(); // (l)
    private final LibC reader = new LibC(); // (r)
    private final LibC writer = new LibC(); // (c) the writer's
    private final MemorySegment fds; // (r) two pollfd: the device, the event counter
    private final MemorySegment deviceFd; // (r) the first of them
    private final MemorySegment wakeFd; // (r) the second
    private final MemorySegment drained; // (r) where the counter is read to
    private final MemorySegment one; // (c) what is added to the counter

    private String name; // (l)
    private int tap = NO_FD; // (l)
    private int event = NO_FD; // (l)
    @SuppressWarnings("unused")
    private volatile int users = CLOSED; // (v) calls inside the device; the sign bit while it is not open

    /** A device that is not open yet. */
    public TapDevice() {
        Arena arena = Arena.ofAuto();
        fds = pollfd.allocateArray(2, arena);
        deviceFd = pollfd.asSlice(fds, 0).asSlice(0, pollfd.sizeof());
        wakeFd = pollfd.asSlice(fds, 1).asSlice(0, pollfd.sizeof());
        drained = arena.allocate(ValueLayout.JAVA_LONG);
        one = arena.allocateFrom(ValueLayout.JAVA_LONG, 1L);
    }

    /**
     * Attaches to the device of that name in the calling thread's network namespace, making it first if need be.
     *
     * @return 0; or the negative errno, with nothing left behind: {@code EPERM} no right to it, {@code EBUSY} the name
     *         is held by another program or this object is open, {@code EINVAL} the name is that of another sort of
     *         device or an option is not known here, {@code ENOENT} or {@code ENODEV} no {@code /dev/net/tun}
     */
    public int open(TapOptions options) {
        lock.lock();
        try {
            if (tap != NO_FD) {
                return -Linux.EBUSY();
            }
            int error = openLocked(options);
            if (error < 0) {
                closeDescriptorsLocked();
                return error;
            }
            pollfd.fd(deviceFd, tap);
            pollfd.events(deviceFd, (short) Linux.POLLIN());
            pollfd.fd(wakeFd, event);
            pollfd.events(wakeFd, (short) Linux.POLLIN());
            USERS.setRelease(this, 0);
            return 0;
        } finally {
            lock.unlock();
        }
    }

    private int openLocked(TapOptions options) {
        assert lock.isHeldByCurrentThread();
        event = control.eventfd(0, Linux.EFD_NONBLOCK() | Linux.EFD_CLOEXEC());
        if (event < 0) {
            return event;
        }
        tap = control.open(CLONE_DEVICE, Linux.O_RDWR() | Linux.O_NONBLOCK() | Linux.O_CLOEXEC());
        if (tap < 0) {
            return tap;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment req = ifreq.allocate(arena);
            HostIf.putName(req, options.name());
            ifreq.ifr_ifru.ifru_flags(ifreq.ifr_ifru(req), (short) options.iffFlags());
            int error = control.ioctl(tap, Linux.TUNSETIFF(), req);
            if (error < 0) {
                return error;
            }
            name = HostIf.getName(req);
            if (options.vnetHdrOctets() == 0) {
                return 0;
            }
            error = control.ioctl(tap, Linux.TUNSETVNETHDRSZ(),
                    arena.allocateFrom(Linux.C_INT, options.vnetHdrOctets()));
            // this one takes its flags by value
            return error < 0 ? error : control.ioctl(tap, Linux.TUNSETOFFLOAD(), options.offload());
        }
    }

    /** The name the kernel gave, or null before the first {@link #open}. */
    public String name() {
        lock.lock();
        try {
            return name;
        } finally {
            lock.unlock();
        }
    }

    /** Whether the device is open. */
    public boolean isOpen() {
        return (int) USERS.getAcquire(this) >= 0;
    }

    /**
     * Waits for a frame, a {@link #wake} or the end of the device. Only the reader. Blocks the thread in the kernel.
     *
     * @param timeoutMs milliseconds to wait at most; negative waits for ever, 0 only looks
     * @return {@link #READABLE} and {@link #WOKEN}, each if so; 0 when the time is up or a signal came; a negative
     *         errno, {@code EBADF} once closed
     */
    public int await(int timeoutMs) {
        if (!enter()) {
            return -Linux.EBADF();
        }
        try {
            int n = reader.poll(fds, 2, timeoutMs);
            if (n <= 0) {
                return n == -Linux.EINTR() ? 0 : n;
            }
            int ready = pollfd.revents(deviceFd) != 0 ? READABLE : 0;
            if (pollfd.revents(wakeFd) != 0) {
                reader.read(event, drained, 0, Long.BYTES);
                ready |= WOKEN;
            }
            return ready;
        } finally {
            exit();
        }
    }

    /**
     * Reads one frame, its header in front if there is one. Only the reader.
     *
     * @return its octets; {@code len} also for a frame that was longer, whose rest is lost: give room for the MTU, or
     *         for 64 KiB with an offload
     */
    public int read(MemorySegment seg, long off, int len) {
        if (!enter()) {
            return -Linux.EBADF();
        }
        try {
            return (int) reader.read(tap, seg, off, len);
        } finally {
            exit();
        }
    }

    /** Like {@link #read}, spread over the pieces of {@code iov} in turn. */
    public int readv(IoVec iov) {
        if (!enter()) {
            return -Linux.EBADF();
        }
        try {
            return (int) reader.readv(tap, iov);
        } finally {
            exit();
        }
    }

    /** Writes one frame, its header in front if there is one. Only the writer. Whole or not at all. */
    public int write(MemorySegment seg, long off, int len) {
        if (!enter()) {
            return -Linux.EBADF();
        }
        try {
            return (int) writer.write(tap, seg, off, len);
        } finally {
            exit();
        }
    }

    /** Like {@link #write}, gathered from the pieces of {@code iov} in turn. */
    public int writev(IoVec iov) {
        if (!enter()) {
            return -Linux.EBADF();
        }
        try {
            return (int) writer.writev(tap, iov);
        } finally {
            exit();
        }
    }

    /** Makes the reader's {@link #await}, this one or else the next, return with {@link #WOKEN}. Any thread. */
    public void wake() {
        if (enter()) {
            try {
                addToEvent();
            } finally {
                exit();
            }
        }
    }

    /**
     * Wakes the reader, waits for the calls inside to end, which they do at once, and closes. When it returns the
     * device has gone from the machine (unless persistent or held by others) and no buffer is in use. Any thread, any
     * number of times. The object may be opened again.
     */
    @Override
    public void close() {
        lock.lock();
        try {
            if (tap == NO_FD) {
                return;
            }
            USERS.getAndBitwiseOr(this, CLOSED);
            addToEvent();
            while ((int) USERS.getAcquire(this) != CLOSED) {
                Thread.yield();
            }
            closeDescriptorsLocked();
        } finally {
            lock.unlock();
        }
    }

    private void closeDescriptorsLocked() {
        assert lock.isHeldByCurrentThread();
        if (tap >= 0) {
            control.close(tap);
        }
        if (event >= 0) {
            control.close(event);
        }
        tap = NO_FD;
        event = NO_FD;
    }

    /** The one thing that can go wrong is a full counter, and then the reader is being woken already. */
    private void addToEvent() {
        Linux.write(event, one, Long.BYTES);
    }

    private boolean enter() {
        int seen = (int) USERS.getAcquire(this);
        while (seen >= 0) {
            int witness = (int) USERS.compareAndExchange(this, seen, seen + 1);
            if (witness == seen) {
                return true;
            }
            seen = witness;
        }
        return false;
    }

    private void exit() {
        USERS.getAndAdd(this, -1);
    }
}
