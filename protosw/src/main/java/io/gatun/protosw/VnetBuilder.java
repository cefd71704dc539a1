package io.gatun.protosw;

import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.mbuf.MbufPoolBuilder;
import io.gatun.spi.socket.Domain;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VnetModule;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How a {@link Vnet} is made. Everything has a default; a builder makes one vnet. */
public final class VnetBuilder {
    private static final int SPINS = 100;
    private static final int YIELDS = 10;

    String name = "vnet";
    Clock clock = Clock.SYSTEM;
    long seed;
    boolean seeded;
    LockStrategy lockStrategy = LockStrategy.SPLIT;
    MbufPool sharedPool;
    MbufPoolBuilder poolBuilder;
    int workstreams = 1;
    int spins = SPINS;
    int yields = YIELDS;
    ClassLoader classLoader = Vnet.class.getClassLoader();
    boolean services = true;
    Thread.UncaughtExceptionHandler uncaught; // null: the thread's
    boolean strict = Vnet.class.desiredAssertionStatus();
    final Map<String, String> sysctls = new HashMap<>();
    final List<Domain> domains = new ArrayList<>();
    final List<IfnetDriver> drivers = new ArrayList<>();
    final List<VnetModule> modules = new ArrayList<>();
    private Boolean threads; // null: as the clock suggests

    VnetBuilder() {
        // defaults above
    }

    /** For messages and thread names; also the initial {@code kern.hostname}. */
    public VnetBuilder name(String s) {
        name = s;
        return this;
    }

    /** Its time. With any clock but {@link Clock#SYSTEM} the vnet has no threads unless {@link #threads} says so. */
    public VnetBuilder clock(Clock c) {
        clock = c;
        return this;
    }

    /** Makes its random numbers and its secret repeatable. Without a seed both come from the system. */
    public VnetBuilder seed(long s) {
        seed = s;
        seeded = true;
        return this;
    }

    /** Whether it has threads of its own, and may be used by many; otherwise one thread drives it by poll. */
    public VnetBuilder threads(boolean on) {
        threads = on;
        return this;
    }

    public VnetBuilder lockStrategy(LockStrategy s) {
        lockStrategy = s;
        return this;
    }

    /** The limits of its mbufs. The name and the number of threads are set here. */
    public VnetBuilder pool(MbufPoolBuilder p) {
        poolBuilder = p;
        return this;
    }

    /**
     * A pool shared with other vnets, between which a frame then crosses an epair without a copy. Whoever made it
     * checks it for leaks.
     */
    public VnetBuilder pool(MbufPool p) {
        sharedPool = p;
        return this;
    }

    /** A value in place of a sysctl's default, taken when its owner adds it. */
    public VnetBuilder sysctl(String node, String value) {
        sysctls.put(node, value);
        return this;
    }

    /** Lanes of netisr, which keep the order of flows; 1 by default, and always 1 without threads. */
    public VnetBuilder workstreams(int n) {
        if (n < 1) {
            throw new IllegalArgumentException("workstreams " + n);
        }
        workstreams = n;
        return this;
    }

    /** How often an agent of this vnet that finds no work spins, then yields, before it parks. */
    public VnetBuilder idle(int spinTurns, int yieldTurns) {
        spins = spinTurns;
        yields = yieldTurns;
        return this;
    }

    /** Where domains, drivers, modules, congestion controls, TCP stacks and accept filters are looked for. */
    public VnetBuilder classLoader(ClassLoader loader) {
        classLoader = loader;
        return this;
    }

    /**
     * Whether domains, drivers, modules and other extensions are looked for by ServiceLoader at all; true by default.
     * Without, TCP still finds the congestion controls and stacks of its own module.
     */
    public VnetBuilder services(boolean on) {
        services = on;
        return this;
    }

    /** Adds a domain that ServiceLoader does not know. It serves this vnet alone. */
    public VnetBuilder domain(Domain d) {
        domains.add(d);
        return this;
    }

    /** Adds a driver that ServiceLoader does not know. It serves this vnet alone. */
    public VnetBuilder driver(IfnetDriver d) {
        drivers.add(d);
        return this;
    }

    /** Adds a module that ServiceLoader does not know. It serves this vnet alone. */
    public VnetBuilder module(VnetModule m) {
        modules.add(m);
        return this;
    }

    /**
     * Who is told, on the thread where it happened, what a handler threw on a thread of the vnet: a bug in the stack or
     * in a protocol, driver or upcall of the user's own. The thread goes on, and {@code vnet.uncaught} counts it. By
     * default the thread's handler is told, which prints it unless somebody has set another; {@link #strict} then makes
     * {@link Vnet#close} fail too. What is thrown on a thread of the caller's, or in {@code poll}, the caller gets.
     */
    public VnetBuilder uncaughtExceptionHandler(Thread.UncaughtExceptionHandler h) {
        uncaught = h;
        return this;
    }

    /**
     * Whether {@link Vnet#close} fails on leaked mbufs, armed callouts, and what was thrown on a thread of the vnet
     * with nobody to be told; by default where assertions are on.
     */
    public VnetBuilder strict(boolean on) {
        strict = on;
        return this;
    }

    boolean threaded() {
        return threads == null ? clock == Clock.SYSTEM : threads;
    }

    MbufPool makePool() {
        if (sharedPool != null) {
            return sharedPool;
        }
        MbufPoolBuilder p = poolBuilder == null ? MbufPool.builder() : poolBuilder;
        p.name(name);
        if (!threaded()) {
            p.alone();
        }
        return p.build();
    }

    long seedOrRandom() {
        return seeded ? seed : new SecureRandom().nextLong();
    }

    /**
     * Makes it: domains, drivers and modules are found, domains and then modules initialised.
     *
     * @throws IllegalStateException when one cannot be initialised, two domains have the same family or two drivers
     *     the same name
     * @throws IllegalArgumentException when a sysctl was given a value it does not take
     */
    public Vnet build() {
        Vnet vnet = new Vnet(this);
        boolean done = false;
        try {
            vnet.wire(this);
            done = true;
        } finally {
            if (!done) {
                vnet.abandon();
            }
        }
        return vnet;
    }
}
