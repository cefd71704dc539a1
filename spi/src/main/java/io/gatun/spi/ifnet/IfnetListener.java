package io.gatun.spi.ifnet;

/** Hears of changes to interfaces. Called without locks by the thread that made the change. @bsd ifnet_arrival_event */
public interface IfnetListener {
    /** An interface was attached. */
    default void arrived(final Ifnet ifp) {
    }

    /** An interface is going: drop routes, addresses and cached pointers. */
    default void departing(final Ifnet ifp) {
    }

    /** Its addresses changed. @bsd ifaddr_event */
    default void addressChanged(final Ifnet ifp, final IfAddr addr, final boolean added) {
    }

    /** Link state, IFF_UP or MTU changed. @bsd ifnet_link_event */
    default void stateChanged(final Ifnet ifp) {
    }
}
