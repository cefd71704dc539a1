package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.api.SocketFile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * The vnets of one test, which share a pool. Without threads they share a virtual clock too, and the test's thread
 * drives them. Closing it checks that the pool is whole and, the vnets being strict, that no callout is armed.
 */
final class Bed implements AutoCloseable {
    /** A cable that carries whole frames and computes their checksums. */
    static final Epair.Config ETHERNET = new Epair.Config(1500, 4096, true, false);
    static final int PORT = 5001;

    private static final String POOL = "bed";
    private static final long PATIENCE_S = 60;

    private static final int NMBUFS = 1 << 15;
    private static final int CLUSTERS_2K = 1 << 14;
    private static final int CLUSTERS_4K = 1 << 11;
    private static final int CLUSTERS_16K = 1 << 11;

    final VirtualClock clock = new VirtualClock();
    final MbufPool pool;
    final boolean threads;
    private final LockStrategy strategy;
    private final long seed;
    private final Map<String, String> sysctls = new TreeMap<>();
    private final List<Vnet> vnets = new ArrayList<>();
    private int cables;

    Bed(final LockStrategy strategy, final boolean threads, final long seed) {
        this(strategy, threads, seed, Pools.take(threads ? POOL + " of threads" : POOL, MbufPool.builder()
            .nmbufs(NMBUFS).nmbclusters(CLUSTERS_2K).nmbjumbop(CLUSTERS_4K).nmbjumbo16(CLUSTERS_16K)
            .threads(threads ? 2 : 1)));
    }

    /** With a pool of the test's own. */
    Bed(final LockStrategy strategy, final boolean threads, final long seed, final MbufPool pool) {
        this.strategy = strategy;
        this.threads = threads;
        this.seed = seed;
        this.pool = pool;
        sysctl("net.inet6.ip6.dad_count", "0"); // addresses are ready at once
        sysctl("net.inet6.ip6.auto_linklocal", "0"); // no traffic but the tests'
    }

    /** Without threads. */
    Bed(final long seed) {
        this(LockStrategy.SPLIT, false, seed);
    }

    /** A value that vnets made from now on have in place of a sysctl's default. */
    Bed sysctl(final String node, final String value) {
        sysctls.put(node, value);
        return this;
    }

    Vnet vnet(final String name) {
        final var b = Vnet.builder().name(name).pool(pool).lockStrategy(strategy).strict(true)
            .seed(seed * 31 + vnets.size());
        sysctls.forEach(b::sysctl);
        final Vnet vnet = (threads ? b : b.clock(clock).threads(false)).build();
        vnets.add(vnet);
        return vnet;
    }

    /** A vnet with 127.0.0.1. */
    Vnet loopback() throws ErrnoException {
        final Vnet vnet = vnet("solo");
        final Ifnet lo = vnet.ifnets().create("lo0");
        config(vnet).addAddress(lo, "127.0.0.1/8");
        return vnet;
    }

    /** Two vnets joined by a cable, 10.0.0.1 and 10.0.0.2. */
    Vnet[] pair(final Epair.Config config) throws ErrnoException {
        final Vnet a = vnet("left");
        final Vnet b = vnet("right");
        up(cable(a, b, config), "10.0.0.1/24", "10.0.0.2/24");
        return new Vnet[] {a, b};
    }

    /** Left, router and right: 10.0.1.1 and 10.0.2.1, each with a default route to the router, which is .254. */
    Vnet[] routed(final Epair.Config one, final Epair.Config two) throws ErrnoException {
        final Vnet a = vnet("left");
        final Vnet r = vnet("router");
        final Vnet b = vnet("right");
        up(cable(a, r, one), "10.0.1.1/24", "10.0.1.254/24");
        up(cable(r, b, two), "10.0.2.254/24", "10.0.2.1/24");
        config(r).setForwarding(true);
        config(a).addDefault("10.0.1.254");
        config(b).addDefault("10.0.2.254");
        return new Vnet[] {a, r, b};
    }

    /** A cable whose ends are down. */
    Epair cable(final Vnet a, final Vnet b, final Epair.Config config) throws ErrnoException {
        return Epair.join(a, b, cables++, config);
    }

    static void up(final Epair cable, final String a, final String b) throws ErrnoException {
        up(cable.a(), a);
        up(cable.b(), b);
    }

    private static void up(final Ifnet ifp, final String cidr) throws ErrnoException {
        config((Vnet) ifp.vnet()).addAddress(ifp, cidr);
    }

    static InetConfig config(final Vnet vnet) {
        return vnet.service(InetConfig.class);
    }

    // Sockets.

    static SocketFile tcp(final Vnet vnet) throws ErrnoException {
        return tcp(vnet, SockAddr.AF_INET);
    }

    static SocketFile tcp(final Vnet vnet, final int family) throws ErrnoException {
        return SocketFile.socket(vnet, family, SocketDefs.SOCK_STREAM, 0);
    }

    static SocketFile udp(final Vnet vnet) throws ErrnoException {
        return SocketFile.socket(vnet, SockAddr.AF_INET, SocketDefs.SOCK_DGRAM, 0);
    }

    static SocketFile listener(final Vnet vnet, final SockAddr at, final int backlog) throws ErrnoException {
        final SocketFile head = tcp(vnet, at.family());
        head.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_REUSEADDR, 1);
        head.bind(at);
        head.listen(backlog);
        return head;
    }

    static void nodelay(final SocketFile so) throws ErrnoException {
        so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_NODELAY, 1);
    }

    /** A connection, its active end first. In a bed without threads both ends are made non-blocking. */
    SocketFile[] connection(final Vnet from, final Vnet to, final SockAddr at) throws ErrnoException {
        return connection(tcp(from, at.family()), to, at);
    }

    /** From a socket, which may be bound. */
    SocketFile[] connection(final SocketFile a, final Vnet to, final SockAddr at) throws ErrnoException {
        final SocketFile head = listener(to, at, 8);
        final SocketFile b;
        if (threads) {
            a.connect(at);
            b = head.accept();
        } else {
            a.so().setNonBlocking(true);
            head.so().setNonBlocking(true);
            a.connect(at);
            SocketFile child = null;
            while (child == null) {
                run();
                child = head.accept();
                assertThat(child != null || step()).as("the connection is made").isTrue();
            }
            b = child;
            b.so().setNonBlocking(true);
        }
        head.close();
        return new SocketFile[] {a, b};
    }

    // Time.

    /** Runs all that can be run at this instant; whether there was anything. */
    boolean run() {
        boolean any = false;
        boolean busy = true;
        while (busy) {
            busy = false;
            for (int i = 0; i < vnets.size(); i++) {
                busy |= vnets.get(i).poll();
            }
            any |= busy;
        }
        return any;
    }

    /** Goes on to the next deadline, and runs; false when there is none. */
    boolean step() {
        long next = Long.MAX_VALUE;
        for (int i = 0; i < vnets.size(); i++) {
            next = Math.min(next, vnets.get(i).nextDeadlineNs());
        }
        if (next == Long.MAX_VALUE) {
            return false;
        }
        clock.advanceTo(next);
        run();
        return true;
    }

    /** Lets time pass, deadline by deadline. */
    void advance(final long ns) {
        final long end = clock.nanoTime() + ns;
        long next = 0;
        while (next <= end) {
            run();
            next = Long.MAX_VALUE;
            for (int i = 0; i < vnets.size(); i++) {
                next = Math.min(next, vnets.get(i).nextDeadlineNs());
            }
            if (next <= end) {
                clock.advanceTo(next);
            }
        }
        clock.advanceTo(end);
        run();
    }

    /** Drives flows until all have ended. */
    void drive(final Flow... flows) throws ErrnoException {
        drive(() -> Stream.of(flows).allMatch(Flow::ended), flows);
    }

    /** Drives flows until something is so. */
    void drive(final BooleanSupplier done, final Flow... flows) throws ErrnoException {
        while (!done.getAsBoolean()) {
            boolean progress = false;
            for (final Flow f : flows) {
                progress |= f.sendSome();
                progress |= f.receiveSome();
            }
            progress |= run();
            if (!progress && !step()) {
                throw new AssertionError("nothing will happen any more: " + Arrays.toString(flows));
            }
        }
    }

    /** Drives flows until all have ended, each end on a thread of its own where the bed has threads. */
    void transfer(final Flow... flows) throws Exception {
        if (!threads) {
            drive(flows);
            return;
        }
        final List<FutureTask<Void>> tasks = new ArrayList<>();
        for (final Flow f : flows) {
            tasks.add(new FutureTask<>(() -> {
                f.sendAll();
                return null;
            }));
            tasks.add(new FutureTask<>(() -> {
                f.receiveAll();
                return null;
            }));
        }
        tasks.forEach(Thread.ofPlatform().daemon()::start);
        for (final FutureTask<Void> t : tasks) {
            t.get(PATIENCE_S, TimeUnit.SECONDS);
        }
    }

    // The end.

    /** All drops by reason, of all vnets. */
    Map<String, Long> drops() {
        final Map<String, Long> out = new TreeMap<>();
        for (final DropReason r : DropReason.values()) {
            long n = 0;
            for (final Vnet v : vnets) {
                n += v.drops(r);
            }
            if (n != 0) {
                out.put(r.name(), n);
            }
        }
        return out;
    }

    @Override
    public void close() {
        for (final Vnet v : vnets) {
            v.close();
        }
        pool.check();
        assertThat(pool.outstanding()).as("mbufs outstanding: %s", pool.leakReport()).isZero();
        assertThat(pool.clustersOutstanding()).as("clusters outstanding").isZero();
        if (pool.name().startsWith(POOL)) {
            Pools.giveBack(pool);
        }
    }
}
