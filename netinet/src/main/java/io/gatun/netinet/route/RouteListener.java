package io.gatun.netinet.route;

/** Hears of each change of a table, in the order of the changes. @bsd rib_subscribe */
@FunctionalInterface
public interface RouteListener {
    /** After the change is visible, with the table locked: must not wait, nor change a table. */
    void changed(RouteEvent event);
}
