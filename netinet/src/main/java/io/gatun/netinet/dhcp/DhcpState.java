package io.gatun.netinet.dhcp;

/** Where a client is (RFC 2131 figure 5). */
public enum DhcpState {
    /** Not begun, or ended. */
    STOPPED,
    /** About to begin anew. */
    INIT,
    /** Has asked for offers. */
    SELECTING,
    /** Has asked for one offer. */
    REQUESTING,
    /** Has the address, and asks the link whether anybody else has it. */
    CHECKING,
    /** Has the address. */
    BOUND,
    /** Has it, and asks its server for more time. */
    RENEWING,
    /** Has it, and asks any server for more time. */
    REBINDING,
    /** Has it, and asks whether it is still good where the link came up again. */
    REBOOTING
}
