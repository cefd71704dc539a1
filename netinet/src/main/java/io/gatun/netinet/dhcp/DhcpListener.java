package io.gatun.netinet.dhcp;

/** Hears of a client's lease. Called with the client's lock held: must not wait for another call of the client. */
public interface DhcpListener {
    /** The lease is in force: its address and routes have been set. Again when it has been extended or has changed. */
    default void bound(final DhcpLease lease) {
    }

    /** The lease is gone, and its address and routes with it. The client begins anew. */
    default void lost(final DhcpLease lease, final String why) {
    }
}
