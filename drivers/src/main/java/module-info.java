import io.gatun.drivers.epair.EpairDriver;
import io.gatun.drivers.loop.LoDriver;
import io.gatun.drivers.tap.TapDriver;
import io.gatun.drivers.vlan.VlanDriver;
import io.gatun.spi.ifnet.IfnetDriver;

/** Network interfaces, each on the contract of {@code Ifnet} alone. */
module io.gatun.drivers {
    requires transitive io.gatun.spi;
    requires org.agrona;
    requires static com.google.errorprone.annotations;

    exports io.gatun.drivers.epair;
    exports io.gatun.drivers.loop;
    exports io.gatun.drivers.tap;
    exports io.gatun.drivers.vlan;
    exports io.gatun.drivers.wrap;

    provides IfnetDriver with LoDriver, EpairDriver, TapDriver, VlanDriver;
}
