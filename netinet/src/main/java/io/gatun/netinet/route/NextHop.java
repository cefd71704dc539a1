package io.gatun.netinet.route;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;

/**
 * Where a route leads: one way, or several with a weight each, of which {@link #select} chooses by flow. Immutable, so
 * that whoever holds one may read it without a lock; whether it is still the answer is told by the {@link Fib}'s
 * generation.
 *
 * @bsd struct nhop_object
 */
public final class NextHop {
    /** Reached through a gateway. @bsd NHF_GATEWAY */
    public static final int NHF_GATEWAY = 0x1;
    /** A route to one host. @bsd NHF_HOST */
    public static final int NHF_HOST = 0x2;
    /** Refused with an error. @bsd NHF_REJECT */
    public static final int NHF_REJECT = 0x4;
    /** Dropped without a word. @bsd NHF_BLACKHOLE */
    public static final int NHF_BLACKHOLE = 0x8;
    /** The default route. @bsd NHF_DEFAULT */
    public static final int NHF_DEFAULT = 0x10;
    /** Made from an interface's address: goes and comes with it. @bsd RTF_PINNED */
    public static final int NHF_PINNED = 0x20;
    /** One of this host's own addresses. @bsd RTF_LOCAL */
    public static final int NHF_LOCAL = 0x40;
    /** The broadcast address of a network on the link. @bsd NHF_BROADCAST */
    public static final int NHF_BROADCAST = 0x80;
    /** Made by an ICMP redirect. @bsd NHF_REDIRECT */
    public static final int NHF_REDIRECT = 0x100;
    /** The largest weight of a way. */
    public static final int MAX_WEIGHT = 255;

    /** The interface; for a reject or blackhole route it may be null. */
    public final Ifnet ifp;
    /** NHF_*. */
    public final int flags;
    /** The router's address, or null when the destination itself is on the link. Not to be changed. */
    public final SockAddr gateway;
    /** The address to send from when the sender has not chosen one, or null. Not to be changed. */
    public final SockAddr src;
    private final int mtu;
    private final int weight;
    private final NextHop[] paths; // null for one way

    /**
     * @param ifp interface, null for a reject or blackhole route without one
     * @param flags NHF_*; NHF_GATEWAY is set by this when there is a gateway
     * @param gateway or null
     * @param src preferred source address, or null
     * @param mtu octets, or 0 for the interface's
     */
    public NextHop(Ifnet ifp, int flags, SockAddr gateway, SockAddr src, int mtu) {
        this(ifp, gateway == null ? flags : flags | NHF_GATEWAY, gateway, src, mtu, 1);
    }

    private NextHop(Ifnet ifp, int flags, SockAddr gateway, SockAddr src, int mtu, int weight) {
        this.ifp = ifp;
        this.flags = flags;
        this.gateway = gateway;
        this.src = src;
        this.mtu = mtu;
        this.weight = weight;
        paths = null;
    }

    /** Several ways; what is read of it as if it were one is the first's. */
    private NextHop(NextHop[] paths) {
        NextHop first = paths[0];
        ifp = first.ifp;
        flags = first.flags;
        gateway = first.gateway;
        src = first.src;
        mtu = first.mtu;
        int sum = 0;
        for (NextHop nh : paths) {
            sum += nh.weight;
        }
        weight = sum;
        this.paths = paths;
    }

    // Several ways.

    /** Whether it has several ways. @bsd NH_IS_NHGRP */
    public boolean multipath() {
        return paths != null;
    }

    /**
     * The way of a flow: the hash scaled to the sum of the weights, so that a flow keeps its way while the ways stay.
     *
     * @bsd nhop_select
     */
    public NextHop select(int flowid) {
        if (paths == null) {
            return this;
        }
        int at = (int) ((flowid & 0xffff_ffffL) * weight >>> Integer.SIZE);
        int i = 0;
        while (at >= paths[i].weight) {
            at -= paths[i].weight;
            i++;
        }
        return paths[i];
    }

    /** Its ways; itself when it has one. */
    public List<NextHop> paths() {
        return paths == null ? List.of(this) : List.of(paths);
    }

    /** Its share of the flows beside others of its prefix; the sum for several ways. @bsd rmx_weight */
    public int weight() {
        return weight;
    }

    /** The same with another weight. */
    NextHop weighted(int w) {
        return w == weight ? this : new NextHop(ifp, flags, gateway, src, mtu, w);
    }

    /** The same as the way of a default route. */
    NextHop asDefault() {
        return has(NHF_DEFAULT) ? this : new NextHop(ifp, flags | NHF_DEFAULT, gateway, src, mtu, weight);
    }

    /** With one more way; null when it has that one. @bsd nhgrp_get_addition_group */
    NextHop with(NextHop more, int w) {
        List<NextHop> all = new ArrayList<>(paths());
        for (NextHop nh : all) {
            if (nh.ifp == more.ifp && Objects.equals(nh.gateway, more.gateway)) {
                return null;
            }
        }
        all.add(more.weighted(w));
        return new NextHop(all.toArray(NextHop[]::new));
    }

    /** Without some ways: null when none is left, itself when none went. @bsd nhgrp_get_filtered_group */
    NextHop without(Predicate<NextHop> which) {
        List<NextHop> left = new ArrayList<>(paths());
        left.removeIf(which);
        if (left.size() == paths().size()) {
            return this;
        }
        return left.isEmpty() ? null : left.size() == 1 ? left.getFirst() : new NextHop(left.toArray(NextHop[]::new));
    }

    /** Whether any way goes through an interface. */
    public boolean uses(Ifnet which) {
        for (NextHop nh : paths()) {
            if (nh.ifp == which) {
                return true;
            }
        }
        return false;
    }

    /** Whether any of these NHF_* bits is set. */
    public boolean has(int bits) {
        return (flags & bits) != 0;
    }

    /** Octets of the largest packet that may go this way. @bsd nh_mtu */
    public int mtu() {
        int link = ifp.mtu();
        return mtu != 0 && mtu < link ? mtu : link;
    }

    /** The MTU asked for when the route was made; 0 for the interface's. */
    public int routeMtu() {
        return mtu;
    }

    /** For people, as netstat -r shows it. */
    @Override
    public String toString() {
        return String.join(", ", paths().stream().map(NextHop::text).toList());
    }

    private String text() {
        String to = gateway == null ? "link" : gateway.toInetSocketAddress().getAddress().getHostAddress();
        String how = has(NHF_REJECT) ? " reject" : has(NHF_BLACKHOLE) ? " blackhole" : "";
        return to + (ifp == null ? "" : " " + ifp.xname()) + how;
    }
}
