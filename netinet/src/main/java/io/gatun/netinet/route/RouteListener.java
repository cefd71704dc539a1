package io.gatun.netinet.route;

import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;

/** Hears of each change of a table, in the order of the changes, and of what routes come from. @bsd rib_subscribe */
@FunctionalInterface
public interface RouteListener {
    /** After the change is visible, with the table locked: must not wait, nor change a table. */
    void changed(RouteEvent event);

    /** An interface got or lost an address. @bsd RTM_NEWADDR, RTM_DELADDR */
    default void addressChanged(final Ifnet ifp, final IfAddr addr, final boolean added) {
        // of interest to few
    }

    /** An interface's link state, flags or MTU changed. @bsd RTM_IFINFO */
    default void interfaceChanged(final Ifnet ifp) {
        // of interest to few
    }

    /** An interface came, or is going. @bsd RTM_IFANNOUNCE */
    default void interfaceAnnounced(final Ifnet ifp, final boolean arrived) {
        // of interest to few
    }
}
