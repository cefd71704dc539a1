package io.gatun.conformance.netsim;

import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VirtualClock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/**
 * A network of hosts on a virtual clock.
 *
 * <pre>{@code
 * try (Netsim net = Netsim.seed(1)) {
 *     SimHost a = net.host("a");
 *     SimHost b = net.host("b");
 *     net.link(a, b, LinkSpec.rate(1_000_000_000).delay(Duration.ofMillis(50)).queue(1000).loss(0.001));
 *     SimFlow flow = net.flow(a, b, 100_000_000);
 *     net.run(flow::done);
 *     System.out.println(flow.goodput());
 * }
 * }</pre>
 *
 * Hosts share a pool of mbufs, so that packets cross links without a copy. Routes between all hosts are found by the
 * fewest links; a host with two links forwards. Closing it checks that no mbuf and no callout is left.
 *
 * <p>One thread makes, drives and closes it.
 */
public final class Netsim implements AutoCloseable {
    private static final long NS_PER_S = 1_000_000_000L;
    private static final int SEED_STEP = 31;

    /** An action at an instant. */
    private record Action(long atNs, long order, Runnable what) {
    }

    /** What happens when a source of events is due. */
    @FunctionalInterface
    interface Event {
        void fire(long nowNs);
    }

    private final VirtualClock clock;
    private final long startNs;
    private final long seed;
    private final LockStrategy strategy;
    private final boolean v6;
    private final Map<String, String> sysctls;
    private final MbufPool pool;
    private final SplittableRandom random;
    private final EventHeap heap = new EventHeap();
    private final List<Event> events = new ArrayList<>();
    private final List<SimHost> hosts = new ArrayList<>();
    private final List<SimLink> links = new ArrayList<>();
    private final List<SimFlow> flows = new ArrayList<>();
    private final Deque<SimHost> toRun = new ArrayDeque<>();
    private final Queue<Action> actions =
        new PriorityQueue<>(Comparator.comparingLong(Action::atNs).thenComparingLong(Action::order));
    private final int actionSource;
    private long actionCount;
    private boolean routesKnown = true;

    /** How a network is made. */
    public static final class Builder {
        private static final int NMBUFS = 1 << 15;
        private static final int CLUSTERS_2K = 1 << 12;
        private static final int CLUSTERS_16K = 1 << 9;
        private static final int CLUSTERS_4K = 1 << 10;

        private long seed;
        private long startNs = NS_PER_S;
        private int scale = 1;
        private LockStrategy strategy = LockStrategy.SPLIT;
        private int family = SockAddr.AF_INET;
        private final Map<String, String> sysctls = new TreeMap<>();

        private Builder() {
            // defaults above
        }

        /** Of all that is random. */
        public Builder seed(final long s) {
            seed = s;
            return this;
        }

        /** Of all hosts. */
        public Builder lockStrategy(final LockStrategy s) {
            strategy = s;
            return this;
        }

        /** Of all addresses: AF_INET, which is the default, or AF_INET6. */
        public Builder family(final int af) {
            if (af != SockAddr.AF_INET && af != SockAddr.AF_INET6) {
                throw new IllegalArgumentException("family " + af);
            }
            family = af;
            return this;
        }

        /** A sysctl of all hosts. */
        public Builder sysctl(final String name, final String value) {
            sysctls.put(name, value);
            return this;
        }

        /** How large the pool of mbufs is: 1 is about 30 MiB, which will do for 8 MiB under way and in buffers. */
        public Builder memory(final int times) {
            scale = times;
            return this;
        }

        /** What the clock shows at the beginning; 1 s by default. */
        public Builder start(final Duration d) {
            startNs = d.toNanos();
            return this;
        }

        /** Makes a network without hosts. */
        public Netsim build() {
            return new Netsim(this);
        }
    }

    private Netsim(final Builder b) {
        seed = b.seed;
        startNs = b.startNs;
        clock = new VirtualClock(startNs);
        strategy = b.strategy;
        v6 = b.family == SockAddr.AF_INET6;
        sysctls = Map.copyOf(b.sysctls);
        random = new SplittableRandom(b.seed);
        pool = MbufPool.builder().name("netsim").threads(1).nmbufs(Builder.NMBUFS * b.scale)
            .nmbclusters(Builder.CLUSTERS_2K * b.scale).nmbjumbop(Builder.CLUSTERS_4K * b.scale).nmbjumbo9(0)
            .nmbjumbo16(Builder.CLUSTERS_16K * b.scale).build();
        actionSource = source(this::act);
    }

    public static Builder builder() {
        return new Builder();
    }

    /** A network with the defaults. */
    public static Netsim seed(final long seed) {
        return builder().seed(seed).build();
    }

    // ---- making ------------------------------------------------------------

    /** A host without links. */
    public SimHost host(final String name) {
        final var b = Vnet.builder().name(name).pool(pool).clock(clock).threads(false).lockStrategy(strategy)
            .strict(true).seed(seed * SEED_STEP + hosts.size())
            .sysctl("net.inet6.ip6.auto_linklocal", "0").sysctl("net.inet6.ip6.dad_count", "0"); // no other traffic
        new TreeMap<>(sysctls).forEach(b::sysctl);
        final SimHost h = new SimHost(this, b.build());
        hosts.add(h);
        return h;
    }

    /** All hosts, in the order they were made in. */
    public List<SimHost> hosts() {
        return List.copyOf(hosts);
    }

    /** A link that is the same in both directions. */
    public SimLink link(final SimHost a, final SimHost b, final LinkSpec spec) throws ErrnoException {
        return link(a, b, spec, spec);
    }

    /** A link whose directions differ. */
    public SimLink link(final SimHost a, final SimHost b, final LinkSpec there, final LinkSpec back)
            throws ErrnoException {
        final int unit = links.size() + 1;
        final SimLink l = new SimLink(new LinkWay(this, a, unit, 'a', there), new LinkWay(this, b, unit, 'b', back),
            unit, v6);
        links.add(l);
        a.attach(l);
        b.attach(l);
        a.meet(l);
        b.meet(l);
        l.there().begin();
        l.back().begin();
        routesKnown = false;
        return l;
    }

    /** A transfer of so many octets over TCP that begins now. */
    public SimFlow flow(final SimHost from, final SimHost to, final long octets) throws ErrnoException {
        route();
        final SimFlow f = new SimFlow(this, from, to, flows.size(), octets);
        flows.add(f);
        return f;
    }

    /** Does something at an instant from now. */
    public void after(final Duration d, final Runnable what) {
        actions.add(new Action(clock.nanoTime() + d.toNanos(), actionCount++, what));
        due(actionSource, actions.element().atNs());
    }

    private void act(final long nowNs) {
        while (!actions.isEmpty() && actions.element().atNs() <= nowNs) {
            actions.remove().what().run();
        }
        due(actionSource, actions.isEmpty() ? EventHeap.NEVER : actions.element().atNs());
        hosts.forEach(SimHost::touch);
    }

    /** Routes from each host to each link it is not on. */
    public void route() throws ErrnoException {
        if (routesKnown) {
            return;
        }
        routesKnown = true;
        for (final SimHost h : hosts) {
            routeFrom(h);
        }
    }

    /** Breadth first; each host that is reached carries the gateway it is reached by. */
    private void routeFrom(final SimHost start) throws ErrnoException {
        final Map<SimHost, String> gateway = new LinkedHashMap<>();
        final Deque<SimHost> queue = new ArrayDeque<>();
        gateway.put(start, "");
        queue.add(start);
        while (!queue.isEmpty()) {
            final SimHost h = queue.remove();
            final String via = gateway.get(h);
            for (final SimLink l : h.links()) {
                final SimHost next = l.leaving(h).to();
                if (!via.isEmpty()) {
                    start.route(l.prefix(), via);
                }
                if (!gateway.containsKey(next)) {
                    gateway.put(next, via.isEmpty() ? l.address(next) : via);
                    queue.add(next);
                }
            }
        }
    }

    // ---- what the parts need ------------------------------------------------------------

    int source(final Event e) {
        events.add(e);
        return heap.add();
    }

    void due(final int source, final long atNs) {
        heap.set(source, atNs);
    }

    void touched(final SimHost h) {
        toRun.add(h);
    }

    SplittableRandom random() {
        return random.split();
    }

    // ---- time ------------------------------------------------------------

    /** The virtual time, ns. */
    public long nowNs() {
        return clock.nanoTime();
    }

    /** Since the network was made. */
    public Duration elapsed() {
        return Duration.ofNanos(clock.nanoTime() - startNs);
    }

    /** Everything that can happen at this instant. */
    private void settle() throws ErrnoException {
        while (!toRun.isEmpty()) {
            toRun.remove().run();
        }
    }

    /** Goes on to the next instant at which something happens, at most to {@code limitNs}; false at the limit. */
    private boolean step(final long limitNs) throws ErrnoException {
        settle();
        final long next = heap.firstNs();
        if (next > limitNs) {
            clock.advanceTo(limitNs);
            return false;
        }
        clock.advanceTo(next);
        final long now = clock.nanoTime();
        while (heap.firstNs() <= now) {
            final int s = heap.first();
            heap.set(s, EventHeap.NEVER);
            events.get(s).fire(now);
        }
        return true;
    }

    /** Lets time pass. */
    public void run(final Duration d) throws ErrnoException {
        route();
        final long end = clock.nanoTime() + d.toNanos();
        boolean more = true;
        while (more) {
            more = step(end);
        }
        settle();
    }

    /**
     * Runs until something is so.
     *
     * @throws AssertionError when nothing will ever happen again
     */
    public void run(final BooleanSupplier done) throws ErrnoException {
        if (!run(done, Duration.ofDays(1))) {
            throw new AssertionError("nothing came of it within a day: " + this);
        }
    }

    /** Runs until something is so, or time is over; whether it is so. */
    public boolean run(final BooleanSupplier done, final Duration limit) throws ErrnoException {
        route();
        final long end = clock.nanoTime() + limit.toNanos();
        settle();
        while (!done.getAsBoolean()) {
            if (!step(end)) {
                return false;
            }
            settle();
        }
        return true;
    }

    // ---- the end ------------------------------------------------------------

    /** Ends all hosts; fails when mbufs are outstanding. */
    @Override
    public void close() throws ErrnoException {
        for (final SimFlow f : flows) {
            f.close();
        }
        for (final SimLink l : links) {
            detach(l.there());
            detach(l.back());
        }
        for (final SimHost h : hosts) {
            h.vnet().close();
        }
        pool.check();
        if (pool.outstanding() != 0 || pool.clustersOutstanding() != 0) {
            throw new IllegalStateException("mbufs outstanding: " + pool.leakReport());
        }
    }

    private static void detach(final LinkWay way) {
        way.from().vnet().ifnets().detach(way.ifp());
        way.flush();
        way.ifp().free();
    }

    @Override
    public String toString() {
        return "network of seed " + seed + " after " + elapsed() + ": " + flows + ", links " + links;
    }
}
