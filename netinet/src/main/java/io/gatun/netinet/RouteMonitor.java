package io.gatun.netinet;

import io.gatun.netinet.route.RouteEvent;
import io.gatun.netinet.route.RouteListener;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetListener;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Tells listeners of changes of all tables and of all interfaces: what a routing socket says.
 *
 * <p>Locking key: (v) published.
 *
 * @bsd rtsock.c
 */
final class RouteMonitor implements RouteListener, IfnetListener {
    private final List<RouteListener> listeners = new CopyOnWriteArrayList<>(); // (v)

    void add(final RouteListener l) {
        listeners.add(l);
    }

    void remove(final RouteListener l) {
        listeners.remove(l);
    }

    @Override
    public void changed(final RouteEvent event) {
        for (final RouteListener l : listeners) {
            l.changed(event);
        }
    }

    @Override
    public void addressChanged(final Ifnet ifp, final IfAddr addr, final boolean added) {
        for (final RouteListener l : listeners) {
            l.addressChanged(ifp, addr, added);
        }
    }

    @Override
    public void stateChanged(final Ifnet ifp) {
        for (final RouteListener l : listeners) {
            l.interfaceChanged(ifp);
        }
    }

    @Override
    public void arrived(final Ifnet ifp) {
        for (final RouteListener l : listeners) {
            l.interfaceAnnounced(ifp, true);
        }
    }

    @Override
    public void departing(final Ifnet ifp) {
        for (final RouteListener l : listeners) {
            l.interfaceAnnounced(ifp, false);
        }
    }
}
