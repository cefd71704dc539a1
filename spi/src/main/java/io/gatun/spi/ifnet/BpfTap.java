package io.gatun.spi.ifnet;

import io.gatun.spi.mbuf.Mbuf;

/** A listener on an interface's packets, in both directions. @bsd struct bpf_if */
public interface BpfTap {
    /**
     * Sees a packet. Borrows m, and must not change it. Called by the data path: must neither block nor throw.
     *
     * @bsd bpf_mtap
     */
    void mtap(Ifnet ifp, Mbuf m, boolean outbound);
}
