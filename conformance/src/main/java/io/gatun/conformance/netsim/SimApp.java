package io.gatun.conformance.netsim;

import io.gatun.spi.sys.ErrnoException;

/** A program on a host. */
@FunctionalInterface
public interface SimApp {
    /**
     * Does what can be done without waiting; called whenever something has happened at the host.
     *
     * @return whether anything was done, so that it is called again
     */
    boolean run() throws ErrnoException;
}
