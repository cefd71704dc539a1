package io.gatun.netinet.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.icmp.HostCache;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.netinet.pcb.PcbAddrs;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.VirtualClock;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * TCP of a vnet on a virtual clock, between stand-ins: sockets above, a network layer below that keeps what is sent.
 * This host is 10.0.0.1, the peer 10.0.0.2.
 */
final class TcpFixture implements TcpNet, AutoCloseable {
    static final int HERE = 0x0a000001;
    static final int PEER = 0x0a000002;
    static final int LPORT = 80;
    static final int PPORT = 4321;
    static final int PEER_ISS = 1000;
    static final int WIN = 32_768;

    final VirtualClock clock = new VirtualClock();
    final Vnet vnet;
    final Tcp tcp;
    final Ifnet ifp;
    final HostCache hosts;
    final Deque<Out> sent = new ArrayDeque<>();
    final List<FakeSocket> sockets = new ArrayList<>();
    final Fib fib = new Fib(0);
    Errno outputError = Errno.OK;
    int learntMtu;
    /** What IP takes without cutting it. */
    int largest = Integer.MAX_VALUE;
    int resetsLeft = Integer.MAX_VALUE;

    TcpFixture() {
        this(1);
    }

    TcpFixture(long seed) {
        vnet = Vnet.builder().name("t").clock(clock).seed(seed).threads(false).services(false)
            .pool(MbufPool.builder().nmbufs(8192).nmbclusters(2048).nmbjumbop(64).nmbjumbo9(0).nmbjumbo16(64)).build();
        ifp = Ifnet.alloc(vnet, Ifnet.IFT_ETHER, "fake", 0, null);
        ifp.setMtu(1500);
        fib.add(SockAddr.in(0, 0), 0, new NextHop(ifp, 0, null, null, 0));
        hosts = new HostCache(vnet);
        tcp = new Tcp(vnet, new InpcbInfo(vnet, InDefs.IPPROTO_TCP, new Addrs()), this);
        assertThat(tcp.init()).isEqualTo(Errno.OK);
    }

    // ---- the network layer below ------------------------------------------------------------

    @Override
    public Errno output(Mbuf m, RouteCache ro, int number) {
        if (outputError != Errno.OK) {
            m.freeChain();
            return outputError;
        }
        if (m.pktLen() > largest) {
            m.freeChain();
            return Errno.EMSGSIZE;
        }
        ro.resolve(fib, IpHeader.dst(m, 0), m.flowid());
        sent.add(new Out(m));
        return Errno.OK;
    }

    @Override
    public NextHop route(RouteCache ro, int dst, int number, int flow) {
        return ro.resolve(fib, dst, flow);
    }

    @Override
    public boolean local(int addr) {
        return addr == HERE;
    }

    @Override
    public int mtu(int addr) {
        return learntMtu;
    }

    @Override
    public void updateMtu(int addr, int mtu) {
        learntMtu = mtu;
    }

    @Override
    public boolean mayReset(boolean open) {
        return resetsLeft-- > 0;
    }

    @Override
    public HostCache.Entry metrics(long hi, long lo) {
        return hosts.get(hi, lo);
    }

    @Override
    public void updateMetrics(long hi, long lo, HostCache.Metrics m) {
        hosts.update(hi, lo, m);
    }

    private static final class Addrs implements PcbAddrs {
        @Override
        public boolean local(SockAddr a) {
            return a.in4() == HERE;
        }

        @Override
        public void foreign(SockAddr dst) {
            // all are real
        }

        @Override
        public Errno source(Inpcb inp, SockAddr dst, int fib, RouteCache ro, SockAddr src) {
            src.setIn(HERE, 0);
            return Errno.OK;
        }
    }

    // ---- sockets above ------------------------------------------------------------

    FakeSocket socket() {
        final FakeSocket so = new FakeSocket(this);
        final Inpcb inp = tcp.tcbinfo.alloc(so, SockAddr.AF_INET);
        TcpSubr.newTcpcb(tcp, inp);
        sockets.add(so);
        return so;
    }

    static Tcpcb tcpcb(FakeSocket so) {
        return (Tcpcb) ((Inpcb) so.pcb()).ppcb;
    }

    FakeSocket listener() {
        final FakeSocket so = socket();
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            assertThat(tp.inp.bind(SockAddr.in(0, LPORT), Ucred.ROOT)).isEqualTo(Errno.OK);
            so.listenProto(4);
            TcpSubr.stateChange(tp, TcpState.LISTEN);
            tp.inp.listen();
        } finally {
            tp.inp.lock.unlock();
        }
        return so;
    }

    FakeSocket connect() {
        final FakeSocket so = socket();
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            assertThat(tp.inp.connect(SockAddr.in(PEER, PPORT), Ucred.ROOT)).isEqualTo(Errno.OK);
            assertThat(TcpSubr.activeOpen(tp)).isEqualTo(Errno.OK);
        } finally {
            tp.inp.lock.unlock();
        }
        return so;
    }

    /** As the user's send: appends and lets TCP see to it. */
    void send(FakeSocket so, byte[] data) {
        final Mbuf m = chain(data);
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            so.snd.appendStream(m, 0);
            TcpOutput.output(tp);
        } finally {
            tp.inp.lock.unlock();
        }
        vnet.poll();
    }

    /** As the user's receive: takes octets and lets TCP see to the window. */
    byte[] read(FakeSocket so, int n) {
        final byte[] b = so.rcv.read(n);
        output(so);
        return b;
    }

    void output(FakeSocket so) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            TcpOutput.output(tp);
        } finally {
            tp.inp.lock.unlock();
        }
        vnet.poll();
    }

    /** As shutdown for writing, or close. @bsd tcp_usrclosed */
    void shutdown(FakeSocket so, boolean close) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            so.cantSendMore();
            if (close) {
                so.isDisconnecting();
                tp.flags |= Tcpcb.TF_CLOSED;
                so.ref();
                tp.inp.setFlagBits(Inpcb.INP_SOCKREF, 0);
            }
            switch (tp.state) {
                case SYN_RECEIVED -> tp.flags |= Tcpcb.TF_NEEDFIN;
                case ESTABLISHED -> TcpSubr.stateChange(tp, TcpState.FIN_WAIT_1);
                case CLOSE_WAIT -> TcpSubr.stateChange(tp, TcpState.LAST_ACK);
                default -> { }
            }
            TcpOutput.output(tp);
        } finally {
            tp.inp.lock.unlock();
        }
        vnet.poll();
    }

    // ---- states ------------------------------------------------------------

    /** An established connection that the peer opened, without options. Nothing is left in {@link #sent}. */
    FakeSocket established() {
        return established(seg(TcpHeader.TH_SYN).seq(PEER_ISS).mss(1460));
    }

    FakeSocket established(In syn) {
        final FakeSocket l = listener();
        syn.arrive();
        final Out synAck = sent.remove();
        assertThat(synAck.flags & ~TcpEcn.FLAGS).isEqualTo(TcpHeader.TH_SYN | TcpHeader.TH_ACK);
        final In ack = seg(TcpHeader.TH_ACK).seq(syn.seq + 1).ack(synAck.seq + 1);
        if (syn.ts) {
            ack.ts(syn.tsval + 1, synAck.tsval);
        }
        ack.arrive();
        final FakeSocket so = l.comp.getLast();
        assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        assertThat(sent).isEmpty();
        return so;
    }

    // ---- segments of the peer ------------------------------------------------------------

    In seg(int flags) {
        return new In(flags);
    }

    /** A segment that the peer sends: a template, and what differs. */
    final class In {
        final int flags;
        int seq = PEER_ISS + 1;
        int ack;
        int win = WIN;
        int urp;
        int sport = PPORT;
        int dport = LPORT;
        int src = PEER;
        int dst = HERE;
        int mss;
        int wscale = -1;
        boolean sackPerm;
        int[] sacks = {};
        boolean ts;
        int tsval;
        int tsecr;
        byte[] cookie;
        String md5Key;
        byte[] data = {};
        int mflags;
        int tos;
        boolean badSum;
        int split;

        In(int flags) {
            this.flags = flags;
        }

        In seq(int v) {
            seq = v;
            return this;
        }

        In ack(int v) {
            ack = v;
            return this;
        }

        In win(int v) {
            win = v;
            return this;
        }

        In urp(int v) {
            urp = v;
            return this;
        }

        In mss(int v) {
            mss = v;
            return this;
        }

        In wscale(int v) {
            wscale = v;
            return this;
        }

        In sackPerm() {
            sackPerm = true;
            return this;
        }

        /** SACK blocks: left and right edges by turns. */
        In sack(int... edges) {
            sacks = edges;
            return this;
        }

        In ts(int val, int ecr) {
            ts = true;
            tsval = val;
            tsecr = ecr;
            return this;
        }

        /** Signed with a key. */
        In md5(String key) {
            md5Key = key;
            return this;
        }

        /** A Fast Open option; without octets it asks for a cookie. */
        In cookie(byte... octets) {
            cookie = octets;
            return this;
        }

        In data(byte[] b) {
            data = b;
            return this;
        }

        In data(int n) {
            data = pattern(0, n);
            return this;
        }

        In from(int addr, int port) {
            src = addr;
            sport = port;
            return this;
        }

        In to(int addr, int port) {
            dst = addr;
            dport = port;
            return this;
        }

        /** Type of service, marks of congestion included. */
        In tos(int v) {
            tos = v;
            return this;
        }

        In badSum() {
            badSum = true;
            return this;
        }

        In mflags(int f) {
            mflags = f;
            return this;
        }

        /** For the connection of {@code so}: its port, and an ACK of all it has received. */
        In on(FakeSocket so) {
            final Tcpcb tp = tcpcb(so);
            dport = tp.inp.lport();
            ack = tp.sndMax;
            seq = tp.rcvNxt;
            return this;
        }

        void arrive() {
            tcp.input.input(mbuf(), IpHeader.LEN, InDefs.IPPROTO_TCP);
            vnet.poll();
        }

        Mbuf mbuf() {
            final byte[] opts = options();
            final byte[] p = new byte[IpHeader.LEN + TcpHeader.SIZE + opts.length + data.length];
            p[0] = 0x45;
            p[1] = (byte) tos;
            put16(p, 2, p.length);
            p[8] = 64;
            p[9] = 6;
            put32(p, 12, src);
            put32(p, 16, dst);
            put16(p, 20, sport);
            put16(p, 22, dport);
            put32(p, 24, seq);
            put32(p, 28, ack);
            put16(p, 32, (5 + opts.length / 4) << 12 | flags);
            put16(p, 34, win);
            put16(p, 38, urp);
            System.arraycopy(opts, 0, p, 40, opts.length);
            System.arraycopy(data, 0, p, 40 + opts.length, data.length);
            if (md5Key != null) {
                System.arraycopy(digest(p, md5Key), 0, p, 44, 16);
            }
            final Mbuf m = packet(p);
            m.setFlags(mflags);
            if (!badSum) {
                m.csumFlags(Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR);
            }
            return m;
        }

        private byte[] options() {
            final byte[] o = new byte[40];
            int n = 0;
            if (md5Key != null) {
                put32(o, 0, 0x0101_1312); // first, so that its place is known
                n += 20;
            }
            if (mss != 0) {
                o[n] = 2;
                o[n + 1] = 4;
                put16(o, n + 2, mss);
                n += 4;
            }
            if (wscale >= 0) {
                o[n] = 1;
                o[n + 1] = 3;
                o[n + 2] = 3;
                o[n + 3] = (byte) wscale;
                n += 4;
            }
            if (sackPerm) {
                put32(o, n, 0x0101_0402);
                n += 4;
            }
            if (sacks.length > 0) {
                put32(o, n, 0x0101_0500 | 2 + 4 * sacks.length);
                n += 4;
                for (final int edge : sacks) {
                    put32(o, n, edge);
                    n += 4;
                }
            }
            if (ts) {
                put32(o, n, TcpOptions.TS_PREFIX);
                put32(o, n + 4, tsval);
                put32(o, n + 8, tsecr);
                n += 12;
            }
            if (cookie != null) {
                o[n] = 34;
                o[n + 1] = (byte) (2 + cookie.length);
                System.arraycopy(cookie, 0, o, n + 2, cookie.length);
                n += (2 + cookie.length + 3) / 4 * 4;
            }
            return Arrays.copyOf(o, n);
        }
    }

    /** The signature of an IPv4 packet without IP options, by RFC 2385 section 2.0. */
    static byte[] digest(byte[] p, String key) {
        try {
            final MessageDigest md = MessageDigest.getInstance("MD5");
            md.update(p, 12, 8);
            md.update(new byte[] {0, 6, (byte) (p.length - 20 >> 8), (byte) (p.length - 20)});
            md.update(p, 20, 16);
            md.update(new byte[2]);
            md.update(p, 38, 2);
            final int text = 20 + (p[32] >> 4 & 0xf) * 4;
            md.update(p, text, p.length - text);
            return md.digest(key.getBytes(StandardCharsets.US_ASCII));
        } catch (final NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static void put16(byte[] b, int at, int v) {
        b[at] = (byte) (v >> 8);
        b[at + 1] = (byte) v;
    }

    static void put32(byte[] b, int at, int v) {
        put16(b, at, v >>> 16);
        put16(b, at + 2, v);
    }

    Mbuf packet(byte[] p) {
        final Mbuf m = vnet.pool().getm2(null, p.length, Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        assertThat(m.copyBack(0, p.length, p, 0)).isTrue();
        m.pktLen(p.length);
        m.rcvif(ifp);
        return m;
    }

    Mbuf chain(byte[] data) {
        final Mbuf m = vnet.pool().getm2(null, data.length, Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        assertThat(m.copyBack(0, data.length, data, 0)).isTrue();
        m.demote(true, 0);
        return m;
    }

    /** Octets that depend on their place in the stream. */
    static byte[] pattern(int from, int n) {
        final byte[] b = new byte[n];
        for (int i = 0; i < n; i++) {
            final int x = (from + i) * 0x9e3779b1;
            b[i] = (byte) (x >>> 24 ^ x >>> 8);
        }
        return b;
    }

    // ---- time and checks ------------------------------------------------------------

    /** Lets time pass in steps no longer than to the next timer. */
    void pass(long ms) {
        final long end = clock.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        while (vnet.calloutsArmed() > 0 && vnet.nextDeadlineNs() - end <= 0) {
            clock.advanceTo(vnet.nextDeadlineNs());
            vnet.poll();
        }
        clock.advanceTo(end);
        vnet.poll();
    }

    Out only() {
        assertThat(sent).as("segments sent").hasSize(1);
        return sent.remove();
    }

    void none() {
        assertThat(sent).as("segments sent").isEmpty();
    }

    long stat(String name) {
        return vnet.counters().get("tcp." + name);
    }

    long drops(DropReason r) {
        return vnet.drops(r);
    }

    void sysctl(String name, String value) {
        assertThat(vnet.sysctl().set("net.inet.tcp." + name, value)).isEqualTo(Errno.OK);
    }

    /** Ends all connections and checks that nothing is left. */
    @Override
    public void close() {
        tcp.syncache.destroy();
        hosts.destroy();
        for (final FakeSocket so : sockets) {
            if (so.pcb() instanceof Inpcb inp && inp.ppcb instanceof Tcpcb tp) {
                tp.inp.lock.lock();
                try {
                    assert TcpReass.check(tp);
                    TcpSubr.close(tp);
                    TcpSubr.discard(tp);
                    tp.inp.free();
                } finally {
                    tp.inp.lock.unlock();
                }
                TcpSubr.drain(tp);
            }
            so.snd.destroy();
            so.rcv.destroy();
        }
        vnet.poll();
        assertThat(tcp.tcbinfo.count()).isZero();
        assertThat(vnet.calloutsArmed()).as("callouts armed").isZero();
        vnet.pool().check();
        assertThat(vnet.pool().outstanding()).as("mbufs outstanding %s", vnet.pool().leakReport()).isZero();
        vnet.close();
    }
}
