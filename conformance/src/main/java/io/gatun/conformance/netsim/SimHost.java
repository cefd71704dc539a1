package io.gatun.conformance.netsim;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.sys.ErrnoException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A host: a vnet without threads, its links, and the programs that run on it. */
public final class SimHost {
    private final Netsim sim;
    private final Vnet vnet;
    private final int source;
    private final List<SimLink> links = new ArrayList<>();
    private final List<SimApp> apps = new ArrayList<>();
    private final Set<String> routed = new HashSet<>();
    private boolean touched;

    SimHost(final Netsim sim, final Vnet vnet) {
        this.sim = sim;
        this.vnet = vnet;
        source = sim.source(now -> touch());
    }

    public Vnet vnet() {
        return vnet;
    }

    public String name() {
        return vnet.name();
    }

    /** Its address on its first link. */
    public String address() {
        return links.getFirst().address(this);
    }

    /** Adds a program. */
    public void app(final SimApp app) {
        apps.add(app);
        touch();
    }

    /** Sets a sysctl. */
    public SimHost sysctl(final String name, final String value) throws ErrnoException {
        ErrnoException.check(vnet.sysctl().set(name, value), "sysctl " + name);
        return this;
    }

    List<SimLink> links() {
        return links;
    }

    InetConfig config() {
        return vnet.service(InetConfig.class);
    }

    void attach(final SimLink link) throws ErrnoException {
        links.add(link);
        final LinkWay out = link.leaving(this);
        ErrnoException.check(vnet.ifnets().attach(out.ifp()), "attach " + out.ifp());
        config().addAddress(out.ifp(), link.address(this) + (link.v6() ? "/64" : "/24"));
        routed.add(link.prefix());
        if (links.size() == 2) {
            config().setForwarding(true);
        }
    }

    /** Once both ends are there: the neighbour is known, so that no ARP disturbs the timing. */
    void meet(final SimLink link) throws ErrnoException {
        if (link.v6()) {
            return; // neighbour discovery is left to itself
        }
        final LinkWay out = link.leaving(this);
        final byte[] mac = (out == link.there() ? link.back() : link.there()).ifp().lladdr();
        final StringBuilder text = new StringBuilder();
        for (final byte b : mac) {
            text.append(text.isEmpty() ? "" : ":").append(String.format("%02x", b & 0xff));
        }
        config().setArp(out.ifp(), link.address(out.to()), text.toString());
    }

    void route(final String prefix, final String gateway) throws ErrnoException {
        if (routed.add(prefix)) {
            config().addRoute(prefix, gateway, null);
        }
    }

    /** Something has happened here: it runs before time goes on. */
    void touch() {
        if (!touched) {
            touched = true;
            sim.touched(this);
        }
    }

    /** Runs the stack and the programs until nothing is left to do at this instant. */
    void run() throws ErrnoException {
        touched = false;
        boolean busy = true;
        while (busy) {
            vnet.runUntilIdle();
            busy = false;
            for (int i = 0; i < apps.size(); i++) {
                busy |= apps.get(i).run();
            }
        }
        sim.due(source, vnet.nextDeadlineNs());
    }

    @Override
    public String toString() {
        return vnet.name();
    }
}
