package io.gatun.drivers.epair;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.VnetSide;
import java.util.Map;

/**
 * Makes {@code epairNa} and {@code epairNb}, both in one vnet; {@link Epair#join} makes a pair between two. Parameters:
 * see {@link Epair.Config#parse}.
 *
 * @bsd if_epair
 * @see <a href="https://man.freebsd.org/epair/4">epair(4)</a>
 */
public final class EpairDriver implements IfnetDriver {
    /** For ServiceLoader. */
    public EpairDriver() {
        // no state: a pair is its own
    }

    @Override
    public String name() {
        return "epair";
    }

    /** The {@code a} side; {@link Epair#peer} tells the other. @bsd epair_clone_create */
    @Override
    public Ifnet create(final VnetSide vnet, final int unit, final Map<String, String> params) throws ErrnoException {
        return Epair.join(vnet, vnet, unit, Epair.Config.parse(params)).a();
    }

    /** Ends both sides. @bsd epair_clone_destroy */
    @Override
    public void destroy(final Ifnet ifp) {
        ((EpairEnd) ifp.softc()).pair().destroy();
    }
}
