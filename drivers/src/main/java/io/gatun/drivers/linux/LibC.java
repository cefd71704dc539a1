package io.gatun.drivers.linux;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * System calls that answer like the kernel's own entry: a count or zero, or the negative errno of Linux.
 *
 * <p><b>Threads.</b> Calls through one instance share one slot for errno, so an instance belongs to one thread at a
 * time (a driver agent has its own, a path under a lock has its own). Any of these calls may block, and blocks the
 * carrier of a virtual thread with it: wait on platform threads.
 *
 * <p><b>Memory.</b> No call here allocates once it is warm, except those that take a {@code String}. To that end
 * addresses cross as plain numbers rather than as slices. The bounds are checked here and the segment stays reachable
 * through the call, but nothing holds its arena open: the caller must not close an arena while a call uses it.
 */
public final class LibC {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET = STATE.byteOffset(PathElement.groupElement("errno"));

    private static final MethodHandle READ = handle(Linux.read$address(), Linux.read$descriptor());
    private static final MethodHandle WRITE = handle(Linux.write$address(), Linux.write$descriptor());
    private static final MethodHandle READV = handle(Linux.readv$address(), Linux.readv$descriptor());
    private static final MethodHandle WRITEV = handle(Linux.writev$address(), Linux.writev$descriptor());
    private static final MethodHandle POLL = handle(Linux.poll$address(), Linux.poll$descriptor());
    private static final MethodHandle CLOSE = handle(Linux.close$address(), Linux.close$descriptor());
    private static final MethodHandle EVENTFD = handle(Linux.eventfd$address(), Linux.eventfd$descriptor());
    private static final MethodHandle SOCKET = handle(Linux.socket$address(), Linux.socket$descriptor());
    private static final MethodHandle UNSHARE = handle(Linux.unshare$address(), Linux.unshare$descriptor());
    private static final MethodHandle OPEN = variadic(Linux.open.address(),
            Linux.open.makeInvoker(Linux.C_INT).descriptor(), 2);
    private static final MethodHandle FCNTL = variadic(Linux.fcntl.address(),
            Linux.fcntl.makeInvoker(Linux.C_LONG).descriptor(), 2);
    private static final MethodHandle IOCTL = variadic(Linux.ioctl.address(),
            Linux.ioctl.makeInvoker(Linux.C_LONG).descriptor(), 2);

    private final MemorySegment state = Arena.ofAuto().allocate(STATE);

    /** Opens {@code path} with O_* {@code flags}. No file is ever created, so there is no mode. Allocates. */
    public int open(String path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            return outcome((int) OPEN.invokeExact(state, arena.allocateFrom(path).address(), flags, 0));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Closes {@code fd}. Whatever the answer, the descriptor is gone: never call it again, not even after EINTR. */
    public int close(int fd) {
        try {
            return outcome((int) CLOSE.invokeExact(state, fd));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Reads up to {@code len} octets into {@code seg} at {@code off}. */
    public long read(int fd, MemorySegment seg, long off, long len) {
        long address = writableAddress(seg, off, len);
        try {
            return outcome((long) READ.invokeExact(state, fd, address, len));
        } catch (Throwable t) {
            throw unexpected(t);
        } finally {
            Reference.reachabilityFence(seg);
        }
    }

    /** Writes up to {@code len} octets of {@code seg} from {@code off}. */
    public long write(int fd, MemorySegment seg, long off, long len) {
        long address = address(seg, off, len);
        try {
            return outcome((long) WRITE.invokeExact(state, fd, address, len));
        } catch (Throwable t) {
            throw unexpected(t);
        } finally {
            Reference.reachabilityFence(seg);
        }
    }

    /** Reads into the pieces of {@code iov}, filling each before the next. */
    public long readv(int fd, IoVec iov) {
        try {
            return outcome((long) READV.invokeExact(state, fd, iov.address(), iov.count()));
        } catch (Throwable t) {
            throw unexpected(t);
        } finally {
            Reference.reachabilityFence(iov);
        }
    }

    /** Writes the pieces of {@code iov} as one run of octets. */
    public long writev(int fd, IoVec iov) {
        try {
            return outcome((long) WRITEV.invokeExact(state, fd, iov.address(), iov.count()));
        } catch (Throwable t) {
            throw unexpected(t);
        } finally {
            Reference.reachabilityFence(iov);
        }
    }

    /**
     * Waits until one of the first {@code n} {@link pollfd} structures in {@code fds} has something to tell.
     *
     * @param timeoutMs milliseconds to wait at most; negative waits for ever, 0 only looks
     * @return how many have something, 0 when the time is up, or a negative errno ({@code EINTR} after a signal)
     */
    public int poll(MemorySegment fds, int n, int timeoutMs) {
        long address = writableAddress(fds, 0, n * pollfd.sizeof());
        try {
            return outcome((int) POLL.invokeExact(state, address, (long) n, timeoutMs));
        } catch (Throwable t) {
            throw unexpected(t);
        } finally {
            Reference.reachabilityFence(fds);
        }
    }

    /** An ioctl whose argument is a number. */
    public int ioctl(int fd, long request, long arg) {
        try {
            return outcome((int) IOCTL.invokeExact(state, fd, request, arg));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** An ioctl whose argument is a structure; the caller answers for its being as large as the request says. */
    public int ioctl(int fd, long request, MemorySegment arg) {
        try {
            return ioctl(fd, request, writableAddress(arg, 0, arg.byteSize()));
        } finally {
            Reference.reachabilityFence(arg);
        }
    }

    /** An fcntl whose argument is a number or missing (then 0). */
    public int fcntl(int fd, int command, long arg) {
        try {
            return outcome((int) FCNTL.invokeExact(state, fd, command, arg));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** A new event counter that starts at {@code initial}; {@code flags} are EFD_*. */
    public int eventfd(int initial, int flags) {
        try {
            return outcome((int) EVENTFD.invokeExact(state, initial, flags));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** A new socket of the machine (not of this stack). */
    public int socket(int domain, int type, int protocol) {
        try {
            return outcome((int) SOCKET.invokeExact(state, domain, type, protocol));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /**
     * Takes the calling thread, and it alone, out of what it shares with the rest of the process: after
     * {@code CLONE_NEWNET} the devices and sockets it opens are in a network namespace of their own.
     */
    public int unshare(int flags) {
        try {
            return outcome((int) UNSHARE.invokeExact(state, flags));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private int outcome(int result) {
        return result >= 0 ? result : -errno();
    }

    private long outcome(long result) {
        return result >= 0 ? result : -errno();
    }

    private int errno() {
        return state.get(ValueLayout.JAVA_INT, ERRNO_OFFSET);
    }

    private static long writableAddress(MemorySegment seg, long off, long len) {
        if (seg.isReadOnly()) {
            throw new IllegalArgumentException("the kernel would write into a read-only segment: " + seg);
        }
        return address(seg, off, len);
    }

    static long address(MemorySegment seg, long off, long len) {
        Objects.checkFromIndexSize(off, len, seg.byteSize());
        if (!seg.isNative()) {
            throw new IllegalArgumentException("the kernel cannot reach a heap segment: " + seg);
        }
        assert seg.scope().isAlive() : "the arena is closed: " + seg;
        return seg.address() + off;
    }

    private static MethodHandle handle(MemorySegment function, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(function, addressesAsNumbers(descriptor), CAPTURE_ERRNO);
    }

    private static MethodHandle variadic(MemorySegment function, FunctionDescriptor descriptor, int fixed) {
        return LINKER.downcallHandle(function, addressesAsNumbers(descriptor), CAPTURE_ERRNO,
                Linker.Option.firstVariadicArg(fixed));
    }

    /** The same call with every pointer argument an integer of that width: both travel in the same registers. */
    private static FunctionDescriptor addressesAsNumbers(FunctionDescriptor descriptor) {
        MemoryLayout[] arguments = descriptor.argumentLayouts().stream()
                .map(layout -> layout instanceof AddressLayout ? Linux.C_LONG : layout)
                .toArray(MemoryLayout[]::new);
        return descriptor.returnLayout()
                .map(result -> FunctionDescriptor.of(result, arguments))
                .orElseGet(() -> FunctionDescriptor.ofVoid(arguments));
    }

    /** A downcall declares Throwable; none but unchecked ones can come. */
    private static RuntimeException unexpected(Throwable t) {
        return switch (t) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            default -> new IllegalStateException("a system call threw", t);
        };
    }
}
