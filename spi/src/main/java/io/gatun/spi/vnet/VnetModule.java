package io.gatun.spi.vnet;

import io.gatun.spi.sys.Errno;

/**
 * What joins a vnet and is neither a domain nor a driver: a protocol of a domain that is there already, or a service.
 * Found by {@link java.util.ServiceLoader}; each vnet loads its own instance, so an instance keeps the state of its
 * vnet. A module needs {@code io.gatun.spi} alone.
 *
 * <p>A transport over IP is one: {@link #init} registers its input with {@link VnetSide#ipproto} and its sockets with
 * {@code vnet.domains().register}, and finds its way down by {@code vnet.service(IpSide.class)}; {@link #destroy} takes
 * both away again.
 *
 * @bsd moduledata_t, VNET_SYSINIT
 * @see <a href="https://man.freebsd.org/module/9">module(9)</a>
 */
public interface VnetModule {
    /** For messages. */
    String name();

    /**
     * Called once, by the thread that builds the vnet, when its domains are there and its interfaces are not.
     *
     * @return OK; an error ends the building of the vnet, and {@link #destroy} is not called
     */
    Errno init(VnetSide vnet);

    /**
     * The vnet goes: its interfaces are destroyed, its domains are still there. Ends connections silently, drains
     * timers, frees every mbuf held, unregisters. What sockets are still held stay their users'.
     */
    void destroy();
}
