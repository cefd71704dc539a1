package io.gatun.conformance.driver;

import io.gatun.drivers.loop.LoDriver;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import java.util.List;

/** What is sent on lo comes in on lo, so the interface is its own peer. */
final class LoKitTest extends IfnetDriverKit {
    @Override
    protected List<IfnetDriver> drivers() {
        return List.of(new LoDriver());
    }

    @Override
    protected KitPeer peer(Vnet vnet, KitLink link, Ifnet ifp) {
        return KitPeer.of(link, ifp);
    }
}
