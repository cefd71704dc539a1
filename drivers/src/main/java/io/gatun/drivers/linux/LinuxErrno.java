package io.gatun.drivers.linux;

import io.gatun.spi.sys.Errno;

/** From the error numbers of Linux to the stack's own errors, which have FreeBSD's numbers. */
public final class LinuxErrno {
    private static final Errno[] BY_NUMBER = byNumber();

    private LinuxErrno() {
    }

    /**
     * The error of the same name, or the nearest the stack has; {@code EIO} for what it has no word for.
     *
     * @param result what a call of this package answered: a negative errno of Linux, or success
     * @return {@link Errno#OK} if {@code result} is not negative
     */
    public static Errno of(long result) {
        if (result >= 0) {
            return Errno.OK;
        }
        Errno errno = result > -BY_NUMBER.length ? BY_NUMBER[(int) -result] : null;
        return errno == null ? Errno.EIO : errno;
    }

    private static Errno[] byNumber() {
        Errno[] table = new Errno[Linux.ENOBUFS() + 1];
        table[Linux.EPERM()] = Errno.EPERM;
        table[Linux.ENOENT()] = Errno.ENOENT;
        table[Linux.EINTR()] = Errno.EINTR;
        table[Linux.EIO()] = Errno.EIO;
        table[Linux.ENXIO()] = Errno.ENXIO;
        table[Linux.EBADF()] = Errno.EBADF;
        table[Linux.EAGAIN()] = Errno.EAGAIN;
        table[Linux.ENOMEM()] = Errno.ENOMEM;
        table[Linux.EACCES()] = Errno.EACCES;
        table[Linux.EFAULT()] = Errno.EFAULT;
        table[Linux.EBUSY()] = Errno.EBUSY;
        table[Linux.EEXIST()] = Errno.EEXIST;
        table[Linux.ENODEV()] = Errno.ENODEV;
        table[Linux.EINVAL()] = Errno.EINVAL;
        table[Linux.ENFILE()] = Errno.ENFILE;
        table[Linux.EMFILE()] = Errno.EMFILE;
        table[Linux.ENOTTY()] = Errno.ENOTTY;
        table[Linux.EPIPE()] = Errno.EPIPE;
        table[Linux.ENAMETOOLONG()] = Errno.ENAMETOOLONG;
        table[Linux.EMSGSIZE()] = Errno.EMSGSIZE;
        table[Linux.EOPNOTSUPP()] = Errno.EOPNOTSUPP;
        table[Linux.EADDRINUSE()] = Errno.EADDRINUSE;
        table[Linux.EADDRNOTAVAIL()] = Errno.EADDRNOTAVAIL;
        table[Linux.ENETDOWN()] = Errno.ENETDOWN;
        table[Linux.ENETUNREACH()] = Errno.ENETUNREACH;
        table[Linux.ENOBUFS()] = Errno.ENOBUFS;
        // the device went away under its descriptor
        table[Linux.EBADFD()] = Errno.ENXIO;
        return table;
    }
}
