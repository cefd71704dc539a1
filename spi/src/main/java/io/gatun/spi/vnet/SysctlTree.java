package io.gatun.spi.vnet;

import io.gatun.spi.sys.Errno;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The tunables of one vnet. Adding a name twice answers the first node, so that two parts may share one.
 *
 * @bsd sysctl
 */
public interface SysctlTree {
    /** A writable 32-bit value. */
    Sysctl addInt(String name, int initial, String description);

    /** A writable 32-bit value within {@code min..max}, both included. */
    Sysctl addInt(String name, int initial, int min, int max, String description);

    Sysctl addLong(String name, long initial, String description);

    Sysctl addBool(String name, boolean initial, String description);

    Sysctl addString(String name, String initial, String description);

    /** As above, of texts that {@code check} accepts; it is called with the tree locked and must not block. */
    Sysctl addString(String name, String initial, String description, Predicate<String> check);

    /**
     * A writable 32-bit value whose change does something: {@code check} does it, or refuses.
     *
     * @param check called for {@code initial} and for each new value before it takes effect
     * @bsd SYSCTL_PROC
     */
    Sysctl addProc(String name, int initial, Sysctl.Check check, String description);

    /** A 32-bit value that can be given when the vnet is built, and only read afterwards. @bsd CTLFLAG_RDTUN */
    Sysctl addTunable(String name, int initial, Sysctl.Check check, String description);

    /**
     * Something that can be written and not read, such as a key.
     *
     * @param handler takes the text; false when it is no good
     * @bsd CTLFLAG_WR
     */
    void addWriteOnly(String name, Predicate<String> handler, String description);

    /** A read-only reading that is computed when asked. @bsd SYSCTL_PROC */
    void addReading(String name, LongSupplier reading, String description);

    /** A read-only text that is made when asked for by its name; {@link #forEach} passes it over. @bsd CTLFLAG_SKIP */
    void addText(String name, Supplier<String> text, String description);

    /** The node, or null. A reading is answered as a node with its present value. */
    Sysctl find(String name);

    /**
     * Sets a node from text, as sysctl(8) does.
     *
     * @return OK; ENOENT for an unknown name, EPERM for a read-only one, EINVAL for text that is not a value of its
     *     type or out of range
     */
    Errno set(String name, String text);

    /** Visits all nodes in order of their names, but for texts that are made when asked. */
    void forEach(Consumer<Sysctl> visitor);
}
