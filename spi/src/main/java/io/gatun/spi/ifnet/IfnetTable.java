package io.gatun.spi.ifnet;

import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.List;
import java.util.Map;

/** The interfaces of one vnet. Reading takes no lock: a reader sees an immutable list. @bsd ifnet_list */
public interface IfnetTable {
    /**
     * Attaches an interface: gives it its index and link layer and makes it visible.
     *
     * @return OK, EEXIST for a taken name, EINVAL when transmit and qflush are not both set or its type has no link
     *     layer and no output slot
     * @bsd if_attach
     */
    Errno attach(Ifnet ifp);

    /**
     * Takes an interface away. Marks it dying, tells the listeners, lets its queue be flushed and waits for calls in
     * its slots to return. Afterwards the stack calls no slot of it; a late {@code transmit} is dropped under
     * IF_DETACHED. When another thread takes it away already, waits for that.
     *
     * @bsd if_detach
     */
    void detach(Ifnet ifp);

    /** By name, or null. @bsd ifunit */
    Ifnet byName(String name);

    /** By index (1 and up), or null. @bsd ifnet_byindex */
    Ifnet byIndex(int index);

    /** All of them in order of their index: an immutable snapshot. */
    List<Ifnet> all();

    /**
     * Finds the driver of a name such as {@code lo0} or {@code tap} (then the lowest free unit is taken) and lets it
     * make the interface.
     *
     * @throws ErrnoException ENODEV when no driver has that name, EEXIST for a taken unit, or what the driver says
     * @bsd if_clone_create
     */
    Ifnet create(String name, Map<String, String> params) throws ErrnoException;

    /** {@link #create(String, Map)} without parameters. */
    default Ifnet create(final String name) throws ErrnoException {
        return create(name, Map.of());
    }

    /**
     * Has the driver that made it destroy it. ENODEV for an interface that no driver of this table made.
     *
     * @bsd if_clone_destroy
     */
    Errno destroy(Ifnet ifp);

    /** The drivers found, by name. */
    Map<String, IfnetDriver> drivers();

    /** Registers the link protocol of an IFT_ type. EEXIST when there is one. */
    Errno registerLinkLayer(int ifType, LinkLayer layer);

    /** From now on it hears of interfaces, addresses and state; each change on the thread that makes it. */
    void addListener(IfnetListener listener);

    /** It hears no more; a call that is under way may still come. */
    void removeListener(IfnetListener listener);

    /** Tells the listeners that an address came or went; for {@link Ifnet}. */
    void announceAddress(Ifnet ifp, IfAddr addr, boolean added);

    /** Tells the listeners of a change of state; for {@link Ifnet}. */
    void announceState(Ifnet ifp);
}
