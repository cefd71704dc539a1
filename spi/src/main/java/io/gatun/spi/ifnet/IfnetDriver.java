package io.gatun.spi.ifnet;

import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.VnetSide;
import java.util.Map;

/**
 * A driver: makes interfaces by name, as {@code ifconfig tap0 create} does. Found by {@link java.util.ServiceLoader};
 * each vnet loads its own instance, so an instance may keep state of its vnet. A driver needs {@code io.gatun.spi}
 * alone.
 *
 * <p>Typical sequence of {@link #create}: {@link Ifnet#alloc}, the slots ({@code setTransmitFn} and {@code setQflushFn}
 * always, {@code setIoctlFn}, {@code setInitFn}), MTU, capabilities and link address, then {@code
 * vnet.ifnets().attach(ifp)}. Of {@link #destroy}: {@code vnet.ifnets().detach(ifp)}, after which the stack calls no
 * slot any more, then stop threads, free rings, {@code ifp.free()}.
 *
 * @bsd if_clone
 * @see <a href="https://man.freebsd.org/ifnet/9">ifnet(9)</a>
 */
public interface IfnetDriver {
    /** The driver's name, the letters of its interfaces' names, as in {@code tap}. */
    String name();

    /**
     * Makes an interface and attaches it.
     *
     * @param vnet where it will live
     * @param unit the number behind the name
     * @param params driver parameters; an unknown key is EINVAL and named in the message
     * @return the attached interface (the {@code a} side where a driver makes two)
     * @throws ErrnoException when the device cannot be had; nothing is left behind
     * @bsd ifc_create_f
     */
    Ifnet create(VnetSide vnet, int unit, Map<String, String> params) throws ErrnoException;

    /**
     * Detaches and frees an interface that {@link #create} made. Blocks until its threads have ended. All mbufs it
     * held are freed.
     *
     * @bsd ifc_destroy_f
     */
    void destroy(Ifnet ifp);
}
