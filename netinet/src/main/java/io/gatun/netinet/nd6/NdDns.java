package io.gatun.netinet.nd6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip6.In6;
import io.gatun.spi.mbuf.Mbuf;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The DNS servers and search domains that routers name (RFC 8106), for whoever resolves names: listeners hear of each
 * change.
 *
 * <p>Locking key: (c) constant; (n) neighbour discovery's lock.
 */
final class NdDns {
    /** Entries of one kind of one interface: the rest is ignored. */
    private static final int MAX = 16;
    private static final int NAME_MAX = 253;
    private static final int LABEL_MAX = 63;
    private static final int ADDR = 16;
    private static final int HEAD = 8;

    private record Key(Nd6Ifinfo info, boolean server, String name) { }

    private final Nd6 nd; // (c)
    @GuardedBy("nd.lock")
    private final Map<Key, Long> entries = new LinkedHashMap<>(); // (n) when each ends

    NdDns(final Nd6 nd) {
        this.nd = nd;
    }

    /** An option RDNSS at an offset; one that is malformed is ignored (RFC 8106 section 5.3.1). Borrows m. */
    void servers(final Nd6Ifinfo info, final Mbuf m, final int at) {
        final int len = NdOptions.length(m, at);
        if (len < HEAD + ADDR || (len - HEAD) % ADDR != 0) {
            return;
        }
        for (int i = at + HEAD; i < at + len; i += ADDR) {
            final long hi = In6.embed(m.getLong(i), info.ifp.index());
            take(new Key(info, true, In6.text(hi, m.getLong(i + Long.BYTES))), NdOptions.seconds(m, at + 4));
        }
    }

    /** An option DNSSL at an offset. Borrows m. */
    void domains(final Nd6Ifinfo info, final Mbuf m, final int at) {
        final int end = at + NdOptions.length(m, at);
        final StringBuilder name = new StringBuilder();
        int i = at + HEAD;
        while (i < end && m.getU8(i) != 0) {
            final int start = i;
            i = name(m, i, end, name);
            if (i < 0) {
                return; // malformed: what came before it is good
            }
            take(new Key(info, false, name.toString()), NdOptions.seconds(m, at + 4));
            assert i > start;
        }
    }

    /** One name in labels (RFC 1035 section 3.1, without compression); answers the offset behind it, -1 for none. */
    private static int name(final Mbuf m, final int from, final int end, final StringBuilder out) {
        out.setLength(0);
        int i = from;
        while (i < end && m.getU8(i) != 0) {
            final int n = m.getU8(i);
            if (n > LABEL_MAX || i + 1 + n >= end || out.length() + n > NAME_MAX) {
                return -1;
            }
            out.append(out.isEmpty() ? "" : ".");
            for (int k = i + 1; k <= i + n; k++) {
                final int c = m.getU8(k);
                final boolean letter = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
                if (!letter && c != '-' && c != '_') {
                    return -1;
                }
                out.append((char) c);
            }
            i += 1 + n;
        }
        return i < end ? i + 1 : -1;
    }

    private void take(final Key key, final long seconds) {
        nd.lock.lock();
        try {
            final long ends = nd.fromNow(seconds, Nd6.SEC);
            final boolean there = entries.containsKey(key);
            if (seconds == 0) {
                entries.remove(key);
            } else if (there || count(key) < MAX) {
                entries.put(key, ends);
            }
            if (there != entries.containsKey(key)) {
                tell(key.info);
            }
        } finally {
            nd.lock.unlock();
        }
    }

    @GuardedBy("nd.lock")
    private long count(final Key like) {
        return entries.keySet().stream().filter(k -> k.info == like.info && k.server == like.server).count();
    }

    @GuardedBy("nd.lock")
    private List<String> names(final Nd6Ifinfo info, final boolean servers) {
        return entries.keySet().stream().filter(k -> k.info == info && k.server == servers).map(Key::name).toList();
    }

    @GuardedBy("nd.lock")
    private void tell(final Nd6Ifinfo info) {
        final List<String> servers = names(info, true);
        final List<String> domains = names(info, false);
        nd.later(() -> nd.listeners().forEach(l -> l.dns(info.ifp.xname(), servers, domains)));
    }

    /** The names now, of one interface: servers, or domains. */
    List<String> list(final Nd6Ifinfo info, final boolean servers) {
        nd.lock.lock();
        try {
            return names(info, servers);
        } finally {
            nd.lock.unlock();
        }
    }

    long nextNs() {
        nd.lock.lock();
        try {
            return entries.values().stream().mapToLong(Long::longValue).min().orElse(Nd6.NEVER);
        } finally {
            nd.lock.unlock();
        }
    }

    void timeout(final long now) {
        nd.lock.lock();
        try {
            final Iterator<Map.Entry<Key, Long>> it = entries.entrySet().iterator();
            while (it.hasNext()) {
                final Map.Entry<Key, Long> e = it.next();
                if (e.getValue() <= now) {
                    it.remove();
                    tell(e.getKey().info);
                }
            }
        } finally {
            nd.lock.unlock();
        }
    }

    /** An interface goes, or no longer listens to routers. */
    void purge(final Nd6Ifinfo info) {
        nd.lock.lock();
        try {
            if (entries.keySet().removeIf(k -> k.info == info)) {
                tell(info);
            }
        } finally {
            nd.lock.unlock();
        }
    }
}
