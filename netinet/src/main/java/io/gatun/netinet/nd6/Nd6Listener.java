package io.gatun.netinet.nd6;

import io.gatun.netinet.ip6.In6Ifaddr;
import java.util.List;

/**
 * Hears what neighbour discovery finds out. Called by a thread that holds no lock of the stack, in the order of what
 * happened; must not wait.
 *
 * @bsd rtsock
 */
public interface Nd6Listener {
    /** Somebody else has an address of this host, whether it was being checked or in use. @bsd nd6_dad_duplicated */
    default void duplicate(final Nd6Duplicate what) {
    }

    /** Somebody asked whether an address of this host may be taken, and was told that it may not. */
    default void defended(final In6Ifaddr ia) {
    }

    /** An address was checked, nobody else has it, it is in use from now on. */
    default void ready(final In6Ifaddr ia) {
    }

    /** An address is gone, for its lifetime is over. */
    default void expired(final In6Ifaddr ia) {
    }

    /**
     * Routers named DNS servers or domains (RFC 8106): what is valid now, on one interface.
     *
     * @param servers addresses, of link scope with a zone
     * @param domains names to search in
     */
    default void dns(final String ifname, final List<String> servers, final List<String> domains) {
    }
}
