package io.gatun.spi.vnet;

import io.gatun.spi.mbuf.Mbuf;

/** Input of a network protocol, called by netisr. @bsd netisr_handler_t */
@FunctionalInterface
public interface NetisrHandler {
    /** Takes one packet up. Consumes m. Called without any lock of the stack. */
    void input(Mbuf m);
}
