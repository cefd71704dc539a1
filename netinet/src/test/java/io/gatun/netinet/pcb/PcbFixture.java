package io.gatun.netinet.pcb;

import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.TreeMap;

/** A table of control blocks over stand-ins for everything around it: addresses 10.0.0.1, 10.0.0.2 and 127.0.0.1. */
final class PcbFixture {
    static final int A1 = 0x0a000001;
    static final int A2 = 0x0a000002;
    static final int PEER = 0x0a0000fe;
    /** 2001:db8::, high word. */
    static final long GLOBAL = 0x20010db8_00000000L;
    static final Ucred USER = new Ucred(1001, 1001, "user");
    static final Ucred OTHER = new Ucred(1002, 1002, "other");

    /** What a test may set of a socket. */
    static final class Sock {
        int options;
        int type = SocketDefs.SOCK_DGRAM;
        boolean listening;
        Ucred cred = Ucred.ROOT;
        Object pcb;
        final Mtx lock = new Mtx(LockClass.INPCB, "inp");
        final SocketSide side = (SocketSide) Proxy.newProxyInstance(
            PcbFixture.class.getClassLoader(), new Class<?>[] {SocketSide.class}, (p, m, a) -> call(m.getName(), a));

        private Object call(final String name, final Object[] a) {
            return switch (name) {
                case "pcbLock" -> lock;
                case "cred" -> cred;
                case "options" -> options;
                case "type" -> type;
                case "listening" -> listening;
                case "fibnum" -> 0;
                case "pcb" -> pcb;
                case "setPcb" -> {
                    pcb = a[0];
                    yield null;
                }
                default -> throw new UnsupportedOperationException(name);
            };
        }
    }

    final Map<String, Sysctl> nodes = new TreeMap<>();
    final InpcbInfo info;

    PcbFixture(final int protocol, final long seed) {
        final byte[] secret = new byte[32];
        new java.util.Random(seed).nextBytes(secret);
        final SysctlTree tree = (SysctlTree) Proxy.newProxyInstance(
            PcbFixture.class.getClassLoader(), new Class<?>[] {SysctlTree.class}, (p, m, a) -> node(a));
        final VnetSide vnet = (VnetSide) Proxy.newProxyInstance(
            PcbFixture.class.getClassLoader(), new Class<?>[] {VnetSide.class},
            (p, m, a) -> switch (m.getName()) {
                case "secret" -> secret;
                case "threaded" -> true;
                default -> tree;
            });
        info = new InpcbInfo(vnet, protocol, new Addrs());
        info.setIp6(new Addrs6(), node(new Object[] {"net.inet6.ip6.v6only", true}));
    }

    private Sysctl node(final Object[] a) {
        return nodes.computeIfAbsent((String) a[0], name -> {
            final Sysctl s = new Sysctl(name, Sysctl.Type.INT, true, "", null);
            s.set(a[1] instanceof Boolean b ? (b ? 1 : 0) : (Integer) a[1]);
            return s;
        });
    }

    void set(final String portrange, final long value) {
        nodes.get("net.inet.ip.portrange." + portrange).set(value);
    }

    Inpcb pcb(final int options) {
        return pcb(options, SocketDefs.SOCK_DGRAM, Ucred.ROOT);
    }

    Inpcb pcb(final int options, final int type, final Ucred cred) {
        final Sock so = new Sock();
        so.options = options;
        so.type = type;
        so.cred = cred;
        return info.alloc(so.side, SockAddr.AF_INET);
    }

    Inpcb pcb6(final int options, final boolean v6only) {
        final Sock so = new Sock();
        so.options = options;
        final Inpcb inp = info.alloc(so.side, SockAddr.AF_INET6);
        if (!v6only) {
            inp.lock.lock();
            try {
                inp.setV6only(false);
            } finally {
                inp.lock.unlock();
            }
        }
        return inp;
    }

    static Errno bind(final Inpcb inp, final SockAddr nam) {
        inp.lock.lock();
        try {
            return inp.bind(nam, inp.cred);
        } finally {
            inp.lock.unlock();
        }
    }

    static Errno connect(final Inpcb inp, final SockAddr nam) {
        inp.lock.lock();
        try {
            return inp.connect(nam, inp.cred);
        } finally {
            inp.lock.unlock();
        }
    }

    static Errno bind(final Inpcb inp, final int addr, final int port) {
        inp.lock.lock();
        try {
            return inp.bind(SockAddr.in(addr, port), inp.cred);
        } finally {
            inp.lock.unlock();
        }
    }

    static Errno connect(final Inpcb inp, final int addr, final int port) {
        inp.lock.lock();
        try {
            return inp.connect(SockAddr.in(addr, port), inp.cred);
        } finally {
            inp.lock.unlock();
        }
    }

    static void disconnect(final Inpcb inp) {
        inp.lock.lock();
        try {
            inp.disconnect();
        } finally {
            inp.lock.unlock();
        }
    }

    static void flag(final Inpcb inp, final int bits) {
        inp.lock.lock();
        try {
            inp.setFlagBits(bits, 0);
        } finally {
            inp.lock.unlock();
        }
    }

    static void free(final Inpcb inp) {
        inp.lock.lock();
        try {
            inp.free();
        } finally {
            inp.lock.unlock();
        }
    }

    Inpcb find(final int faddr, final int fport, final int laddr, final int lport) {
        return info.lookup4(faddr, fport, laddr, lport, InpcbInfo.INPLOOKUP_WILDCARD);
    }

    private static final class Addrs implements PcbAddrs {
        @Override
        public boolean local(final SockAddr a) {
            return a.in4() == A1 || a.in4() == A2 || a.in4() == SockAddr.INADDR_LOOPBACK;
        }

        @Override
        public void foreign(final SockAddr dst) {
            if (dst.isAny()) {
                dst.setIn(A1, dst.port());
            }
        }

        @Override
        public Errno source(
            final Inpcb inp, final SockAddr dst, final int fib, final RouteCache ro, final SockAddr src) {
            if (dst.in4() >>> 24 == 99) {
                return Errno.EHOSTUNREACH;
            }
            src.setIn(A1, 0);
            return Errno.OK;
        }
    }

    /** 2001:db8::1 and ::1 are here, and all of fe80::1 in any zone. */
    private static final class Addrs6 implements PcbAddrs {
        @Override
        public boolean local(final SockAddr a) {
            return a.lo() == 1 && (a.hi() == GLOBAL || a.hi() == 0 || io.gatun.netinet.ip6.In6.isLinkLocal(a.hi()));
        }

        @Override
        public void foreign(final SockAddr dst) {
            if (dst.isAny()) {
                dst.setIn6(0, 1, dst.port(), 0);
            }
        }

        @Override
        public Errno source(
            final Inpcb inp, final SockAddr dst, final int fib, final RouteCache ro, final SockAddr src) {
            final boolean link = io.gatun.netinet.ip6.In6.isLinkLocal(dst.hi());
            src.setIn6(link ? dst.hi() : GLOBAL, 1, 0, 0);
            return Errno.OK;
        }
    }
}
