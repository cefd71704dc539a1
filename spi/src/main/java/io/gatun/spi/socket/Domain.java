package io.gatun.spi.socket;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.VnetSide;
import java.util.List;

/**
 * A family of protocols. Found by {@link java.util.ServiceLoader}; each vnet loads its own instance, so an instance
 * keeps the state of the domain in that vnet.
 *
 * @bsd struct domain
 * @see <a href="https://man.freebsd.org/domain/9">domain(9)</a>
 */
public interface Domain {
    /** AF_*. @bsd dom_family */
    int family();

    /** @bsd dom_name */
    String name();

    /** Called once, before {@link #protosw}: registers netisr and link layers, sysctls, services. @bsd dom_probe */
    Errno init(VnetSide vnet);

    /** Its protocols, fixed after init. @bsd dom_protosw */
    List<Protosw> protosw();

    /** The vnet goes: end connections silently, drain timers, free every mbuf held. */
    void destroy();

    /** Per-interface state is wanted. @bsd dom_ifattach */
    default void ifattach(final Ifnet ifp) {
    }

    /** @bsd dom_ifdetach */
    default void ifdetach(final Ifnet ifp) {
    }
}
