package io.gatun.netinet.tcp;

import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.VnetSide;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * TCP of one vnet: what FreeBSD keeps in V_ globals. Made by the internet domain, which then calls {@link #init}.
 *
 * <p>Locking key: (c) constant after init, (v) volatile.
 *
 * @bsd V_tcbinfo
 */
public final class Tcp {
    static final long NS_PER_MS = 1_000_000L;
    static final long NS_PER_S = 1_000_000_000L;

    /** All control blocks. @bsd V_tcbinfo */
    public final InpcbInfo tcbinfo; // (c)

    final VnetSide vnet;            // (c)
    final Clock clock;              // (c)
    final MbufPool pool;            // (c)
    final TcpNet net;               // (c)
    final TcpStat stat;             // (c)
    final TcpEcnStat ecnStat;       // (c)
    final TcpSysctl sysctl;         // (c)
    final TcpIsn isn;               // (c)
    final CcTable cc;               // (c)
    final TcpRele rele;             // (c)
    final TcpTimeWait timeWait;     // (c)
    final TcpRespond respond;       // (c)
    final TcpFastopen fastopen;     // (c)
    final TcpMd5 md5;               // (c)
    final TcpHostcache hostcache;   // (c)
    final Syncache syncache;        // (c)
    final TcpInput input;           // (c)
    final TcpCtlinput ctlinput;     // (c)
    final SegCache segs;            // (c)
    final TcpSendMaps sendMaps;     // (c)
    final TcpActivities activities; // (c)
    /** The stacks there are. */
    public final TcpFunctions functions; // (c)
    final TcpTunnel tunnel;         // (c)
    final TcpBlackhole blackhole;   // (c)
    final TcpPlpmtud plpmtud;       // (c)
    /** Mbufs in the reassembly queues of all connections. @bsd tcp_reass_zone */
    final AtomicInteger reassSegs = new AtomicInteger(); // (c)
    /** Header prediction; switched off by tests that compare. */
    volatile boolean predict = true; // (v)

    /** Counters of connections by state. @bsd V_tcps_states */
    final TcpStates states;         // (c)

    /** @param net the network layer below */
    public Tcp(VnetSide vnet, InpcbInfo tcbinfo, TcpNet net) {
        this.vnet = vnet;
        this.tcbinfo = tcbinfo;
        this.net = net;
        clock = vnet.clock();
        pool = vnet.pool();
        stat = new TcpStat(vnet.counters());
        ecnStat = new TcpEcnStat(vnet.counters());
        cc = new CcTable(vnet.sysctl(), extensions(vnet));
        sysctl = new TcpSysctl(vnet.sysctl(), cc, pool.snapshot().mbufs().limit());
        isn = new TcpIsn(vnet);
        rele = new TcpRele(vnet);
        timeWait = new TcpTimeWait(vnet);
        respond = new TcpRespond(this);
        input = new TcpInput(this);
        ctlinput = new TcpCtlinput(this);
        segs = new SegCache(vnet.threaded());
        sendMaps = new TcpSendMaps(sysctl, vnet.threaded());
        activities = new TcpActivities(vnet.threaded());
        states = new TcpStates(vnet);
        fastopen = new TcpFastopen(this);
        md5 = new TcpMd5(this);
        hostcache = new TcpHostcache(vnet);
        syncache = new Syncache(this);
        functions = new TcpFunctions(vnet.sysctl(), extensions(vnet));
        tunnel = new TcpTunnel(this);
        blackhole = new TcpBlackhole(vnet.sysctl(), vnet.counters());
        plpmtud = new TcpPlpmtud(vnet.sysctl(), vnet.counters());
    }

    /** Where algorithms and stacks are looked for; a vnet that looks for no services still has those of this module. */
    private static ClassLoader extensions(VnetSide vnet) {
        return vnet.classLoader() == null ? Tcp.class.getClassLoader() : vnet.classLoader();
    }

    /** Registers with IP and publishes what can be read. @bsd tcp_init */
    public Errno init() {
        vnet.onLowmem(() -> TcpSubr.drainAll(this));
        vnet.sysctl().addReading("net.inet.tcp.pcbcount", tcbinfo::count, "Control blocks");
        vnet.sysctl().addReading("net.inet.tcp.sack.globalholes", sendMaps::globalholes,
            "Records cut for SACK blocks");
        vnet.sysctl().addReading("net.inet.tcp.reass.cursegments", reassSegs::get, "Mbufs out of order now");
        vnet.provide(TcpFunctions.class, functions);
        vnet.provide(TcpPcblist.class, new TcpPcblist(this));
        vnet.sysctl().addString("net.inet.tcp.cc.available", cc.names(), "Congestion control algorithms",
            text -> false);
        return vnet.ipproto().register(SockAddr.AF_INET, InDefs.IPPROTO_TCP, input::input, ctlinput::ctlinput);
    }

    /** Registers with IPv6. */
    public Errno init6() {
        final Errno e = tunnel.start6();
        return e != Errno.OK ? e
            : vnet.ipproto().register(SockAddr.AF_INET6, InDefs.IPPROTO_TCP, input::input, ctlinput::ctlinput6);
    }

    /** IPv6 goes. */
    public void destroy6() {
        vnet.ipproto().unregister(SockAddr.AF_INET6, InDefs.IPPROTO_TCP);
    }

    /**
     * The vnet goes: ends every connection silently and drains its timers. The blocks of sockets that are still held
     * stay theirs, dropped.
     */
    public void destroy() {
        vnet.ipproto().unregister(SockAddr.AF_INET, InDefs.IPPROTO_TCP);
        TcpSubr.closeAll(this);
        // No listener is left, so no SYN that is under way still can begin anything.
        syncache.destroy();
        TcpSubr.closeAll(this); // the children that listeners had meanwhile
        cc.destroy();
        rele.destroy();
    }

    /** Who merges segments on their way in. */
    public TcpLro lro() {
        return new TcpLro(this);
    }

    /** Congestion control by name, or null. @bsd cc_list */
    public CcAlgo findCc(String name) {
        return cc.find(name);
    }

    /** Counts a drop and frees the chain. Consumes m. */
    void drop(Mbuf m, DropReason reason) {
        vnet.drop(m, reason);
    }
}
