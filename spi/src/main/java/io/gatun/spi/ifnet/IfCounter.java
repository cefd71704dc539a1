package io.gatun.spi.ifnet;

/** The counters every interface has. @bsd ift_counter */
public enum IfCounter {
    IPACKETS, IERRORS, OPACKETS, OERRORS, COLLISIONS, IBYTES, OBYTES, IMCASTS, OMCASTS,
    /** Input drops: queue full, no protocol, no memory. */
    IQDROPS,
    /** Output drops: back-pressure. */
    OQDROPS,
    /** Input packets of a protocol nobody registered. */
    NOPROTO
}
