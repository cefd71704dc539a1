package io.gatun.netinet.tcp;

/**
 * A connection's search for a larger segment size. Sizes are as {@link Tcpcb#maxseg}, which is the largest that is
 * known to pass. Only connections that search have one.
 *
 * <p>Locking key: (i) the pcb's lock.
 */
final class TcpPlpmtudCb {
    int most;         // (i) what the peer and the link take
    int high;         // (i) the largest that may pass, as far as is known
    int size;         // (i) what is tried; 0: not chosen yet
    int tries;        // (i) probes of it that were lost
    boolean whole;    // (i) {@code high} itself is tried next, not the middle
    boolean done;     // (i) found, until it is time to search anew
    long nextNs;      // (i) no probe before
    int start;        // (i) the probe that is out, while TF2_PLPMTU_PROBE is set
    int end;          // (i) its end

    TcpPlpmtudCb() {
        // filled by TcpPlpmtud
    }
}
