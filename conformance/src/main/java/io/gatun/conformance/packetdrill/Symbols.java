package io.gatun.conformance.packetdrill;

import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;

/** The numbers behind the names of scripts: the stack's own constants, and those of FreeBSD that it has no use for. */
final class Symbols {
    static final int O_RDWR = 2;
    static final int O_NONBLOCK = 4;
    static final int F_GETFD = 1;
    static final int F_SETFD = 2;
    static final int F_GETFL = 3;
    static final int F_SETFL = 4;
    static final long FIONREAD = 0x4004667fL;
    static final long FIONWRITE = 0x40046677L;
    static final long FIONSPACE = 0x40046676L;
    static final long FIONBIO = 0x8004667eL;
    static final long SIOCATMARK = 0x40047307L;
    static final int EVFILT_READ = -1;
    static final int EVFILT_WRITE = -2;
    static final int EV_ADD = 0x1;
    static final int EV_DELETE = 0x2;
    static final int EV_ENABLE = 0x4;
    static final int EV_DISABLE = 0x8;
    static final int EV_ONESHOT = 0x10;
    static final int EV_CLEAR = 0x20;
    static final int EV_EOF = 0x8000;

    private static final Map<String, Long> ALL = all();

    private Symbols() {
    }

    /** The value of a name, or null. */
    static Long find(final String name) {
        return ALL.get(name);
    }

    private static Map<String, Long> all() {
        final Map<String, Long> m = new HashMap<>(FreeBsdNumbers.all());
        dscp(m);
        constants(m, SocketDefs.class);
        constants(m, InDefs.class);
        for (final Errno e : Errno.values()) {
            put(m, e.name(), e.code());
        }
        return Map.copyOf(m);
    }

    /** The stack's own number of a name is FreeBSD's. */
    private static void put(final Map<String, Long> m, final String name, final long value) {
        final Long before = m.put(name, value);
        if (before != null && before != value) {
            throw new IllegalStateException(name + " is " + value + ", and " + before + " in FreeBSD");
        }
    }

    private static void constants(final Map<String, Long> m, final Class<?> type) {
        for (final Field f : type.getFields()) {
            if (f.getType() == int.class && Modifier.isStatic(f.getModifiers())) {
                try {
                    put(m, f.getName(), f.getInt(null));
                } catch (final IllegalAccessException e) {
                    throw new IllegalStateException(f.toString(), e);
                }
            }
        }
    }

    private static void dscp(final Map<String, Long> m) {
        for (int i = 0; i <= 7; i++) {
            m.put("IPTOS_DSCP_CS" + i, (long) i << 5);
        }
        for (int c = 1; c <= 4; c++) {
            for (int d = 1; d <= 3; d++) {
                m.put("IPTOS_DSCP_AF" + c + d, (long) (c << 5 | d << 3));
            }
        }
        m.put("IPTOS_DSCP_VA", 0xb0L);
        m.put("IPTOS_DSCP_EF", 0xb8L);
        m.put("IPTOS_ECN_ECT0", 2L);
        m.put("IPTOS_ECN_ECT1", 1L);
        m.put("IPTOS_ECN_CE", 3L);
        m.put("IPTOS_LOWDELAY", 0x10L);
        m.put("IPTOS_THROUGHPUT", 0x08L);
        m.put("IPTOS_RELIABILITY", 0x04L);
    }
}
