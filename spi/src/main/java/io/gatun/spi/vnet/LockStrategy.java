package io.gatun.spi.vnet;

/** Which of a socket's locks are one. Chosen when a vnet is built; the behaviour is the same under all three. */
public enum LockStrategy {
    /** pcb, socket, send buffer and receive buffer each have their own lock: most parallel, most lock operations. */
    SPLIT,
    /** One lock for the socket and both its buffers; the pcb has its own. */
    COALESCED,
    /** One lock for the pcb and the socket; each buffer has its own. */
    VERTICAL
}
