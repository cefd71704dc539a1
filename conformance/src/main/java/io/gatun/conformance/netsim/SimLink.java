package io.gatun.conformance.netsim;

/** A link between two hosts: two ways, each with its own queue. */
public final class SimLink {
    private final LinkWay there;
    private final LinkWay back;
    private final int unit;
    private final boolean v6;

    SimLink(final LinkWay there, final LinkWay back, final int unit, final boolean v6) {
        this.there = there;
        this.back = back;
        this.unit = unit;
        this.v6 = v6;
        there.back(back);
        back.back(there);
    }

    /** The way from the first host to the second. */
    public LinkWay there() {
        return there;
    }

    /** The way from the second host to the first. */
    public LinkWay back() {
        return back;
    }

    /** The way that leaves a host. */
    LinkWay leaving(final SimHost h) {
        return there.from() == h ? there : back.from() == h ? back : null;
    }

    boolean v6() {
        return v6;
    }

    /** The network of the link. */
    String prefix() {
        return v6 ? "2001:db8:0:" + Integer.toHexString(unit) + "::/64"
            : "10." + (unit >> Byte.SIZE) + "." + (unit & 0xff) + ".0/24";
    }

    /** The address of a host on it. */
    String address(final SimHost h) {
        final String side = there.from() == h ? "1" : "2";
        return v6 ? "2001:db8:0:" + Integer.toHexString(unit) + "::" + side
            : "10." + (unit >> Byte.SIZE) + "." + (unit & 0xff) + "." + side;
    }

    @Override
    public String toString() {
        return "there: " + there + ", back: " + back;
    }
}
