package io.gatun.spi.vnet;

/**
 * One tunable or reading of a vnet, by FreeBSD name, as in {@code net.inet.tcp.delayed_ack}. Owners keep the object and
 * read {@link #get} or {@link #getInt} on the data path, a plain read.
 *
 * @bsd SYSCTL_INT
 * @see <a href="https://man.freebsd.org/sysctl/9">sysctl(9)</a>
 */
public final class Sysctl {
    /** What a node holds. */
    public enum Type { INT, LONG, BOOL, STRING }

    /** Is asked before a new value takes effect. */
    @FunctionalInterface
    public interface Check {
        /** Whether the value is in range. Called with the sysctl tree's lock held; must not block. */
        boolean accept(long value);
    }

    private final String name;
    private final Type type;
    private final boolean writable;
    private final String description;
    private final Check check;
    private volatile String text; // (v) STRING only
    private volatile long value;  // (v) all others; 0 or 1 for BOOL

    /** For {@link SysctlTree}. */
    public Sysctl(
        final String name, final Type type, final boolean writable, final String description, final Check check) {
        this.name = name;
        this.type = type;
        this.writable = writable;
        this.description = description;
        this.check = check;
    }

    public String name() {
        return name;
    }

    public Type type() {
        return type;
    }

    public boolean writable() {
        return writable;
    }

    /** What it is for, with its unit: one line. */
    public String description() {
        return description;
    }

    /**
     * The value of a number or a switch (0 and 1); of a text 0. A plain read where it is one's own, a call where it is
     * a reading.
     */
    public long get() {
        return value;
    }

    /** As {@link #get}, cut to 32 bits. */
    public int getInt() {
        return (int) value;
    }

    public boolean getBool() {
        return value != 0;
    }

    public String getString() {
        return type == Type.STRING ? text : Long.toString(value);
    }

    /** Sets without asking {@link #writable}: for the owner. False when the check refuses. */
    public boolean set(final long newValue) {
        if (check != null && !check.accept(newValue)) {
            return false;
        }
        value = newValue;
        return true;
    }

    /** Sets a STRING, for the owner. */
    public void set(final String newText) {
        text = newText;
    }
}
