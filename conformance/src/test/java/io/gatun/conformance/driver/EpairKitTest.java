package io.gatun.conformance.driver;

import io.gatun.drivers.epair.Epair;
import io.gatun.drivers.epair.EpairDriver;
import io.gatun.drivers.wrap.Fault;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.sys.Errno;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;

/** A pair whose other end observes. */
final class EpairKitTest {
    abstract static class OnEpair extends IfnetDriverKit {
        @Override
        protected List<IfnetDriver> drivers() {
            return List.of(new EpairDriver());
        }

        @Override
        protected KitPeer peer(Vnet vnet, KitLink link, Ifnet ifp) {
            Ifnet other = Epair.peer(ifp);
            if (other.up() != Errno.OK) {
                throw new AssertionError(other);
            }
            return KitPeer.of(link, other);
        }
    }

    @Nested
    final class Plain extends OnEpair {
    }

    @Nested
    final class Threaded extends OnEpair {
        @Override
        protected boolean threaded() {
            return true;
        }
    }

    @Nested
    final class ShortQueue extends OnEpair {
        @Override
        protected Map<String, String> params() {
            return Map.of("qlimit", "100", "mtu", "9000");
        }
    }

    @Nested
    final class SuperSegments extends OnEpair {
        @Override
        protected Map<String, String> params() {
            return Map.of("tso", "true", "mtu", "65535");
        }
    }

    /** The wrapper may not be noticed when it does nothing. */
    @Nested
    final class InFairWeather extends OnEpair {
        @Override
        protected KitPeer peer(Vnet vnet, KitLink link, Ifnet ifp) {
            Fault.wrap(ifp, Fault.Config.lossAndReorder(1, 0, 0));
            return super.peer(vnet, link, ifp);
        }
    }
}
