package io.gatun.netinet.pcb;

/** Scratch for endpoints being worked out, before they are committed. One for a table, under its hash lock. */
final class Endpoints {
    long fhi;
    long flo;
    long lhi;
    long llo;
    int fport;
    /** INP_IPV4 or INP_IPV6. */
    int vflag;

    void set(final int version, final long localHi, final long localLo) {
        vflag = version;
        lhi = localHi;
        llo = localLo;
    }

    void peer(final long hi, final long lo, final int port) {
        fhi = hi;
        flo = lo;
        fport = port;
    }

    /** AF_*. */
    int family() {
        return PcbWire.family(vflag);
    }
}
