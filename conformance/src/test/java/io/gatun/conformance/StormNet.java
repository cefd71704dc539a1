package io.gatun.conformance;

import io.gatun.drivers.epair.Epair;
import io.gatun.drivers.wrap.Fault;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetSlots;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * Two hosts, at times with a router between, on which anything may fail: frames on their way, mbufs, what interfaces
 * take, their MTU, the limits of every pool. {@link #calm} ends all that.
 */
final class StormNet {
    private static final String TCP = "net.inet.tcp.";
    private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final int MTU = 1500;
    private static final int MOST_AT_ONCE = 50_000;
    private static final int SHOWN = 110;

    /** What may be another value from the start: node, then values. */
    private static final String[][] START = {
        {"sack.enable", "1", "1", "0"}, {"rack.enable", "1", "1", "0"}, {"rfc1323", "0", "1", "1", "2", "3"},
        {"ecn.enable", "0", "1", "2", "3", "4"}, {"cc.algorithm", "newreno", "cubic", "dctcp"},
        {"frto", "1", "0"}, {"do_lrd", "1", "0"}, {"dsack_undo", "1", "0"}, {"delayed_ack", "1", "1", "0"},
        {"tso", "1", "0"}, {"rfc3042", "1", "0"}, {"rfc3465", "1", "0"}, {"initcwnd_segments", "1", "10", "64"},
        {"fastopen.server_enable", "0", "1"}, {"syncookies", "1", "0"}, {"syncookies_only", "0", "0", "1"},
        {"plpmtud.enable", "0", "1", "2"}, {"pmtud_blackhole_detection", "0", "1"},
        {"ts_offset_per_conn", "1", "0"}, {"sendspace", "32768", "2048", "8192"},
        {"recvspace", "65536", "3000", "10000"}, {"sendbuf_auto", "1", "0"}, {"recvbuf_auto", "1", "0"},
        {"cc.abe", "0", "1"}, {"map_limit", "1048576", "0", "64"},
        {"minmss", "216", "600"}, {"abc_l_var", "2", "1", "20"}, {"path_mtu_discovery", "1", "1", "0"},
        {"fast_finwait2_recycle", "0", "1"}, {"rexmit_slop", "200", "20"}, {"rexmit_min", "30", "1"},
        {"persmin", "5000", "100"}, {"nolocaltimewait", "0", "1"}, {"maxtcptw", "1000", "1"},
        {"hostcache.enable", "1", "0"}};

    /** What may change at any time. */
    private static final String[][] LATER = {
        {"sack.enable", "1", "0"}, {"rack.enable", "1", "0"}, {"map_limit", "1048576", "0", "16", "40", "200"},
        {"sack.maxholes", "128", "0", "3"}, {"sack.globalmaxholes", "65536", "0", "5"},
        {"reass.maxqueuelen", "100", "0", "2"}, {"reass.maxsegments", "10000", "0", "4"}, {"tso", "1", "0"},
        {"syncache.cachelimit", "16384", "0", "1"}, {"syncookies", "1", "0"}, {"rfc3042", "1", "0"},
        {"cc.algorithm", "newreno", "cubic", "dctcp"}, {"delayed_ack", "1", "0"}, {"delacktime", "40", "0", "200"},
        {"sendbuf_max", "2097152", "4000"}, {"recvbuf_max", "2097152", "4000"}, {"lro.entries", "8", "0", "1"},
        {"hostcache.purgenow", "1"}, {"fastopen.server_enable", "0", "1"}, {"fastopen.client_enable", "0", "1"},
        {"path_mtu_discovery", "1", "0"}, {"frto", "1", "0"}, {"ecn.enable", "0", "1", "2", "3", "4"},
        {"challenge_ack_limit", "1000", "1"}, {"dsack_undo", "1", "0"}, {"pmtud_blackhole_detection", "0", "1"}};

    final Vnet left;
    final Vnet right;
    private final Bed bed;
    private final SplittableRandom r;
    private final List<Vnet> hosts = new ArrayList<>();
    private final List<Ifnet> ifps = new ArrayList<>();
    private final List<Ifnet> down = new ArrayList<>();
    private final boolean routed;
    final boolean tunneled;
    private boolean calm;
    private double refusing;
    private long instant;
    private int frames;       // at that instant
    private final StringBuilder last = new StringBuilder();

    StormNet(final Bed bed, final SplittableRandom r) throws ErrnoException {
        this.bed = bed;
        this.r = r;
        for (final String[] s : START) {
            if (r.nextInt(4) == 0) {
                bed.sysctl(TCP + s[0], s[1 + r.nextInt(s.length - 1)]);
            }
        }
        bed.sysctl(TCP + "keepidle", "60000"); // so that who has missed a reset hears of it
        bed.sysctl(TCP + "keepintvl", "5000");
        tunneled = r.nextInt(6) == 0;
        bed.sysctl(TCP + "udp_tunneling_port", tunneled ? "9899" : "0");
        routed = r.nextInt(3) == 0;
        left = host("left");
        if (routed) {
            final Vnet router = host("router");
            right = host("right");
            Bed.config(router).setForwarding(true);
            Bed.config(router).setForwarding6(true);
            cable(left, router, "10.0.1.1/24", "10.0.1.254/24", "2001:db8:1::1/64", "2001:db8:1::fe/64");
            cable(right, router, "10.0.2.1/24", "10.0.2.254/24", "2001:db8:2::1/64", "2001:db8:2::fe/64");
            route(left, "1");
            route(right, "2");
        } else {
            right = host("right");
            cable(left, right, "10.0.1.1/24", "10.0.1.2/24", "2001:db8:1::1/64", "2001:db8:1::2/64");
        }
    }

    String to(final boolean six) {
        return six ? routed ? "2001:db8:2::1" : "2001:db8:1::2" : routed ? "10.0.2.1" : "10.0.1.2";
    }

    static String from(final boolean six) {
        return six ? "2001:db8:1::1" : "10.0.1.1";
    }

    private Vnet host(final String name) {
        final Vnet v = bed.vnet(name);
        hosts.add(v);
        return v;
    }

    private static void route(final Vnet v, final String net) throws ErrnoException {
        Bed.config(v).addDefault("10.0." + net + ".254");
        Bed.config(v).addRoute("::/0", "2001:db8:" + net + "::fe", null);
    }

    private void cable(final Vnet a, final Vnet b, final String... addresses) throws ErrnoException {
        final boolean tso = !routed && r.nextInt(3) == 0; // a router that cuts what is spoilt would make it good
        final Epair cable = bed.cable(a, b, new Epair.Config(r.nextInt(6) == 0 ? 9000 : MTU,
            r.nextInt(3) == 0 ? 8 : 4096, true, tso));
        stormy(cable.a());
        stormy(cable.b());
        for (int i = 0; i < addresses.length; i += 2) {
            Bed.config(a).addAddress(cable.a(), addresses[i]);
            Bed.config(b).addAddress(cable.b(), addresses[i + 1]);
        }
    }

    private void stormy(final Ifnet ifp) {
        ifps.add(ifp);
        final IfnetSlots.TransmitFn below = ifp.transmitFn();
        final double bad = r.nextInt(4) == 0 ? 0.2 : r.nextDouble() * 0.05;
        Fault.wrap(ifp, new Fault.Config(r.nextLong(), bad, bad * r.nextDouble(), bad * r.nextInt(3),
            bad * r.nextDouble(), r.nextInt(20) * MS, r.nextInt(4) * MS, r.nextInt(1, 30) * MS, 1000));
        final IfnetSlots.TransmitFn faulty = ifp.transmitFn();
        ifp.setTransmitFn((i, m) -> {
            count(i, m);
            if (calm) {
                return below.transmit(i, m);
            }
            if (r.nextDouble() < refusing) {
                return refuse(m);
            }
            return faulty.transmit(i, m);
        });
    }

    /** Two hosts that answer each other for ever, at once, would keep the test from its end. Borrows m. */
    private void count(final Ifnet ifp, final Mbuf m) {
        final long now = bed.clock.nanoTime();
        frames = now == instant ? frames + 1 : 0;
        instant = now;
        if (frames > MOST_AT_ONCE) {
            final byte[] f = new byte[Math.min(m.pktLen(), SHOWN)];
            m.copyData(0, f.length, f, 0);
            last.append('\n').append(ifp.xname()).append(' ').append(HexFormat.of().formatHex(f));
        }
        if (frames > MOST_AT_ONCE + 8) {
            throw new AssertionError("they answer each other for ever:" + last);
        }
    }

    private static Errno refuse(final Mbuf first) {
        first.freePkts();
        return Errno.ENOBUFS;
    }

    /** Something fails from here on, or does not any more. */
    void shake() {
        switch (r.nextInt(8)) {
            case 0, 1, 2 -> bed.pool.refuse(r.nextInt(1, 60), r.nextInt(1, r.nextInt(4) == 0 ? 40 : 4));
            case 3 -> sysctl(LATER[r.nextInt(LATER.length)]);
            case 4 -> refusing = r.nextInt(2) * r.nextDouble() * 0.5;
            case 5 -> ifps.get(r.nextInt(ifps.size())).setMtu(r.nextInt(4) == 0 ? MTU : r.nextInt(576, 9000));
            default -> { }
        }
        if (r.nextInt(200) == 0) {
            upOrDown();
        }
    }

    private void upOrDown() {
        if (!down.isEmpty()) {
            down.removeLast().up();
        } else {
            final Ifnet ifp = ifps.get(r.nextInt(ifps.size()));
            ifp.down();
            down.add(ifp);
        }
    }

    private void sysctl(final String... s) {
        hosts.get(r.nextInt(hosts.size())).sysctl().set(TCP + s[0], s[1 + r.nextInt(s.length - 1)]);
    }

    /** Nothing fails any more. What a path's MTU is stays as it is, if it can be used at all. */
    void calm() {
        calm = true;
        bed.pool.refuse(0, 0);
        for (final Ifnet ifp : down) {
            ifp.up();
        }
        down.clear();
        int least = MTU;
        for (final Ifnet ifp : ifps) {
            least = Math.min(least, Math.max(ifp.mtu(), 1280));
        }
        for (final Ifnet ifp : ifps) {
            ifp.setMtu(least);
        }
        for (final Vnet v : hosts) {
            v.sysctl().set(TCP + "syncache.cachelimit", "16384");
        }
    }

    /**
     * Whether a connection came from a cookie: what the peer sent behind the segment that brought it back may have come
     * before it, and nobody knew it then, so that it was reset.
     */
    boolean cookies() {
        return right.counters().get("tcp.sc_recvcookie") > 0;
    }

    /** What the hosts have counted. */
    String describe() {
        final StringBuilder out = new StringBuilder(routed ? " routed" : "");
        for (final Vnet v : hosts) {
            out.append('\n').append(v.name()).append(':');
            v.counters().forEach((k, n) -> out.append(n == 0 ? "" : " " + k + "=" + n));
        }
        return out.toString();
    }
}
