package io.gatun.netinet.tcp;

import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;

/** The tunables below {@code net.inet.tcp}, by FreeBSD's names and defaults; times in ms as there. */
final class TcpSysctl {
    private static final int REASS_SHARE = 4;
    private static final String BASE = "net.inet.tcp.";
    private static final int MAXBUF = 2 * 1024 * 1024;
    private static final int BIG = 1 << 30;

    final Sysctl abcLVar;
    final Sysctl ackWarCnt;
    final Sysctl ackWarTimewindow;
    final Sysctl challengeLimit;
    final Sysctl alwaysKeepalive;
    final Sysctl blackhole;
    final Sysctl blackholeLocal;
    final Sysctl ccAlgorithm;
    final Sysctl delacktime;
    final Sysctl delayedAck;
    final Sysctl doLrd;
    final Sysctl dropSynfin;
    final Sysctl dsackUndo;
    final Sysctl ecnEnable;
    final Sysctl ecnMaxretries;
    final Sysctl fastFinwait2Recycle;
    final Sysctl finwait2Timeout;
    final Sysctl frto;
    final Sysctl fusion;
    final Sysctl icmpMayRst;
    final Sysctl initcwndSegments;
    final Sysctl insecureRst;
    final Sysctl insecureSyn;
    final Sysctl insecureAck;
    final Sysctl keepcnt;
    final Sysctl keepidle;
    final Sysctl keepinit;
    final Sysctl keepintvl;
    final Sysctl mapLimit;
    final Sysctl maxsockbuf;
    final Sysctl maxunacktime;
    final Sysctl minmss;
    final Sysctl msl;
    final Sysctl mslLocal;
    final Sysctl nolocaltimewait;
    final Sysctl mssdflt;
    final Sysctl v6mssdflt;
    final Sysctl pathMtuDiscovery;
    final Sysctl persmin;
    final Sysctl persmax;
    final Sysctl rackEnable;
    final Sysctl reassMaxqueuelen;
    final Sysctl reassMaxsegments;
    final Sysctl recvbufAuto;
    final Sysctl recvbufMax;
    final Sysctl recvspace;
    final Sysctl sendbufAuto;
    final Sysctl sendbufInc;
    final Sysctl sendbufMax;
    final Sysctl sendspace;
    final Sysctl retries;
    final Sysctl rexmitInitial;
    final Sysctl rexmitMin;
    final Sysctl rexmitMax;
    final Sysctl rexmitSlop;
    final Sysctl rexmitDropOptions;
    final Sysctl rfc1323;
    final Sysctl rfc3042;
    final Sysctl rfc3465;
    final Sysctl rfc6191;
    final Sysctl sackEnable;
    final Sysctl sackMaxholes;
    final Sysctl sackGlobalmaxholes;
    final Sysctl tolerateMissingTs;
    final Sysctl tsOffsetPerConn;
    final Sysctl tso;

    /** @param mbufs of the pool */
    TcpSysctl(SysctlTree t, CcTable cc, int mbufs) {
        abcLVar = intOf(t, "abc_l_var", 2, 1, 64, "Segments that cwnd may grow by per ACK in slow start");
        ackWarCnt = intOf(t, "ack_war_cnt", 5, 0, BIG, "Challenge ACKs per window and connection; 0 is no limit");
        ackWarTimewindow = intOf(t, "ack_war_timewindow", 1000, 0, BIG, "Challenge ACK window, ms");
        challengeLimit = intOf(t, "challenge_ack_limit", 1000, 0, BIG, "Challenge ACKs per second in all; 0: no limit");
        alwaysKeepalive = boolOf(t, "always_keepalive", true, "Probe all idle connections");
        blackhole = intOf(t, "blackhole", 0, 0, 3, "Do not answer segments to closed ports: 1 SYN, 2 all");
        blackholeLocal = boolOf(t, "blackhole_local", false, "Nor those of this host");
        ccAlgorithm = t.addString(BASE + "cc.algorithm", "cubic", "Congestion control of new connections",
            name -> cc.find(name) != null);
        delacktime = intOf(t, "delacktime", 40, 0, 2000, "Longest delay of an ACK, ms");
        delayedAck = boolOf(t, "delayed_ack", true, "Delay ACKs");
        doLrd = boolOf(t, "do_lrd", true, "Detect lost retransmissions");
        dsackUndo = boolOf(t, "dsack_undo", true, "Undo fast recovery that duplicates prove needless");
        dropSynfin = boolOf(t, "drop_synfin", false, "Drop segments with both SYN and FIN");
        ecnEnable = intOf(t, "ecn.enable", 2, 0, 4, "ECN: 0 off, 1 ask and grant, 2 grant; AccECN: 3 ask, 4 grant");
        ecnMaxretries = intOf(t, "ecn.maxretries", 1, 0, TcpTimers.TCP_MAXRXTSHIFT, "SYNs sent again that ask for ECN");
        fastFinwait2Recycle = boolOf(t, "fast_finwait2_recycle", false, "Short FIN-WAIT-2 for closed sockets");
        finwait2Timeout = intOf(t, "finwait2_timeout", 60_000, 0, BIG, "Short FIN-WAIT-2, ms");
        frto = boolOf(t, "frto", true, "Detect spurious timeouts by what is acknowledged");
        fusion = boolOf(t, "fusion", true, "Join the ends of a connection within this stack");
        icmpMayRst = boolOf(t, "icmp_may_rst", true, "ICMP unreachable may end a connection in SYN-SENT");
        initcwndSegments = intOf(t, "initcwnd_segments", 10, 1, 1024, "Initial window, segments");
        insecureRst = boolOf(t, "insecure_rst", false, "Accept any RST inside the window");
        insecureSyn = boolOf(t, "insecure_syn", false, "A SYN inside the window resets");
        insecureAck = boolOf(t, "insecure_ack", false, "Accept ACKs older than the largest window");
        keepcnt = intOf(t, "keepcnt", 8, 1, BIG, "Keepalive probes before giving up");
        keepidle = intOf(t, "keepidle", 7_200_000, 1, Integer.MAX_VALUE, "Idle time before keepalive, ms");
        keepinit = intOf(t, "keepinit", 75_000, 1, Integer.MAX_VALUE, "Time to establish a connection, ms");
        keepintvl = intOf(t, "keepintvl", 75_000, 1, Integer.MAX_VALUE, "Time between keepalive probes, ms");
        mapLimit = intOf(t, "map_limit", 1 << 20, 0, BIG, "Transmissions remembered in all");
        maxsockbuf = t.addLong("kern.ipc.maxsockbuf", MAXBUF, "Largest socket buffer, octets of storage");
        maxunacktime = intOf(t, "maxunacktime", 0, 0, Integer.MAX_VALUE, "Longest time without progress, ms; 0: any");
        minmss = intOf(t, "minmss", 216, 1, 65_535, "Least MSS");
        msl = intOf(t, "msl", 30_000, 0, BIG, "Maximum segment lifetime, ms");
        mslLocal = intOf(t, "msl_local", 10_000, 0, BIG, "Segment lifetime when both ends are this host, ms");
        nolocaltimewait = boolOf(t, "nolocaltimewait", false, "No TIME-WAIT when both ends are this host");
        mssdflt = intOf(t, "mssdflt", 536, 1, 65_535, "MSS of a peer that names none");
        v6mssdflt = intOf(t, "v6mssdflt", 1220, 1, 65_535, "MSS of a peer over IPv6 that names none");
        pathMtuDiscovery = boolOf(t, "path_mtu_discovery", true, "Send with DF and heed ICMP");
        persmin = intOf(t, "persmin", 5000, 1, BIG, "Least persist interval, ms");
        persmax = intOf(t, "persmax", 60_000, 1, BIG, "Largest persist interval, ms");
        rackEnable = boolOf(t, "rack.enable", true, "Detect losses by time, and probe for them");
        reassMaxqueuelen = intOf(t, "reass.maxqueuelen", 100, 0, BIG, "Segments out of order per connection");
        reassMaxsegments = intOf(t, "reass.maxsegments", mbufs / REASS_SHARE, 0, BIG, "Mbufs out of order in all");
        recvbufAuto = boolOf(t, "recvbuf_auto", true, "Grow receive buffers");
        recvbufMax = intOf(t, "recvbuf_max", MAXBUF, 0, BIG, "Largest receive buffer, octets");
        recvspace = intOf(t, "recvspace", 65_536, 0, BIG, "Initial receive buffer, octets");
        sendbufAuto = boolOf(t, "sendbuf_auto", true, "Grow send buffers");
        sendbufInc = intOf(t, "sendbuf_inc", 8192, 0, BIG, "Step of growth, octets");
        sendbufMax = intOf(t, "sendbuf_max", MAXBUF, 0, BIG, "Largest send buffer, octets");
        sendspace = intOf(t, "sendspace", 32_768, 0, BIG, "Initial send buffer, octets");
        retries = intOf(t, "retries", TcpTimers.TCP_MAXRXTSHIFT, 0, TcpTimers.TCP_MAXRXTSHIFT, "Retransmissions");
        rexmitInitial = intOf(t, "rexmit_initial", 1000, 1, BIG, "First retransmit timeout, ms");
        rexmitMin = intOf(t, "rexmit_min", 30, 1, BIG, "Least retransmit timeout, ms");
        rexmitMax = intOf(t, "rexmit_max", 64_000, 1, BIG, "Largest retransmit timeout, ms");
        rexmitSlop = intOf(t, "rexmit_slop", 200, 0, BIG, "Added to every retransmit timeout, ms");
        rexmitDropOptions = boolOf(t, "rexmit_drop_options", false, "Third SYN and later go without options");
        rfc1323 = intOf(t, "rfc1323", 1, 0, 3, "0 off, 1 window scale and timestamps, 2 scale, 3 timestamps");
        rfc3042 = boolOf(t, "rfc3042", true, "Limited transmit");
        rfc3465 = boolOf(t, "rfc3465", true, "Count octets in congestion control");
        rfc6191 = boolOf(t, "rfc6191", true, "A SYN with a later timestamp ends TIME-WAIT");
        sackEnable = boolOf(t, "sack.enable", true, "Selective acknowledgments");
        sackMaxholes = intOf(t, "sack.maxholes", 128, 0, BIG, "Holes between SACK blocks per connection");
        sackGlobalmaxholes = intOf(t, "sack.globalmaxholes", 65_536, 0, BIG, "Holes between SACK blocks in all");
        tolerateMissingTs = boolOf(t, "tolerate_missing_ts", true, "Accept segments without agreed timestamps");
        tsOffsetPerConn = boolOf(t, "ts_offset_per_conn", true, "Timestamps by connection, not by hosts");
        tso = boolOf(t, "tso", true, "Send super-segments");
    }

    private static Sysctl intOf(SysctlTree t, String name, int initial, int min, int max, String what) {
        return t.addInt(BASE + name, initial, min, max, what);
    }

    private static Sysctl boolOf(SysctlTree t, String name, boolean initial, String what) {
        return t.addBool(BASE + name, initial, what);
    }
}
