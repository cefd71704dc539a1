package io.gatun.uipc;

import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VnetSide;

/** The setting for tests of the facade. */
public final class Fixture {
    public static final int AF_PAIR = PairDomain.AF_PAIR;
    private final TestVnet vnet;

    public Fixture(final LockStrategy strategy) {
        vnet = new TestVnet(strategy, false);
        vnet.sockets();
    }

    public VnetSide vnet() {
        return vnet;
    }

    public void checkWhole() {
        vnet.checkWhole();
    }
}
