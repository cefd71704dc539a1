package io.gatun.conformance.netsim;

/** A link between two hosts: two ways, each with its own queue. */
public final class SimLink {
    private final LinkWay there;
    private final LinkWay back;
    private final int unit;

    SimLink(final LinkWay there, final LinkWay back, final int unit) {
        this.there = there;
        this.back = back;
        this.unit = unit;
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

    /** The network of the link. */
    String prefix() {
        return "10." + (unit >> Byte.SIZE) + "." + (unit & 0xff) + ".0/24";
    }

    /** The address of a host on it. */
    String address(final SimHost h) {
        return "10." + (unit >> Byte.SIZE) + "." + (unit & 0xff) + (there.from() == h ? ".1" : ".2");
    }

    @Override
    public String toString() {
        return "there: " + there + ", back: " + back;
    }
}
