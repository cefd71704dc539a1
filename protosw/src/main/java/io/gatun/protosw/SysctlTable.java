package io.gatun.protosw;

import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.Sysctl.Type;
import io.gatun.spi.vnet.SysctlTree;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The tunables of a vnet by name. Values given before their owner has added the node wait here and take effect when it
 * does, whatever that node's default.
 *
 * <p>Locking key: the maps are concurrent; setting from text and adding hold {@code this}.
 *
 * @bsd kern_sysctl.c
 */
final class SysctlTable implements SysctlTree {
    private static final class Node {
        private final Sysctl sysctl;
        private final LongSupplier reading;         // null for what is stored
        private final Supplier<String> text;        // as reading, of STRING nodes
        private final Predicate<String> textCheck;  // of STRING nodes, or null
        private final boolean kept;                 // what is written can be read

        Node(Sysctl sysctl, LongSupplier reading, Predicate<String> textCheck) {
            this(sysctl, reading, null, textCheck, true);
        }

        Node(Sysctl sysctl, LongSupplier reading, Supplier<String> text, Predicate<String> textCheck, boolean kept) {
            this.sysctl = sysctl;
            this.reading = reading;
            this.text = text;
            this.textCheck = textCheck;
            this.kept = kept;
        }

        Sysctl present() {
            if (reading != null) {
                sysctl.set(reading.getAsLong());
            } else if (text != null) {
                sysctl.set(text.get());
            }
            return sysctl;
        }
    }

    private final Map<String, Node> nodes = new ConcurrentSkipListMap<>();
    private final Map<String, String> overrides;

    /** @param overrides values by name, in place of the defaults */
    SysctlTable(Map<String, String> overrides) {
        this.overrides = new ConcurrentSkipListMap<>(overrides);
    }

    @Override
    public Sysctl addInt(String name, int initial, String description) {
        return addInt(name, initial, Integer.MIN_VALUE, Integer.MAX_VALUE, description);
    }

    @Override
    public Sysctl addInt(String name, int initial, int min, int max, String description) {
        return add(new Sysctl(name, Type.INT, true, description, v -> v >= min && v <= max), initial);
    }

    @Override
    public Sysctl addProc(String name, int initial, Sysctl.Check check, String description) {
        return add(new Sysctl(name, Type.INT, true, description, check), initial);
    }

    @Override
    public Sysctl addLong(String name, long initial, String description) {
        return add(new Sysctl(name, Type.LONG, true, description, null), initial);
    }

    @Override
    public Sysctl addBool(String name, boolean initial, String description) {
        return add(new Sysctl(name, Type.BOOL, true, description, v -> v == 0 || v == 1), initial ? 1 : 0);
    }

    @Override
    public Sysctl addString(String name, String initial, String description) {
        return addString(name, initial, description, null);
    }

    @Override
    public Sysctl addTunable(String name, int initial, Sysctl.Check check, String description) {
        return add(new Sysctl(name, Type.INT, false, description, check), initial);
    }

    @Override
    public void addWriteOnly(String name, Predicate<String> handler, String description) {
        Sysctl s = new Sysctl(name, Type.STRING, true, description, null);
        s.set("");
        add(new Node(s, null, null, handler, false));
    }

    @Override
    public void addText(String name, Supplier<String> text, String description) {
        Sysctl s = new Sysctl(name, Type.STRING, false, description, null);
        nodes.putIfAbsent(name, new Node(s, null, text, null, true));
    }

    @Override
    public Sysctl addString(String name, String initial, String description, Predicate<String> check) {
        Sysctl s = new Sysctl(name, Type.STRING, true, description, null);
        s.set(initial);
        return add(new Node(s, null, check));
    }

    /** A text nobody can change. */
    void addConstant(String name, String value, String description) {
        Sysctl s = new Sysctl(name, Type.STRING, false, description, null);
        s.set(value);
        nodes.putIfAbsent(name, new Node(s, null, null));
    }

    @Override
    public void addReading(String name, LongSupplier reading, String description) {
        nodes.putIfAbsent(name, new Node(new Sysctl(name, Type.LONG, false, description, null), reading, null));
    }

    private Sysctl add(Sysctl s, long initial) {
        if (!s.set(initial)) {
            throw new IllegalArgumentException(s.name() + ": default " + initial + " is out of its own range");
        }
        return add(new Node(s, null, null));
    }

    private synchronized Sysctl add(Node node) {
        String name = node.sysctl.name();
        Node before = nodes.putIfAbsent(name, node);
        if (before != null) {
            return before.sysctl;
        }
        String text = overrides.remove(name);
        if (text != null && store(node, text) != Errno.OK) {
            throw new IllegalArgumentException(name + "=" + text + " is not a value of this sysctl");
        }
        return node.sysctl;
    }

    @Override
    public Sysctl find(String name) {
        Node n = nodes.get(name);
        return n == null ? null : n.present();
    }

    /** Those of the values given at creation whose node nobody has added yet. */
    Set<String> unclaimed() {
        return new TreeSet<>(overrides.keySet());
    }

    @Override
    public synchronized Errno set(String name, String text) {
        Node n = nodes.get(name);
        if (n == null) {
            return Errno.ENOENT;
        }
        return n.sysctl.writable() ? store(n, text) : Errno.EPERM;
    }

    private static Errno store(Node n, String text) {
        Sysctl s = n.sysctl;
        if (s.type() == Type.STRING) {
            if (n.textCheck != null && !n.textCheck.test(text)) {
                return Errno.EINVAL;
            }
            if (n.kept) {
                s.set(text);
            }
            return Errno.OK;
        }
        long value;
        try {
            value = parse(s.type(), text.strip());
        } catch (NumberFormatException e) {
            return Errno.EINVAL;
        }
        return s.set(value) ? Errno.OK : Errno.EINVAL;
    }

    /** Decimal, or hexadecimal after 0x, as sysctl(8) reads it; {@code true} and {@code false} for BOOL. */
    private static long parse(Type type, String text) {
        if (type == Type.BOOL && ("true".equals(text) || "false".equals(text))) {
            return "true".equals(text) ? 1 : 0;
        }
        long value = Long.decode(text);
        if (type == Type.INT && value != (int) value) {
            throw new NumberFormatException(text);
        }
        return value;
    }

    @Override
    public void forEach(Consumer<Sysctl> visitor) {
        for (Node n : nodes.values()) {
            if (n.text == null) {
                visitor.accept(n.present());
            }
        }
    }
}
