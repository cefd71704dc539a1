package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.KeyedMix;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Seq;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import java.util.function.Consumer;

/**
 * Connections that peers have begun and not yet completed. A SYN at a listener makes an entry here, not a socket
 * ({@link #add}); the third segment turns it into one ({@link #expand}). What a flood of SYNs can take is bounded: by
 * bucket and in all. When that is not enough the entries are given up for a while, and the numbers of our SYN|ACKs
 * alone remember what was agreed ({@link Syncookie}).
 *
 * <p>Entries are found by a keyed hash: the low bits name a {@link SyncacheShard}, which has the lock, the rest a
 * bucket.
 *
 * <p>Locking key: (c) constant.
 *
 * @bsd V_tcp_syncache
 */
final class Syncache {
    private static final int SHARDS = 8;
    private static final int BUCKETS = 64;
    private static final int BUCKET_LIMIT = 30;
    /** How often a SYN|ACK goes out again. @bsd SYNCACHE_MAXREXMTS */
    private static final int MAXREXMTS = 3;
    private static final int UNREACH_REXMITS = 4;

    final Tcp tcp;                            // (c)
    final SyncacheStat stat;                  // (c)
    private final Syncookie cookie;           // (c)
    private final SyncacheRespond respond;    // (c)
    private final SyncachePause pause;        // (c)
    private final SyncacheShard[] shards = new SyncacheShard[SHARDS]; // (c)
    private final long key;                   // (c)
    private final Sysctl bucketLimit;
    private final Sysctl cacheLimit;
    private final Sysctl rexmtLimit;
    private final Sysctl rstOnSockFail;

    Syncache(Tcp tcp) {
        this.tcp = tcp;
        stat = new SyncacheStat(tcp.vnet.counters());
        cookie = new Syncookie(tcp.vnet);
        respond = new SyncacheRespond(tcp);
        pause = new SyncachePause(tcp, stat.bucketoverflow);
        key = tcp.vnet.random().nextLong();
        for (int i = 0; i < SHARDS; i++) {
            shards[i] = new SyncacheShard(this, BUCKETS);
        }
        final SysctlTree t = tcp.vnet.sysctl();
        final String base = "net.inet.tcp.syncache.";
        bucketLimit = t.addInt(base + "bucketlimit", BUCKET_LIMIT, 1, 1 << 16, "Entries in a bucket at most");
        cacheLimit = t.addInt(base + "cachelimit", BUCKET_LIMIT * BUCKETS * SHARDS, 0, 1 << 24, "Entries at most");
        rexmtLimit = t.addInt(base + "rexmtlimit", MAXREXMTS, 0, TcpTimers.TCP_MAXRXTSHIFT, "SYN|ACKs sent again");
        rstOnSockFail = t.addBool(base + "rst_on_sock_fail", true, "Reset when there is no room for a socket");
        t.addReading(base + "count", this::count, "Entries now");
        t.addReading(base + "hashsize", () -> BUCKETS * SHARDS, "Buckets");
    }

    // ---- where things are ------------------------------------------------------------

    private int hash(InConninfo inc) {
        return (int) (KeyedMix.mix(inc.fhi ^ key, inc.flo, inc.ports()) >>> 40);
    }

    private SyncacheShard shard(int hash) {
        return shards[hash & SHARDS - 1];
    }

    private static int bucket(int hash) {
        return hash / SHARDS & BUCKETS - 1;
    }

    // ---- a SYN ------------------------------------------------------------

    /**
     * A good SYN for a listener, which is locked: answers it, and remembers it unless only cookies are in use. Text and
     * FIN of the SYN are left for the peer to send again, so that a flood cannot fill buffers. With a good cookie of
     * Fast Open it makes a socket at once, which takes the text.
     *
     * @return as {@link #expand}; DONE when the SYN was answered
     * @bsd syncache_add
     */
    @GuardedBy("lp.inp.lock")
    Verdict add(Tcpcb lp, Seg seg) {
        if (tcp.md5.begins(lp, seg) != Verdict.NEXT) {
            return Verdict.DROP;
        }
        final TcpBare b = tcp.segs.claimBare();
        b.inc.set(seg);
        final int hash = hash(b.inc);
        final SyncacheShard sh = shard(hash);
        final boolean only = pause.only();
        seg.fastopen = tcp.fastopen.judge(lp, seg, b.inc);
        Verdict v = Verdict.DONE;
        if (seg.fastopen == TcpFastopenKeys.VALID && (only || !known(sh, bucket(hash), b.inc))) {
            v = fastopen(lp, seg, b);
        }
        if (v == Verdict.NEXT) {
            stat.completed.increment();
        } else if (only) {
            final SyncacheEntry sc = b.entry;
            fill(sc, b.inc, lp, seg, pause.cookies());
            respond.transmit(sc, b, TcpHeader.TH_SYN | TcpHeader.TH_ACK, seg.nowNs);
        } else {
            remember(lp, seg, sh, bucket(hash), b);
        }
        tcp.segs.release(b);
        return v;
    }

    /**
     * The SYN of a peer in this stack: the socket at once, and in {@code seg}, which the SYN was in, the SYN|ACK that
     * would be sent. Null when the backlog is full or memory short. The listener is locked, the socket is not.
     */
    @GuardedBy("lp.inp.lock")
    Tcpcb straight(Tcpcb lp, Seg seg) {
        final TcpBare b = tcp.segs.claimBare();
        b.inc.set(seg);
        fill(b.entry, b.inc, lp, seg, false); // nothing will ask the number what the SYN said
        final Tcpcb made = SyncacheSocket.make(tcp, lp, b.entry, seg.nowNs);
        if (made != null) {
            respond.straight(b.entry, b, seg);
        }
        tcp.segs.release(b);
        return made;
    }

    private static boolean known(SyncacheShard sh, int bucket, InConninfo inc) {
        sh.lock.lock();
        try {
            return sh.find(bucket, inc) != null;
        } finally {
            sh.lock.unlock();
        }
    }

    /**
     * A SYN with a good cookie: a socket that is in use before the handshake is over. DIFFERS: FreeBSD drops the SYN
     * when there is no room for the socket.
     *
     * @return NEXT with {@link Seg#made}; DONE when the handshake must be over first (RFC 7413 section 4.2.2)
     * @bsd syncache_tfo_expand
     */
    @GuardedBy("lp.inp.lock")
    private Verdict fastopen(Tcpcb lp, Seg seg, TcpBare b) {
        fill(b.entry, b.inc, lp, seg, false); // the socket will know what the SYN said
        seg.made = SyncacheSocket.make(tcp, lp, b.entry, seg.nowNs);
        if (seg.made == null) {
            stat.aborted.increment();
            seg.fastopen = TcpFastopenKeys.NONE;
            return Verdict.DONE;
        }
        tcp.fastopen.accepted(lp, seg.made, tcp.fastopen.latest(b.inc, seg));
        return Verdict.NEXT;
    }

    @GuardedBy("lp.inp.lock")
    private void remember(Tcpcb lp, Seg seg, SyncacheShard sh, int bucket, TcpBare b) {
        sh.lock.lock();
        try {
            final SyncacheEntry old = sh.find(bucket, b.inc);
            if (old != null) {
                again(sh, old, seg, b);
                return;
            }
            final SyncacheEntry sc = room(sh, bucket, seg.nowNs);
            if (sc == null) {
                tcp.stat.listendrop.increment();
                return;
            }
            fill(sc, b.inc, lp, seg, pause.cookies());
            if (respond.transmit(sc, b, TcpHeader.TH_SYN | TcpHeader.TH_ACK, seg.nowNs) != Errno.OK) {
                sh.free(sc);
                stat.dropped.increment();
                return;
            }
            sh.link(sc, bucket);
            schedule(sh, sc, seg.nowNs);
            tcp.states.inc(TcpState.SYN_RECEIVED);
            stat.added.increment();
        } finally {
            sh.lock.unlock();
        }
    }

    /**
     * The SYN came again: so does our answer, and its timer starts afresh. One of another number is not the peer's, or
     * of a later connection of the peer: our answer makes the peer reset this one then, and changes nothing of it.
     */
    private void again(SyncacheShard sh, SyncacheEntry sc, Seg seg, TcpBare b) {
        stat.dupsyn.increment();
        if (seg.seq != sc.irs) {
            if (respond.transmit(sc, b, TcpHeader.TH_SYN | TcpHeader.TH_ACK, seg.nowNs) != Errno.OK) {
                stat.dropped.increment(); // it was but a reminder
            }
            return;
        }
        if (sc.has(SyncacheEntry.SCF_TIMESTAMP) && seg.hasOpt(Seg.TOF_TS)) {
            sc.tsreflect = seg.tsval;
        } else {
            sc.flags &= ~SyncacheEntry.SCF_TIMESTAMP;
        }
        TcpEcnShake.syncacheAgain(sc, seg);
        if (respond.transmit(sc, b, TcpHeader.TH_SYN | TcpHeader.TH_ACK, seg.nowNs) == Errno.OK) {
            sh.dequeue(sc);
            sc.rxmits = 0;
            schedule(sh, sc, seg.nowNs);
        } else {
            drop(sh, sc);
            stat.dropped.increment();
        }
    }

    /** A blank entry; when there is no room the oldest of the bucket makes some. Null when it cannot. */
    private SyncacheEntry room(SyncacheShard sh, int bucket, long nowNs) {
        if (sh.length(bucket) >= bucketLimit.getInt()) {
            throwOut(sh, bucket, nowNs);
        }
        final int limit = Math.ceilDiv(cacheLimit.getInt(), SHARDS);
        final SyncacheEntry sc = sh.alloc(limit);
        if (sc != null) {
            return sc;
        }
        stat.zonefail.increment();
        throwOut(sh, bucket, nowNs);
        return sh.alloc(limit);
    }

    private void throwOut(SyncacheShard sh, int bucket, long nowNs) {
        final SyncacheEntry oldest = sh.oldest(bucket);
        if (oldest != null) {
            sh.overflow(nowNs);
            drop(sh, oldest);
        }
        pause.begin(nowNs);
    }

    /**
     * What is agreed, of the SYN and the listener.
     *
     * @param cookies whether the initial number is to remember the SYN
     */
    @GuardedBy("lp.inp.lock")
    private void fill(SyncacheEntry sc, InConninfo inc, Tcpcb lp, Seg seg, boolean cookies) {
        sc.inc.set(inc);
        sc.flowid = inc.flow(tcp.tcbinfo);
        sc.flags = 0;
        sc.rxmits = 0;
        sc.rScale = 0;
        sc.sScale = 0;
        sc.tsoff = 0;
        sc.port = seg.port;
        sc.irs = seg.seq;
        listener(sc, lp);
        final boolean noopt = lp.has(Tcpcb.TF_NOOPT);
        if (noopt) {
            sc.flags |= SyncacheEntry.SCF_NOOPT;
        }
        final long hash = tcp.isn.hash(sc.inc);
        final int rfc1323 = noopt ? 0 : tcp.sysctl.rfc1323.getInt();
        if (seg.hasOpt(Seg.TOF_TS) && (rfc1323 == 1 || rfc1323 == 3)) {
            timestamps(sc, seg, hash);
        }
        if (seg.hasOpt(Seg.TOF_SCALE) && (rfc1323 == 1 || rfc1323 == 2)) {
            sc.flags |= SyncacheEntry.SCF_WINSCALE;
            sc.rScale = TcpSubr.windowScale(tcp);
            sc.sScale = seg.wscale;
        }
        if (seg.hasOpt(Seg.TOF_SACKPERM) && tcp.sysctl.sackEnable.getBool()) {
            sc.flags |= SyncacheEntry.SCF_SACK;
        }
        if (seg.hasOpt(Seg.TOF_SIGNATURE) && lp.has(Tcpcb.TF_SIGNATURE)) {
            sc.flags |= SyncacheEntry.SCF_SIGNATURE;
        }
        sc.flags |= TcpEcnShake.syncacheAdd(tcp, seg);
        sc.peerMss = seg.hasOpt(Seg.TOF_MSS) ? seg.mss : 0;
        if (seg.fastopen == TcpFastopenKeys.GRANT) {
            sc.flags |= SyncacheEntry.SCF_FASTOPEN;
            sc.cookie = tcp.fastopen.latest(sc.inc, seg);
        }
        if (cookies) {
            sc.iss = cookie.generate(sc);
            stat.sendcookie.increment();
        } else {
            sc.iss = TcpIsn.newIsn(hash, seg.nowNs);
        }
    }

    /** @param hash of {@link TcpIsn} */
    private void timestamps(SyncacheEntry sc, Seg seg, long hash) {
        sc.flags |= SyncacheEntry.SCF_TIMESTAMP;
        sc.tsreflect = seg.tsval;
        sc.tsoff = tcp.isn.newTsOffset(sc.inc, hash, tcp.sysctl.tsOffsetPerConn.getBool());
    }

    @GuardedBy("lp.inp.lock")
    private static void listener(SyncacheEntry sc, Tcpcb lp) {
        sc.ttl = lp.inp.ttl;
        sc.tos = lp.inp.tos;
        sc.inc.fib = TcpMss.fib(lp);
        sc.inc.minMtu = TcpMss.minMtu(lp.inp);
        sc.wnd = Math.clamp(lp.inp.so.rcv().hiwat(), 0, TcpHeader.TCP_MAXWIN);
    }

    /** When the next SYN|ACK is due, the one just sent counted. @bsd syncache_timeout */
    private void schedule(SyncacheShard sh, SyncacheEntry sc, long nowNs) {
        sc.rxttimeNs = nowNs + TcpTimers.synTimeoutNs(tcp, sc.rxmits);
        sc.rxmits++;
        sh.schedule(sc);
    }

    /** Sends again what nobody has acknowledged, the shard locked. @bsd syncache_timer */
    void timer(SyncacheShard sh) {
        sh.lock.lock();
        final TcpBare b = tcp.segs.claimBare();
        try {
            sh.fired();
            final long now = tcp.clock.nanoTime();
            final boolean paused = pause.paused() && pause.cookies();
            SyncacheEntry sc = sh.due(now);
            while (sc != null) {
                if (paused) {
                    drop(sh, sc);
                } else {
                    expired(sh, sc, b, now);
                }
                sc = sh.due(now);
            }
            sh.rearm();
        } finally {
            tcp.segs.release(b);
            sh.lock.unlock();
        }
    }

    private void expired(SyncacheShard sh, SyncacheEntry sc, TcpBare b, long nowNs) {
        if (sc.rxmits > rexmtLimit.getInt()) {
            drop(sh, sc);
            stat.stale.increment();
            return;
        }
        if (sc.rxmits > tcp.sysctl.ecnMaxretries.getInt()) {
            sc.flags &= ~SyncacheEntry.SCF_ECN_MASK;
        }
        if (respond.transmit(sc, b, TcpHeader.TH_SYN | TcpHeader.TH_ACK, nowNs) == Errno.OK) {
            sh.dequeue(sc);
            schedule(sh, sc, nowNs);
            stat.retransmitted.increment();
        } else {
            drop(sh, sc);
            stat.dropped.increment();
        }
    }

    /** Forgets an entry, its shard locked. @bsd syncache_drop */
    private void drop(SyncacheShard sh, SyncacheEntry sc) {
        sh.unlink(sc);
        sh.free(sc);
        tcp.states.dec(TcpState.SYN_RECEIVED);
    }

    // ---- what comes back ------------------------------------------------------------

    /**
     * A bare ACK at a listener, which is locked: if it completes a connection here, that becomes a socket.
     *
     * @return NEXT when {@link Seg#made} is the new connection, in SYN-RECEIVED and not locked, for which the segment
     *     is; otherwise what is to become of the segment
     * @bsd syncache_expand
     */
    @GuardedBy("lp.inp.lock")
    Verdict expand(Tcpcb lp, Seg seg) {
        final TcpBare b = tcp.segs.claimBare();
        b.inc.set(seg);
        final int hash = hash(b.inc);
        final SyncacheShard sh = shard(hash);
        final boolean only = pause.only();
        SyncacheEntry sc = null;
        Verdict v = Verdict.NEXT;
        sh.lock.lock();
        try {
            if (!only) {
                sc = sh.find(bucket(hash), b.inc);
            }
            if (sc != null) {
                v = acceptable(sc, seg);
                if (v == Verdict.NEXT) {
                    sh.unlink(sc); // ours alone from here on
                    sh.free(b.entry);
                    b.entry = sc;
                    tcp.states.dec(TcpState.SYN_RECEIVED);
                }
            } else if (!only && !cookiesRecently(sh, seg.nowNs)) {
                v = seg.dropWithReset(DropReason.TCP_LISTEN_BADSEG);
            }
        } finally {
            sh.lock.unlock();
        }
        if (v == Verdict.NEXT) {
            v = sc != null ? socket(lp, seg, sc) : fromCookie(lp, seg, b);
        }
        tcp.segs.release(b);
        return v;
    }

    /** Whether entries were thrown out of this shard within the life of a cookie. Its lock is held. */
    private boolean cookiesRecently(SyncacheShard sh, long nowNs) {
        return pause.cookies() && sh.overflowed(nowNs, Syncookie.LIFETIME_NS);
    }

    /**
     * The numbers, the signature and RFC 7323 for an entry; one that fails stays. DIFFERS: in FreeBSD an ACK of a wrong
     * number ends the entry, so that whoever guesses the ports can.
     */
    private Verdict acceptable(SyncacheEntry sc, Seg seg) {
        if (sc.port != seg.port) {
            return seg.dropWithReset(DropReason.TCP_LISTEN_BADSEG);
        }
        if (!completes(sc, seg)) {
            return seg.dropWithReset(DropReason.TCP_BAD_ACK);
        }
        if (sc.has(SyncacheEntry.SCF_SIGNATURE) && tcp.md5.demand(seg) != Verdict.NEXT) {
            return Verdict.DROP;
        }
        if (!sc.has(SyncacheEntry.SCF_TIMESTAMP)) {
            return Verdict.NEXT;
        }
        if (!seg.hasOpt(Seg.TOF_TS)) {
            return tcp.sysctl.tolerateMissingTs.getBool() ? Verdict.NEXT : seg.drop(DropReason.TCP_BADOPT);
        }
        return Seq.lt(seg.tsval, sc.tsreflect) ? seg.drop(DropReason.TCP_PAWS) : Verdict.NEXT;
    }

    @GuardedBy("lp.inp.lock")
    private Verdict fromCookie(Tcpcb lp, Seg seg, TcpBare b) {
        final SyncacheEntry sc = b.entry;
        sc.clear();
        sc.inc.set(b.inc);
        if (!cookie.lookup(sc, seg.ack - 1, seg.seq - 1)) {
            return seg.dropWithReset(DropReason.TCP_LISTEN_BADSEG);
        }
        if (tcp.md5.begins(lp, seg) != Verdict.NEXT) {
            return Verdict.DROP;
        }
        listener(sc, lp);
        sc.port = seg.port;
        if (seg.hasOpt(Seg.TOF_SIGNATURE)) {
            sc.flags |= SyncacheEntry.SCF_SIGNATURE;
        }
        if (sc.has(SyncacheEntry.SCF_WINSCALE)) {
            sc.rScale = TcpSubr.windowScale(tcp);
        }
        if (seg.hasOpt(Seg.TOF_TS)) {
            timestamps(sc, seg, tcp.isn.hash(sc.inc));
        }
        sc.flags |= TcpEcnShake.cookie(tcp, seg);
        stat.recvcookie.increment();
        return socket(lp, seg, sc);
    }

    /** The ACK must be for our SYN|ACK, its number in the window. A cookie that fits has been made of both. */
    private static boolean completes(SyncacheEntry sc, Seg seg) {
        return seg.ack == sc.iss + 1 && Seq.gt(seg.seq, sc.irs) && Seq.leq(seg.seq, sc.irs + sc.wnd);
    }

    @GuardedBy("lp.inp.lock")
    private Verdict socket(Tcpcb lp, Seg seg, SyncacheEntry sc) {
        seg.made = SyncacheSocket.make(tcp, lp, sc, seg.nowNs);
        if (seg.made != null) {
            stat.completed.increment();
            return Verdict.NEXT;
        }
        stat.aborted.increment();
        tcp.stat.listendrop.increment();
        return rstOnSockFail.getBool() ? seg.dropWithReset(DropReason.TCP_LISTEN_OVERFLOW)
            : seg.drop(DropReason.TCP_LISTEN_OVERFLOW);
    }

    /** A reset at a listener: RFC 5961 section 3.2 for the entry it may be for. @bsd syncache_chkrst */
    void chkrst(Seg seg) {
        if (pause.only()) {
            return;
        }
        final TcpBare b = tcp.segs.claimBare();
        b.inc.set(seg);
        final int hash = hash(b.inc);
        final SyncacheShard sh = shard(hash);
        sh.lock.lock();
        try {
            final SyncacheEntry sc = sh.find(bucket(hash), b.inc);
            final int nxt = sc == null ? 0 : sc.irs + 1;
            if (sc == null || sc.port != seg.port || seg.seq != nxt && !Seq.within(seg.seq, nxt, nxt + sc.wnd)) {
                tcp.stat.badrst.increment();
            } else if (sc.has(SyncacheEntry.SCF_SIGNATURE) && tcp.md5.demand(seg) != Verdict.NEXT) {
                tcp.stat.badrst.increment();
            } else if (seg.seq == nxt || tcp.sysctl.insecureRst.getBool()) {
                drop(sh, sc);
                stat.reset.increment();
            } else {
                tcp.stat.badrst.increment();
                if (respond.transmit(sc, b, TcpHeader.TH_ACK, seg.nowNs) != Errno.OK) {
                    drop(sh, sc);
                    stat.dropped.increment();
                }
            }
        } finally {
            sh.lock.unlock();
            tcp.segs.release(b);
        }
    }

    /**
     * A SYN|ACK at a listener: whoever sends it has no such connection. DIFFERS: in FreeBSD its number may be any.
     *
     * @bsd syncache_badack
     */
    void badack(Seg seg) {
        final TcpBare b = tcp.segs.claimBare();
        b.inc.set(seg);
        final int hash = hash(b.inc);
        final SyncacheShard sh = shard(hash);
        sh.lock.lock();
        try {
            final SyncacheEntry sc = sh.find(bucket(hash), b.inc);
            if (sc != null && sc.port == seg.port && seg.ack == sc.iss + 1) {
                drop(sh, sc);
                stat.badack.increment();
            }
        } finally {
            sh.lock.unlock();
            tcp.segs.release(b);
        }
    }

    /**
     * ICMP says that our SYN|ACK could not be delivered. Such word counts the second time, after three more SYN|ACKs.
     *
     * @bsd syncache_unreach
     */
    void unreach(InConninfo inc, int seq, int port) {
        final int hash = hash(inc);
        final SyncacheShard sh = shard(hash);
        sh.lock.lock();
        try {
            final SyncacheEntry sc = sh.find(bucket(hash), inc);
            if (sc == null || sc.port != port || sc.iss != seq) {
                return;
            }
            if (sc.has(SyncacheEntry.SCF_UNREACH) && sc.rxmits >= UNREACH_REXMITS) {
                drop(sh, sc);
                stat.unreach.increment();
            } else {
                sc.flags |= SyncacheEntry.SCF_UNREACH;
            }
        } finally {
            sh.lock.unlock();
        }
    }

    /** Resets a connection that is not complete yet, at the administrator's wish; whether there was one. */
    boolean abort(SockAddr local, SockAddr foreign) {
        final TcpBare b = tcp.segs.claimBare();
        b.inc.set(local, foreign);
        final int hash = hash(b.inc);
        final SyncacheShard sh = shard(hash);
        sh.lock.lock();
        try {
            final SyncacheEntry sc = sh.find(bucket(hash), b.inc);
            if (sc == null) {
                return false;
            }
            final Errno lost = respond.transmit(sc, b, TcpHeader.TH_RST | TcpHeader.TH_ACK, tcp.clock.nanoTime());
            if (lost != Errno.OK) {
                stat.dropped.increment(); // the peer will learn of it by what it sends next
            }
            drop(sh, sc);
            stat.reset.increment();
            return true;
        } finally {
            sh.lock.unlock();
            tcp.segs.release(b);
        }
    }

    // ---- for monitoring, and the end ------------------------------------------------------------

    /** Entries now. */
    int count() {
        int n = 0;
        for (final SyncacheShard sh : shards) {
            sh.lock.lock();
            try {
                n += sh.count();
            } finally {
                sh.lock.unlock();
            }
        }
        return n;
    }

    /** Visits every entry, its shard locked; the visitor must neither keep nor change it. @bsd syncache_pcblist */
    void forEach(Consumer<SyncacheEntry> visitor) {
        for (final SyncacheShard sh : shards) {
            sh.lock.lock();
            try {
                for (int i = 0; i < sh.buckets(); i++) {
                    for (SyncacheEntry e = sh.newest(i); e != null; e = e.hashNext) {
                        visitor.accept(e);
                    }
                }
            } finally {
                sh.lock.unlock();
            }
        }
    }

    /** Forgets all, and drains the timers. @bsd syncache_destroy */
    void destroy() {
        for (final SyncacheShard sh : shards) {
            assert sh.check();
            sh.lock.lock();
            try {
                for (int i = 0; i < sh.buckets(); i++) {
                    while (sh.oldest(i) != null) {
                        drop(sh, sh.oldest(i));
                    }
                }
            } finally {
                sh.lock.unlock();
            }
            sh.callout.drain();
        }
    }
}
