package io.gatun.spi.sys;

/**
 * The outcome of a call inside the stack, with FreeBSD's numbers. {@link #OK} is success, so a method that can only
 * succeed or fail returns an {@code Errno}; one that returns a count returns {@code -errno.code()} on failure.
 *
 * @bsd errno
 * @see <a href="https://man.freebsd.org/errno/2">errno(2)</a>
 */
public enum Errno {
    OK(0, "No error"),
    EPERM(1, "Operation not permitted"),
    ENOENT(2, "No such file or directory"),
    EINTR(4, "Interrupted system call"),
    EIO(5, "Input/output error"),
    ENXIO(6, "Device not configured"),
    EBADF(9, "Bad file descriptor"),
    ENOMEM(12, "Cannot allocate memory"),
    EACCES(13, "Permission denied"),
    EFAULT(14, "Bad address"),
    EBUSY(16, "Device busy"),
    EEXIST(17, "File exists"),
    ENODEV(19, "Operation not supported by device"),
    EINVAL(22, "Invalid argument"),
    ENFILE(23, "Too many open files in system"),
    EMFILE(24, "Too many open files"),
    ENOTTY(25, "Inappropriate ioctl for device"),
    EPIPE(32, "Broken pipe"),
    EDOM(33, "Numerical argument out of domain"),
    ERANGE(34, "Result too large"),
    /** Also EWOULDBLOCK: the call would have had to wait. */
    EAGAIN(35, "Resource temporarily unavailable"),
    EINPROGRESS(36, "Operation now in progress"),
    EALREADY(37, "Operation already in progress"),
    ENOTSOCK(38, "Socket operation on non-socket"),
    EDESTADDRREQ(39, "Destination address required"),
    EMSGSIZE(40, "Message too long"),
    EPROTOTYPE(41, "Protocol wrong type for socket"),
    ENOPROTOOPT(42, "Protocol not available"),
    EPROTONOSUPPORT(43, "Protocol not supported"),
    ESOCKTNOSUPPORT(44, "Socket type not supported"),
    EOPNOTSUPP(45, "Operation not supported"),
    EPFNOSUPPORT(46, "Protocol family not supported"),
    EAFNOSUPPORT(47, "Address family not supported by protocol family"),
    EADDRINUSE(48, "Address already in use"),
    EADDRNOTAVAIL(49, "Can't assign requested address"),
    ENETDOWN(50, "Network is down"),
    ENETUNREACH(51, "Network is unreachable"),
    ENETRESET(52, "Network dropped connection on reset"),
    ECONNABORTED(53, "Software caused connection abort"),
    ECONNRESET(54, "Connection reset by peer"),
    ENOBUFS(55, "No buffer space available"),
    EISCONN(56, "Socket is already connected"),
    ENOTCONN(57, "Socket is not connected"),
    ESHUTDOWN(58, "Can't send after socket shutdown"),
    ETIMEDOUT(60, "Operation timed out"),
    ECONNREFUSED(61, "Connection refused"),
    ELOOP(62, "Too many levels of symbolic links"),
    ENAMETOOLONG(63, "File name too long"),
    EHOSTDOWN(64, "Host is down"),
    EHOSTUNREACH(65, "No route to host"),
    EUSERS(68, "Too many users"),
    ENOSYS(78, "Function not implemented"),
    EOVERFLOW(84, "Value too large to be stored in data type"),
    ECANCELED(85, "Operation canceled"),
    EPROTO(92, "Protocol error");

    private static final Errno[] BY_CODE = byCode();

    private final int code;
    private final String text;

    Errno(final int code, final String text) {
        this.code = code;
        this.text = text;
    }

    /** FreeBSD's number of this error; 0 for {@link #OK}. */
    public int code() {
        return code;
    }

    /** What strerror(3) says, in English. */
    public String text() {
        return text;
    }

    /**
     * The error behind a code or behind a negative result.
     *
     * @param code an errno number or its negation
     * @return the error; {@link #EIO} for a number that the stack does not use
     */
    public static Errno of(final int code) {
        final int n = Math.abs(code);
        final Errno e = n < BY_CODE.length ? BY_CODE[n] : null;
        return e == null ? EIO : e;
    }

    private static Errno[] byCode() {
        final Errno[] all = new Errno[PROTO_CODE + 1];
        for (final Errno e : values()) {
            all[e.code] = e;
        }
        return all;
    }

    private static final int PROTO_CODE = 92;
}
