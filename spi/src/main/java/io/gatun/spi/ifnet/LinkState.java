package io.gatun.spi.ifnet;

/** What a driver knows of its cable. @bsd if_link_state */
public enum LinkState {
    /** The device cannot tell. @bsd LINK_STATE_UNKNOWN */
    UNKNOWN,
    /** @bsd LINK_STATE_DOWN */
    DOWN,
    /** @bsd LINK_STATE_UP */
    UP
}
