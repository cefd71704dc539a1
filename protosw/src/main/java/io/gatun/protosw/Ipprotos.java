package io.gatun.protosw;

import io.gatun.spi.socket.IpprotoTable;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;

/**
 * Transport protocols by number. Each change publishes a new table, so input looks a protocol up without a lock.
 *
 * <p>Locking key: (p) written under {@code this}, published by a volatile write, never changed in place.
 *
 * @bsd ip_protox
 */
final class Ipprotos implements IpprotoTable {
    private static final int PROTOS = 256;
    private static final int RAW = 255;

    private static final class Family {
        private final Input[] input;
        private final Ctlinput[] ctlinput;

        Family(Input[] input, Ctlinput[] ctlinput) {
            this.input = input;
            this.ctlinput = ctlinput;
        }

        Family with(int proto, Input in, Ctlinput ctl) {
            Family f = new Family(input.clone(), ctlinput.clone());
            f.input[proto] = in;
            f.ctlinput[proto] = ctl;
            return f;
        }
    }

    private volatile Family inet = new Family(new Input[PROTOS], new Ctlinput[PROTOS]);  // (p)
    private volatile Family inet6 = new Family(new Input[PROTOS], new Ctlinput[PROTOS]); // (p)

    private Family of(int family) {
        return family == SockAddr.AF_INET6 ? inet6 : inet;
    }

    private static boolean known(int family) {
        return family == SockAddr.AF_INET || family == SockAddr.AF_INET6;
    }

    @Override
    public synchronized Errno register(int family, int proto, Input input, Ctlinput ctlinput) {
        if (!known(family)) {
            return Errno.EPFNOSUPPORT;
        }
        if (proto < 1 || proto > RAW || input == null) {
            return Errno.EPROTONOSUPPORT;
        }
        if (of(family).input[proto] != null) {
            return Errno.EEXIST;
        }
        publish(family, of(family).with(proto, input, ctlinput));
        return Errno.OK;
    }

    @Override
    public synchronized Errno unregister(int family, int proto) {
        if (!known(family)) {
            return Errno.EPFNOSUPPORT;
        }
        if (proto < 1 || proto > RAW) {
            return Errno.EPROTONOSUPPORT;
        }
        if (of(family).input[proto] == null) {
            return Errno.ENOENT;
        }
        publish(family, of(family).with(proto, null, null));
        return Errno.OK;
    }

    private void publish(int family, Family table) {
        if (family == SockAddr.AF_INET6) {
            inet6 = table;
        } else {
            inet = table;
        }
    }

    @Override
    public Input input(int family, int proto) {
        return of(family).input[proto];
    }

    @Override
    public Ctlinput ctlinput(int family, int proto) {
        return of(family).ctlinput[proto];
    }
}
