package io.gatun.conformance.protocol;

import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.vnet.LockStrategy;
import org.junit.jupiter.api.Nested;

/** UDP of both families under each way to lock. */
final class UdpKitTest {
    private static final int PORT = 2000;
    private static final int LONGEST = 9000;

    abstract static class OnUdp extends DatagramKit {
        private final int family;
        private final LockStrategy strategy;

        OnUdp(final int family, final LockStrategy strategy) {
            this.family = family;
            this.strategy = strategy;
        }

        @Override
        protected int family() {
            return family;
        }

        @Override
        protected int protocol() {
            return 0;
        }

        @Override
        protected SockAddr address(final int number) {
            return SockAddr.of(family == SockAddr.AF_INET ? "127.0.0.1" : "::1", PORT + number);
        }

        @Override
        protected int ipProtocol() {
            return family == SockAddr.AF_INET ? InDefs.IPPROTO_UDP : 0;
        }

        @Override
        protected int longest() {
            return LONGEST;
        }

        @Override
        protected LockStrategy strategy() {
            return strategy;
        }
    }

    @Nested
    final class Split extends OnUdp {
        Split() {
            super(SockAddr.AF_INET, LockStrategy.SPLIT);
        }
    }

    @Nested
    final class Coalesced extends OnUdp {
        Coalesced() {
            super(SockAddr.AF_INET, LockStrategy.COALESCED);
        }
    }

    @Nested
    final class Vertical6 extends OnUdp {
        Vertical6() {
            super(SockAddr.AF_INET6, LockStrategy.VERTICAL);
        }
    }
}
