package io.gatun.uipc;

import io.gatun.spi.ifnet.IfnetTable;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.Domain;
import io.gatun.spi.socket.DomainTable;
import io.gatun.spi.socket.IpprotoTable;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.sys.CounterSet;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.Witness;
import io.gatun.spi.vnet.Callout;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.NetisrHandler;
import io.gatun.spi.vnet.SwiTask;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** As much of a vnet as sockets need: a pool, sysctls, domains, and a netisr that runs tasks. */
final class TestVnet implements VnetSide {
    private final MbufPool pool;
    private final LockStrategy strategy;
    private final boolean threaded;
    private final CounterSet counters;
    private final Map<Class<?>, Object> services = new ConcurrentHashMap<>();
    private final Isr isr = new Isr();
    private final Tree tree = new Tree();
    private final Domains domains = new Domains();

    TestVnet(final LockStrategy strategy, final boolean threaded) {
        this(strategy, threaded, MbufPool.builder().small().build());
    }

    TestVnet(final LockStrategy strategy, final boolean threaded, final MbufPool pool) {
        this.strategy = strategy;
        this.threaded = threaded;
        this.pool = pool;
        this.counters = new CounterSet(threaded);
        domains.add(new PairDomain());
    }

    PairDomain pair() {
        return (PairDomain) domains.find(PairDomain.AF_PAIR);
    }

    Sockets sockets() {
        return Sockets.of(this);
    }

    /** Everything given back: no socket, no mbuf, no broken count. */
    void checkWhole() {
        isr.swi();
        if (sockets().numOpen() != 0 || pool.outstanding() != 0) {
            throw new AssertionError(sockets().numOpen() + " sockets, mbufs: " + pool.leakReport());
        }
        pool.check();
    }

    @Override
    public String name() {
        return "test";
    }

    @Override
    public Clock clock() {
        return Clock.SYSTEM;
    }

    @Override
    public RandomGenerator random() {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] secret() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ClassLoader classLoader() {
        return null;
    }

    @Override
    public MbufPool pool() {
        return pool;
    }

    @Override
    public IfnetTable ifnets() {
        throw new UnsupportedOperationException();
    }

    @Override
    public DomainTable domains() {
        return domains;
    }

    @Override
    public IpprotoTable ipproto() {
        throw new UnsupportedOperationException();
    }

    @Override
    public SysctlTree sysctl() {
        return tree;
    }

    @Override
    public Netisr netisr() {
        return isr;
    }

    @Override
    public CounterSet counters() {
        return counters;
    }

    @Override
    public LockStrategy lockStrategy() {
        return strategy;
    }

    @Override
    public void uncaught(final Throwable t) {
        throw new AssertionError("there is no thread", t);
    }

    @Override
    public boolean threaded() {
        return threaded;
    }

    @Override
    public Callout callout(final String name, final Mtx lock, final Runnable handler) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void drop(final Mbuf m, final DropReason reason) {
        if (m != null) {
            m.freeChain();
        }
    }

    @Override
    public void onLowmem(final Runnable drain) {
        // no protocol here holds anything it could spare
    }

    @Override
    public long drops(final DropReason reason) {
        return 0;
    }

    @Override
    public <T> void provide(final Class<T> type, final T service) {
        if (services.putIfAbsent(type, service) != null) {
            throw new IllegalStateException("taken: " + type);
        }
    }

    @Override
    public <T> T service(final Class<T> type) {
        return type.cast(services.get(type));
    }

    private static final class Isr implements Netisr {
        private final ConcurrentLinkedQueue<SwiTask> tasks = new ConcurrentLinkedQueue<>();
        private final AtomicBoolean running = new AtomicBoolean();

        @Override
        public Errno register(final int proto, final String name, final int policy, final NetisrHandler handler) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void unregister(final int proto) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Errno dispatch(final int proto, final Mbuf m) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Errno queue(final int proto, final Mbuf m) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void schedule(final SwiTask task) {
            if (task.claim()) {
                tasks.add(task);
            }
        }

        @Override
        public void swi() {
            assert Witness.safePoint();
            while (!tasks.isEmpty() && running.compareAndSet(false, true)) {
                try {
                    SwiTask t = tasks.poll();
                    while (t != null) {
                        t.runClaimed();
                        t = tasks.poll();
                    }
                } finally {
                    running.set(false);
                }
            }
        }

        @Override
        public boolean pending() {
            return !tasks.isEmpty();
        }

        @Override
        public void link(final Netisr other) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void unlink(final Netisr other) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int qlimit(final int proto) {
            return 0;
        }

        @Override
        public Errno setQlimit(final int proto, final int packets) {
            return Errno.ENOENT;
        }
    }

    private static final class Tree implements SysctlTree {
        private final Map<String, Sysctl> nodes = new TreeMap<>();

        private synchronized Sysctl add(
            final String name, final Sysctl.Type type, final long initial, final Sysctl.Check check) {
            final Sysctl s = nodes.computeIfAbsent(name, n -> new Sysctl(n, type, true, "", check));
            s.set(initial);
            return s;
        }

        @Override
        public Sysctl addInt(final String name, final int initial, final String description) {
            return add(name, Sysctl.Type.INT, initial, null);
        }

        @Override
        public Sysctl addInt(
            final String name, final int initial, final int min, final int max, final String description) {
            return add(name, Sysctl.Type.INT, initial, v -> v >= min && v <= max);
        }

        @Override
        public Sysctl addProc(
            final String name, final int initial, final Sysctl.Check check, final String description) {
            return add(name, Sysctl.Type.INT, initial, check);
        }

        @Override
        public Sysctl addLong(final String name, final long initial, final String description) {
            return add(name, Sysctl.Type.LONG, initial, null);
        }

        @Override
        public Sysctl addBool(final String name, final boolean initial, final String description) {
            return add(name, Sysctl.Type.BOOL, initial ? 1 : 0, null);
        }

        @Override
        public Sysctl addString(final String name, final String initial, final String description) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Sysctl addString(final String name, final String initial, final String what,
            final Predicate<String> check) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Sysctl addTunable(
            final String name, final int initial, final Sysctl.Check check, final String description) {
            return add(name, Sysctl.Type.INT, initial, check);
        }

        @Override
        public void addWriteOnly(final String name, final Predicate<String> handler, final String description) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void addText(final String name, final Supplier<String> text, final String description) {
            // nobody reads
        }

        @Override
        public void addReading(final String name, final LongSupplier reading, final String description) {
            // nobody reads
        }

        @Override
        public Sysctl find(final String name) {
            return nodes.get(name);
        }

        @Override
        public Errno set(final String name, final String text) {
            return nodes.get(name).set(Long.parseLong(text)) ? Errno.OK : Errno.EINVAL;
        }

        @Override
        public void forEach(final Consumer<Sysctl> visitor) {
            nodes.values().forEach(visitor);
        }
    }

    private final class Domains implements DomainTable {
        private final List<Domain> all = new ArrayList<>();

        @Override
        public Errno add(final Domain domain) {
            all.add(domain);
            return domain.init(TestVnet.this);
        }

        @Override
        public Domain find(final int family) {
            return all.stream().filter(d -> d.family() == family).findFirst().orElse(null);
        }

        @Override
        public Protosw findType(final int family, final int type) {
            return find(family) == null ? null
                : find(family).protosw().stream().filter(p -> p.type() == type).findFirst().orElse(null);
        }

        @Override
        public Protosw findProto(final int family, final int protocol, final int type) {
            return find(family) == null ? null
                : find(family).protosw().stream().filter(p -> p.protocol() == protocol).findFirst().orElse(null);
        }

        @Override
        public Errno register(final int family, final Protosw pr) {
            return Errno.EPFNOSUPPORT;
        }

        @Override
        public Errno unregister(final int family, final Protosw pr) {
            return Errno.EPFNOSUPPORT;
        }

        @Override
        public List<Domain> all() {
            return all;
        }
    }
}
