package io.gatun.protosw;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.CounterSet;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Witness;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.NetisrHandler;
import io.gatun.spi.vnet.SwiTask;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * netisr in software: {@link Workstream}s that any thread runs at its safe points, and one agent for what is left over
 * when a budget ends and for deferred dispatch.
 *
 * <p>Locking key: (l) {@code this}, (p) written under {@code this}, published by a volatile write, never changed in
 * place, (v) volatile.
 *
 * @bsd net/netisr.c
 */
final class SoftNetisr implements Netisr {
    /** {@code net.isr.dispatch}. */
    enum Dispatch { DIRECT, HYBRID, DEFERRED }

    /**
     * DIFFERS: 256 in FreeBSD, where an interrupt empties the queue while it fills. Here it is emptied at the next safe
     * point, before which one thread may have queued a whole send window.
     */
    private static final int DEFAULT_QLIMIT = 2048;
    private static final int MAX_QLIMIT = 10_240;
    private static final int DEFAULT_BUDGET = 1024;
    /** Packets and tasks between one callout and the next, in a vnet with threads: timers must keep their time. */
    static final int CALLOUT_BUDGET = 32;
    /** Vnets deep that one {@link #swi} follows a chain of linked vnets on the caller's stack. */
    private static final int MAX_DEPTH = 32;

    private final VnetSide vnet;
    private final boolean shared;
    private final Workstream[] streams;
    private final CounterSet counters;
    private final Sysctl maxQlimit;
    private final Sysctl defaultQlimit;
    private final Sysctl budget;
    private final FlowSteering steering; // null without threads
    private final VnetAgent agent; // null without threads
    private volatile NetisrProto[] protos = new NetisrProto[NETISR_MAXPROT]; // (p)
    private volatile int ever;                               // (v) bit p: protocol p was registered once
    private volatile SoftNetisr[] peers = new SoftNetisr[0]; // (p)
    private volatile Workstream alone;                       // (p) without threads and links; else null
    private volatile Dispatch dispatch = Dispatch.DIRECT;    // (v)
    @GuardedBy("this")
    private final List<SoftNetisr> links = new ArrayList<>(); // (l) one entry for each link

    /** @param numthreads workstreams; 1 when one thread runs the vnet */
    SoftNetisr(VnetSide vnet, SysctlTable sysctl, int numthreads, int spins, int yields) {
        this.vnet = vnet;
        this.shared = vnet.threaded();
        this.counters = vnet.counters();
        streams = new Workstream[numthreads];
        for (int i = 0; i < numthreads; i++) {
            streams[i] = new Workstream(this, shared);
        }
        alone = shared ? null : streams[0];
        steering = shared ? new FlowSteering(this, vnet.clock()) : null;
        agent = shared ? new VnetAgent(vnet, "netisr", this::runAgent,
            new ParkingIdle(spins, yields, steering::beforePark)) : null;
        maxQlimit = sysctl.addInt("net.isr.maxqlimit", MAX_QLIMIT, 1, Integer.MAX_VALUE,
            "Highest queue limit a protocol may have (packets)");
        defaultQlimit = sysctl.addInt("net.isr.defaultqlimit", DEFAULT_QLIMIT, 1, Integer.MAX_VALUE,
            "Queue limit of a protocol that sets none (packets)");
        budget = sysctl.addInt("net.isr.budget", DEFAULT_BUDGET, 1, Integer.MAX_VALUE,
            "Packets that one software interrupt runs before it lets its thread go on");
        Sysctl policy = sysctl.addString("net.isr.dispatch", "direct", "Dispatch policy: direct, hybrid or deferred",
            this::setDispatch);
        assert policy.getString().equalsIgnoreCase(dispatch.name());
        sysctl.addReading("net.isr.numthreads", () -> numthreads, "Workstreams");
        sysctl.addReading("net.isr.maxprot", () -> NETISR_MAXPROT, "Protocol numbers");
    }

    private boolean setDispatch(String text) {
        for (Dispatch d : Dispatch.values()) {
            if (d.name().toLowerCase(Locale.ROOT).equals(text)) {
                dispatch = d;
                return true;
            }
        }
        return false;
    }

    // ---- protocols ------------------------------------------------------------

    @Override
    public synchronized Errno register(int proto, String name, int policy, NetisrHandler handler) {
        if (proto < 1 || proto >= NETISR_MAXPROT) {
            return Errno.EINVAL;
        }
        if (protos[proto] != null) {
            return Errno.EEXIST;
        }
        NetisrProto np = new NetisrProto(proto, name, policy, handler, counters);
        np.qlimit = Math.min(defaultQlimit.getInt(), maxQlimit.getInt());
        NetisrProto[] table = protos.clone();
        table[proto] = np;
        ever |= 1 << proto;
        protos = table;
        return Errno.OK;
    }

    @Override
    public void unregister(int proto) {
        synchronized (this) {
            NetisrProto[] table = protos.clone();
            table[proto] = null;
            protos = table;
        }
        for (Workstream ws : streams) {
            boolean mine = ws.mine();
            while (!mine && !ws.claim()) {
                Thread.yield();
            }
            try {
                ws.flush(proto);
            } finally {
                if (!mine) {
                    ws.release();
                }
            }
        }
        if (shared) {
            steering.flush(proto);
        }
        kick();
    }

    NetisrProto proto(int number) {
        return protos[number];
    }

    /** Bit p: protocol p was registered once, and so something may wait for it. */
    int ever() {
        return ever;
    }

    void noProto(Mbuf m) {
        vnet.drop(m, DropReason.NETISR_NOPROTO);
    }

    @Override
    public int qlimit(int proto) {
        NetisrProto np = protos[proto];
        return np == null ? 0 : np.qlimit;
    }

    @Override
    public Errno setQlimit(int proto, int packets) {
        NetisrProto np = proto < 1 || proto >= NETISR_MAXPROT ? null : protos[proto];
        if (np == null) {
            return Errno.ENOENT;
        }
        if (packets < 1 || packets > maxQlimit.getInt()) {
            return Errno.EINVAL;
        }
        np.qlimit = packets;
        return Errno.OK;
    }

    /** One row for each protocol, as {@code netstat -Q} prints. */
    List<NetisrStat> statistics() {
        List<NetisrStat> out = new ArrayList<>();
        for (NetisrProto np : protos) {
            if (np != null) {
                int len = 0;
                for (Workstream ws : streams) {
                    len += ws.length(np.number);
                }
                len += shared ? steering.length(np.number) : 0;
                out.add(new NetisrStat(np.name, np.number, len, np.qlimit, np.dispatched.get(),
                    np.hybridDispatched.get(), np.qdrops.get(), np.queued.get()));
            }
        }
        return out;
    }

    // ---- packets in ------------------------------------------------------------

    private Workstream select(NetisrProto np, Mbuf m) {
        if (streams.length == 1) {
            return streams[0];
        }
        boolean byFlow = np.policy != NETISR_POLICY_SOURCE && m.rsstype() != 0;
        int key = byFlow ? m.flowid() : m.rcvif() == null ? 0 : m.rcvif().index();
        return streams[Integer.remainderUnsigned(key, streams.length)];
    }

    @Override
    public Errno dispatch(int proto, Mbuf m) {
        NetisrProto np = protos[proto];
        if (np == null) {
            noProto(m);
            return Errno.EPROTONOSUPPORT;
        }
        return switch (dispatch) {
            case DIRECT -> {
                np.dispatched.increment();
                np.handler.input(m);
                yield Errno.OK;
            }
            case HYBRID -> hybrid(np, m);
            case DEFERRED -> enqueue(np, m);
        };
    }

    private Errno hybrid(NetisrProto np, Mbuf m) {
        Workstream ws = select(np, m);
        if (!ws.claim()) {
            return enqueue(np, m);
        }
        Errno e = Errno.OK;
        boolean mine = true;
        boolean thrown = true;
        try {
            if (ws.pending()) {
                ws.drain(budget.getInt());
            }
            if (!ws.pending()) {
                mine = false;
                np.hybridDispatched.increment();
                np.handler.input(m);
            }
            thrown = false;
        } finally {
            if (mine) {
                e = enqueue(np, m);
            }
            ws.release();
            if (thrown) {
                kick();
            }
        }
        if (ws.pending()) {
            ws.run(budget.getInt());
            kick();
        }
        return e;
    }

    @Override
    public Errno queue(int proto, Mbuf m) {
        NetisrProto np = protos[proto];
        if (np == null) {
            noProto(m);
            return Errno.EPROTONOSUPPORT;
        }
        if (shared && dispatch == Dispatch.DIRECT) {
            Lane lane = steering.select(np, m, select(np, m));
            if (lane != null) {
                return steer(np, m, lane);
            }
        }
        return enqueue(np, m);
    }

    private Errno steer(NetisrProto np, Mbuf m, Lane lane) {
        if (!lane.push(np.number, m, np.qlimit)) {
            return full(np, m);
        }
        if (protos[np.number] != np) {
            lane.flushPushed(np.number); // as below
        } else {
            steering.told(lane);
        }
        return Errno.OK;
    }

    private Errno enqueue(NetisrProto np, Mbuf m) {
        Workstream ws = select(np, m);
        if (ws.push(np.number, m, np.qlimit)) {
            if (shared && protos[np.number] != np) {
                ws.flushPushed(np.number); // it went meanwhile, and perhaps nobody looks here any more
            }
            return Errno.OK;
        }
        return full(np, m);
    }

    private Errno full(NetisrProto np, Mbuf m) {
        np.qdrops.increment();
        vnet.drop(m, DropReason.NETISR_QLIMIT);
        return Errno.ENOBUFS;
    }

    @Override
    public void schedule(SwiTask task) {
        if (task.claim()) {
            streams[0].push(task);
        }
    }

    @Override
    public int attend(int flowid, boolean waiting, int most) {
        assert Witness.safePoint();
        return shared && dispatch == Dispatch.DIRECT ? steering.attend(flowid, waiting, most) : 0;
    }

    @Override
    public void leave() {
        assert Witness.safePoint();
        if (shared) {
            steering.leave(budget.getInt());
        }
    }

    void wakeAgent() {
        agent.wake();
    }

    // ---- the software interrupt ------------------------------------------------------------

    @Override
    public boolean pending() {
        for (Workstream ws : streams) {
            if (ws.pending()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean quiet(int proto) {
        for (Workstream ws : streams) {
            if (ws.length(proto) != 0) {
                return false;
            }
        }
        return !shared || steering.length(proto) == 0;
    }

    private boolean anyPending() {
        if (pending()) {
            return true;
        }
        for (SoftNetisr p : peers) {
            if (p.pending()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void swi() {
        Workstream ws = alone;
        if (ws != null && !ws.pending()) {
            assert Witness.safePoint();
            return; // as most calls end without threads
        }
        swi(Integer.MAX_VALUE);
        if (shared) {
            steering.swi();
        }
    }

    /** The {@link #swi} after a callout: short, where others can do the rest. */
    void calloutSwi() {
        swi(shared ? CALLOUT_BUDGET : Integer.MAX_VALUE);
    }

    private void swi(int most) {
        assert Witness.safePoint();
        if (streams.length == 1 && peers.length == 0) {
            swiAlone(streams[0], most);
            return;
        }
        if (!anyPending()) {
            return;
        }
        if (shared && dispatch == Dispatch.DEFERRED) {
            agent.wake();
            return;
        }
        sweep(Math.min(most, budget.getInt()), 0, null);
    }

    /** The same with one workstream and no linked vnet: nothing else can turn up while it runs. */
    private void swiAlone(Workstream ws, int most) {
        if (!ws.pending()) {
            return;
        }
        if (shared && dispatch == Dispatch.DEFERRED) {
            agent.wake();
            return;
        }
        int limit = Math.min(most, budget.getInt());
        int done = limit;
        try {
            done = ws.run(limit);
        } finally {
            if (done >= limit) {
                kick();
            }
        }
    }

    /** One {@link #swi} that tells what it did. */
    int run() {
        return anyPending() ? sweep(budget.getInt(), 0, null) : 0;
    }

    private int runAgent() {
        int n = run();
        return n + steering.runClosed(budget.getInt());
    }

    /** Runs this netisr and those linked with it until all are idle; what the budget leaves goes to the agents. */
    private int sweep(int limit, int depth, SoftNetisr from) {
        int done = 0;
        boolean idle = false;
        try {
            while (!idle && done < limit) {
                int n = turn(limit - done, depth, from);
                done += n;
                idle = n == 0;
            }
        } finally {
            if (!idle) {
                kick(); // over the budget, or a handler threw
            }
        }
        return done;
    }

    private int turn(int limit, int depth, SoftNetisr from) {
        int done = 0;
        for (Workstream ws : streams) {
            if (ws.pending()) {
                done += ws.run(limit - done);
            }
        }
        for (SoftNetisr p : peers) {
            if (p != from && p.pending()) {
                done += p.linked(limit - done, depth + 1, this);
            }
        }
        return done;
    }

    private int linked(int limit, int depth, SoftNetisr from) {
        if (limit <= 0 || depth >= MAX_DEPTH || shared && dispatch == Dispatch.DEFERRED) {
            kick();
            return 0;
        }
        return sweep(limit, depth, from);
    }

    /** Leaves what still waits to the agent. Without threads {@code Vnet.poll} finds it. */
    private void kick() {
        if (shared && pending()) {
            agent.wake();
        }
    }

    // ---- links, end ------------------------------------------------------------

    @Override
    public void link(Netisr other) {
        SoftNetisr o = (SoftNetisr) other;
        if (o.shared != shared) {
            throw new IllegalArgumentException("a vnet with threads cannot be linked to one without");
        }
        addLink(o);
        o.addLink(this);
    }

    @Override
    public void unlink(Netisr other) {
        SoftNetisr o = (SoftNetisr) other;
        removeLink(o);
        o.removeLink(this);
    }

    private synchronized void addLink(SoftNetisr o) {
        links.add(o);
        remakePeers();
    }

    private synchronized void removeLink(SoftNetisr o) {
        links.remove(o);
        remakePeers();
    }

    @GuardedBy("this")
    private void remakePeers() {
        peers = links.stream().distinct().toArray(SoftNetisr[]::new);
        alone = shared || peers.length != 0 ? null : streams[0];
    }

    /** Whether the caller is the agent. */
    boolean onAgent() {
        return agent != null && agent.isCurrent();
    }

    /** Ends the agent, frees the packets that wait, and does the rest, of which some lets go of sockets. */
    void close() {
        if (agent != null) {
            agent.close();
        }
        for (int p = 1; p < NETISR_MAXPROT; p++) {
            unregister(p);
        }
        for (Workstream ws : streams) {
            if (ws.claim()) {
                ws.runTasks(vnet::uncaught);
                ws.release();
            }
        }
    }

    @Override
    public String toString() {
        return "netisr of " + vnet.name() + " " + Arrays.toString(streams);
    }
}
