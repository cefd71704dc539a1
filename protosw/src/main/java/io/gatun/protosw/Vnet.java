package io.gatun.protosw;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.ifnet.IfnetTable;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.Domain;
import io.gatun.spi.socket.DomainTable;
import io.gatun.spi.socket.IpprotoTable;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetModule;
import io.gatun.spi.vnet.VnetSide;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;

/**
 * One network stack. All its state hangs off this object; a JVM runs as many as it likes.
 *
 * <p>With threads (the default) any thread may use it, and an agent runs its callouts. Without threads one thread at a
 * time may use it, and drives it: {@link #poll} runs what is due. With a {@code VirtualClock} and a seed such a vnet
 * does the same every time.
 *
 * <p>Life: {@link #builder}, {@link VnetBuilder#build} (domains are up, no interfaces yet), use, {@link #close}.
 *
 * <p>Locking key: (l) {@code services}.
 *
 * @bsd struct vnet
 */
public final class Vnet implements VnetSide, AutoCloseable {
    private static final String RELEASE = "0.1.0";
    private static final int SECRET_OCTETS = 32;
    /** Frames taken from one interface in one turn. */
    private static final int POLL_BUDGET = 64;
    /** Apart from the seed of {@code random}, whose numbers go out in packets. */
    private static final long SECRET_SALT = 0x6761_7475_6e21_5345L;

    private final String name;
    private final Clock clock;
    private final boolean threaded;
    private final boolean strict;
    private final Thread.UncaughtExceptionHandler uncaught; // null: the thread's
    private final LockStrategy lockStrategy;
    private final ClassLoader classLoader; // null: no services
    private final MbufPool pool;
    private final boolean ownsPool;
    private final VnetRandom random;
    private final byte[] secret = new byte[SECRET_OCTETS];
    private final CounterSet counters;
    private final Counter[] drops = new Counter[DropReason.values().length];
    private final Counter uncaughts;
    private final AtomicReference<Throwable> firstUncaught = new AtomicReference<>();
    private final SysctlTable sysctl;
    private final SoftNetisr netisr;
    private final Lowmem lowmem;
    private final CalloutWheel callouts;
    private final VnetAgent calloutAgent; // null without threads
    private final Domains domains;
    private final Ipprotos ipproto;
    private final Ifnets ifnets;
    private final List<VnetModule> modules = new ArrayList<>(); // constant once wired
    @GuardedBy("services")
    private final Map<Class<?>, Object> services = new LinkedHashMap<>(); // (l)
    @GuardedBy("services")
    private boolean closed; // (l)

    Vnet(VnetBuilder b) {
        name = b.name;
        threaded = b.threaded();
        clock = threaded || b.clock != Clock.SYSTEM ? b.clock : new TickClock(b.clock);
        strict = b.strict;
        uncaught = b.uncaught;
        lockStrategy = b.lockStrategy;
        classLoader = b.services ? b.classLoader : null;
        pool = b.makePool();
        ownsPool = b.sharedPool == null;
        random = new VnetRandom(b.seedOrRandom(), threaded);
        counters = new CounterSet(threaded);
        for (DropReason r : DropReason.values()) {
            drops[r.ordinal()] = counters.counter("drop." + r.name().toLowerCase(Locale.ROOT));
        }
        uncaughts = counters.counter("vnet.uncaught");
        sysctl = new SysctlTable(b.sysctls);
        domains = new Domains(this);
        ipproto = new Ipprotos();
        ifnets = new Ifnets(this, domains);
        netisr = new SoftNetisr(this, sysctl, threaded ? b.workstreams : 1, b.spins, b.yields);
        lowmem = new Lowmem(clock, netisr, threaded);
        callouts = new CalloutWheel(clock, threaded, this::wakeCallouts, netisr::calloutSwi);
        calloutAgent = threaded ? new VnetAgent(this, "callout", callouts::runDue,
            new ParkingIdle(0, 0, callouts::sleepNs)) : null;
    }

    /** A builder with the defaults: the system's clock, threads, a pool of the usual size. */
    public static VnetBuilder builder() {
        return new VnetBuilder();
    }

    private void wakeCallouts() {
        calloutAgent.wake();
    }

    // ---- building ------------------------------------------------------------

    void wire(VnetBuilder b) {
        pool.onLowmem(lowmem);
        fillSecret(b);
        addKernSysctls();
        List<IfnetDriver> drivers = new ArrayList<>(b.drivers);
        List<Domain> families = new ArrayList<>(b.domains);
        if (b.services) {
            ServiceLoader.load(IfnetDriver.class, b.classLoader).forEach(drivers::add);
            ServiceLoader.load(Domain.class, b.classLoader).forEach(families::add);
        }
        for (IfnetDriver d : drivers) {
            if (ifnets.addDriver(d) != Errno.OK) {
                throw new IllegalStateException("two drivers are called " + d.name());
            }
        }
        families.sort(Comparator.comparingInt(Domain::family));
        for (Domain d : families) {
            begun("domain " + d.name(), domains.add(d));
        }
        List<VnetModule> extras = new ArrayList<>(b.modules);
        if (b.services) {
            ServiceLoader.load(VnetModule.class, b.classLoader).forEach(extras::add);
        }
        for (VnetModule m : extras) {
            begun("module " + m.name(), m.init(this));
            modules.add(m);
        }
    }

    private void begun(String what, Errno e) {
        if (e != Errno.OK) {
            throw new IllegalStateException(what + " of " + name + ": " + e.text());
        }
    }

    private void fillSecret(VnetBuilder b) {
        if (b.seeded) {
            VnetRandom r = new VnetRandom(b.seed ^ SECRET_SALT, false);
            ByteBuffer out = ByteBuffer.wrap(secret);
            while (out.hasRemaining()) {
                out.putLong(r.nextLong());
            }
        } else {
            new SecureRandom().nextBytes(secret);
        }
    }

    private void addKernSysctls() {
        sysctl.addConstant("kern.ostype", "Gatun", "Name of the stack");
        sysctl.addConstant("kern.osrelease", RELEASE, "Release of the stack");
        sysctl.addString("kern.hostname", name, "Name of this vnet").description();
        sysctl.addReading("kern.smp.cpus", () -> Runtime.getRuntime().availableProcessors(), "Processors");
        sysctl.addReading("kern.ipc.nmbufs", () -> pool.snapshot().mbufs().limit(), "Limit of mbufs");
        sysctl.addReading("kern.ipc.nmbclusters", () -> pool.snapshot().clusters().limit(), "Limit of 2 KiB clusters");
        sysctl.addReading("kern.ipc.nmbjumbop", () -> pool.snapshot().jumbop().limit(), "Limit of 4 KiB clusters");
        sysctl.addReading("kern.ipc.nmbjumbo9", () -> pool.snapshot().jumbo9().limit(), "Limit of 9 KiB clusters");
        sysctl.addReading("kern.ipc.nmbjumbo16", () -> pool.snapshot().jumbo16().limit(), "Limit of 16 KiB clusters");
        sysctl.addReading("kern.ncallout", callouts::armed, "Callouts armed now");
    }

    /** Undoes a build that failed. */
    void abandon() {
        modules.reversed().forEach(VnetModule::destroy);
        domains.destroy();
        stopAgents();
    }

    // ---- running without threads ------------------------------------------------------------

    /**
     * Runs the callouts that are due, takes up what has arrived at polled interfaces, and then runs what netisr has
     * queued, up to its budget.
     *
     * @return whether anything was done; if not, nothing will be until time advances or somebody calls in
     * @throws IllegalStateException in a vnet with threads
     */
    public boolean poll() {
        if (threaded) {
            throw new IllegalStateException(name + " has threads of its own");
        }
        clock.callBegins();
        try {
            lowmem.look();
            int done = callouts.runDue();
            List<Ifnet> list = ifnets.all();
            for (int i = 0; i < list.size(); i++) {
                done += list.get(i).poll(POLL_BUDGET);
            }
            return done + netisr.run() > 0;
        } finally {
            clock.callEnds();
        }
    }

    /** {@link #poll} until there is nothing left to do at this instant. */
    public void runUntilIdle() {
        boolean busy = true;
        while (busy) {
            busy = poll();
        }
    }

    /**
     * When the next callout is due, exactly, in ns of the clock; {@link Long#MAX_VALUE} when none is armed. The next
     * instant at which {@link #poll} can have something to do by itself.
     */
    public long nextDeadlineNs() {
        return callouts.toClock(callouts.nextDeadlineNs());
    }

    /** Callouts that are armed. */
    public int calloutsArmed() {
        return callouts.armed();
    }

    /** The names of the callouts armed, each with its number, as {@link #calloutsArmed} counts them. */
    public String describeCallouts() {
        return callouts.describeArmed();
    }

    /** One row for each protocol of netisr, as {@code netstat -Q} prints. */
    public List<NetisrStat> netisrStats() {
        return netisr.statistics();
    }

    // ---- what the parts see ------------------------------------------------------------

    @Override
    public String name() {
        return name;
    }

    @Override
    public Clock clock() {
        return clock;
    }

    @Override
    public RandomGenerator random() {
        return random;
    }

    @Override
    public byte[] secret() {
        return secret;
    }

    @Override
    public MbufPool pool() {
        return pool;
    }

    @Override
    public IfnetTable ifnets() {
        return ifnets;
    }

    @Override
    public DomainTable domains() {
        return domains;
    }

    @Override
    public IpprotoTable ipproto() {
        return ipproto;
    }

    @Override
    public SysctlTree sysctl() {
        return sysctl;
    }

    @Override
    public Netisr netisr() {
        return netisr;
    }

    @Override
    public CounterSet counters() {
        return counters;
    }

    @Override
    public ClassLoader classLoader() {
        return classLoader;
    }

    @Override
    public LockStrategy lockStrategy() {
        return lockStrategy;
    }

    @Override
    public boolean threaded() {
        return threaded;
    }

    @Override
    public Callout callout(String what, Mtx lock, Runnable handler) {
        return new VnetCallout(callouts, what, lock, handler);
    }

    @Override
    public void uncaught(Throwable t) {
        uncaughts.increment();
        Thread self = Thread.currentThread();
        Thread.UncaughtExceptionHandler h = uncaught;
        if (h == null) {
            firstUncaught.compareAndSet(null, t);
            h = self.getUncaughtExceptionHandler();
        }
        try {
            h.uncaughtException(self, t);
        } catch (Throwable e) { // as the JVM does: it is the last resort
            firstUncaught.compareAndSet(null, e);
        }
    }

    @Override
    public void drop(Mbuf m, DropReason reason) {
        drops[reason.ordinal()].increment();
        if (m != null) {
            m.freeChain();
        }
    }

    @Override
    public void onLowmem(Runnable drain) {
        lowmem.add(drain);
    }

    @Override
    public long drops(DropReason reason) {
        return drops[reason.ordinal()].get();
    }

    @Override
    public <T> void provide(Class<T> type, T service) {
        synchronized (services) {
            if (services.putIfAbsent(type, service) != null) {
                throw new IllegalStateException(name + " has a " + type.getName() + " already");
            }
        }
    }

    @Override
    public <T> T service(Class<T> type) {
        synchronized (services) {
            return type.cast(services.get(type));
        }
    }

    // ---- the end ------------------------------------------------------------

    /**
     * Ends it: services that are {@link AutoCloseable} are closed, the latest first; interfaces are destroyed by their
     * drivers; modules, then domains are destroyed; threads are stopped. Does nothing the second time.
     *
     * @throws IllegalStateException where the vnet is strict and mbufs are outstanding, callouts armed or something was
     *     thrown on a thread of its own, all the rest having been done; or, with nothing done, when called by a
     *     thread of the vnet
     */
    @Override
    public void close() {
        if (threaded && (calloutAgent.isCurrent() || netisr.onAgent())) {
            throw new IllegalStateException(name + " cannot be closed by a thread of its own");
        }
        List<Object> provided;
        synchronized (services) {
            if (closed) {
                return;
            }
            closed = true;
            provided = new ArrayList<>(services.values()).reversed();
        }
        IllegalStateException failure = null;
        for (Object s : provided) {
            if (s instanceof AutoCloseable c) {
                failure = closeService(c, failure);
            }
        }
        ifnets.destroyAll();
        modules.reversed().forEach(VnetModule::destroy);
        domains.destroy();
        stopAgents();
        String leaks = leaks();
        if (strict && !leaks.isEmpty()) {
            failure = add(failure, new IllegalStateException(name + " closed with " + leaks));
        }
        Throwable bug = firstUncaught.get();
        if (strict && bug != null) {
            failure = add(failure, new IllegalStateException(
                name + " closed after a handler threw, " + uncaughts.get() + " times, first", bug));
        }
        if (failure != null) {
            throw failure;
        }
    }

    private static IllegalStateException closeService(AutoCloseable c, IllegalStateException before) {
        try {
            c.close();
            return before;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return add(before, new IllegalStateException("interrupted closing " + c, e));
        } catch (Exception e) {
            return add(before, new IllegalStateException("closing " + c, e));
        }
    }

    private static IllegalStateException add(IllegalStateException before, IllegalStateException e) {
        if (before == null) {
            return e;
        }
        before.addSuppressed(e);
        return before;
    }

    private void stopAgents() {
        pool.offLowmem(lowmem);
        if (calloutAgent != null) {
            calloutAgent.close();
        }
        netisr.close();
    }

    private String leaks() {
        StringBuilder out = new StringBuilder();
        if (ownsPool && pool.outstanding() != 0) {
            out.append(pool.outstanding()).append(" mbufs outstanding: ").append(pool.leakReport());
        }
        if (callouts.armed() != 0) {
            out.append(out.isEmpty() ? "" : "; ").append("callouts armed: ").append(callouts.describeArmed());
        }
        return out.toString();
    }

    @Override
    public String toString() {
        return "vnet " + name;
    }
}
