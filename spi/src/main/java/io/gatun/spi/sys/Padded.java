package io.gatun.spi.sys;

/**
 * Keeps the fields of a subclass a cache line away from those of whatever the collector puts in front of it; see
 * MbufPoolBench.
 */
public abstract class Padded {
    // The int fills the gap behind the object's header, where a field of the subclass would go otherwise.
    @SuppressWarnings("unused")
    private int p0;
    @SuppressWarnings("unused")
    private long p1;
    @SuppressWarnings("unused")
    private long p2;
    @SuppressWarnings("unused")
    private long p3;
    @SuppressWarnings("unused")
    private long p4;
    @SuppressWarnings("unused")
    private long p5;
    @SuppressWarnings("unused")
    private long p6;
    @SuppressWarnings("unused")
    private long p7;
    @SuppressWarnings("unused")
    private long p8;

    /** For subclasses. */
    protected Padded() {
        // nothing to set
    }
}
