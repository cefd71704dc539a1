package io.gatun.conformance.driver;

import io.gatun.drivers.epair.Epair;
import io.gatun.drivers.epair.EpairDriver;
import io.gatun.drivers.vlan.VlanDriver;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;

/** A vlan on one end of a pair; a vlan of the same vid on the other end observes. */
final class VlanKitTest {
    abstract static class OnPair extends IfnetDriverKit {
        @Override
        protected List<IfnetDriver> drivers() {
            return List.of(new VlanDriver(), new EpairDriver());
        }

        @Override
        protected Map<String, String> params() {
            return Map.of("parent", "epair0a", "vid", "42", "pcp", "5");
        }

        protected Map<String, String> pairParams() {
            return Map.of();
        }

        @Override
        protected void prepare(Vnet vnet) throws ErrnoException {
            Ifnet a = vnet.ifnets().create("epair0", pairParams());
            up(a);
            up(Epair.peer(a));
        }

        @Override
        protected KitPeer peer(Vnet vnet, KitLink link, Ifnet ifp) throws ErrnoException {
            Ifnet other = vnet.ifnets().create("vlan9", Map.of("parent", "epair0b", "vid", "42"));
            up(other);
            return KitPeer.of(link, other);
        }

        private static void up(Ifnet ifp) {
            if (ifp.up() != Errno.OK) {
                throw new AssertionError(ifp);
            }
        }
    }

    @Nested
    final class Plain extends OnPair {
    }

    @Nested
    final class Threaded extends OnPair {
        @Override
        protected boolean threaded() {
            return true;
        }
    }

    @Nested
    final class SuperSegmentsAndShortQueue extends OnPair {
        @Override
        protected Map<String, String> pairParams() {
            return Map.of("tso", "true", "mtu", "9000", "qlimit", "100");
        }
    }
}
