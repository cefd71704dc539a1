package io.gatun.conformance.driver;

import io.gatun.drivers.tap.TapDriver;
import io.gatun.drivers.vlan.VlanDriver;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

/** A tap whose other end is a packet socket of the machine. */
@EnabledOnOs(OS.LINUX)
final class TapKitTest {
    @ExtendWith(InNamespace.class)
    abstract static class OnMachine extends IfnetDriverKit {
        @Override
        protected List<IfnetDriver> drivers() {
            return List.of(new TapDriver());
        }

        @Override
        protected KitPeer peer(Vnet vnet, KitLink link, Ifnet ifp) {
            return new PacketPeer("gatun0");
        }
    }

    @Nested
    final class Polled extends OnMachine {
    }

    @Nested
    final class PolledWithoutOffload extends OnMachine {
        @Override
        protected Map<String, String> params() {
            return Map.of("offload", "false", "mtu", "9000");
        }
    }

    @Nested
    final class Threaded extends OnMachine {
        @Override
        protected Map<String, String> params() {
            return Map.of("qlimit", "16");
        }

        @Override
        protected boolean threaded() {
            return true;
        }
    }

    @Nested
    final class ThreadedWithLargestMtu extends OnMachine {
        @Override
        protected Map<String, String> params() {
            return Map.of("mtu", "65521", "host-address", "192.0.2.1/24");
        }

        @Override
        protected boolean threaded() {
            return true;
        }
    }

    /** A vlan on a tap: tags inside unfinished frames and super-segments. */
    @Nested
    final class VlanOnTap extends OnMachine {
        @Override
        protected List<IfnetDriver> drivers() {
            return List.of(new VlanDriver(), new TapDriver());
        }

        @Override
        protected Map<String, String> params() {
            return Map.of("parent", "tap0", "vid", "42");
        }

        @Override
        protected void prepare(Vnet vnet) throws ErrnoException {
            Ifnet tap = vnet.ifnets().create("tap0");
            if (tap.up() != Errno.OK) {
                throw new AssertionError(tap);
            }
        }

        @Override
        protected KitPeer peer(Vnet vnet, KitLink link, Ifnet ifp) {
            return new PacketPeer("gatun0", 42);
        }
    }
}
