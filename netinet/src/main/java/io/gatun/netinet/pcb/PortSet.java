package io.gatun.netinet.pcb;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The local ports of one protocol: an entry for each that is in use, and a two-level bitmap of those in use, so
 * that the next free one is found in a few steps however full the range is.
 *
 * <p>Locking key: (h) the owner's hash lock; (v) published for readers without a lock.
 *
 * @bsd ipi_porthashbase
 */
public final class PortSet {
    /** How many ports there are. */
    public static final int PORTS = 0x10000;

    /** No page. */
    private static final int NONE = -1;
    private static final VarHandle ENTRY = MethodHandles.arrayElementVarHandle(PortEntry[].class);
    private static final VarHandle PAGE = MethodHandles.arrayElementVarHandle(PortEntry[][].class);
    private static final int PAGE_BITS = 8;
    private static final int PAGE_SIZE = 1 << PAGE_BITS;
    private static final int WORD_BITS = 6;

    private final PortEntry[][] pages = new PortEntry[PORTS >> PAGE_BITS][]; // (v)
    private final long[] used = new long[PORTS >> WORD_BITS];                // (h) a bit for each port in use
    private final long[] full = new long[PORTS >> 2 * WORD_BITS];            // (h) a bit for each word without a zero
    private int usedCount;                                                   // (h)
    private int idle = NONE;                                                 // (h) the page out of use last, kept

    PortSet() {
        // nothing in use
    }

    /** The entry of a port, or null when it is not in use. Takes no lock. */
    PortEntry entry(final int port) {
        final PortEntry[] page = (PortEntry[]) PAGE.getAcquire(pages, port >> PAGE_BITS);
        return page == null ? null : (PortEntry) ENTRY.getAcquire(page, port & PAGE_SIZE - 1);
    }

    /** The entry of a port, made when needed. Under the hash lock. */
    private PortEntry claim(final int port) {
        PortEntry[] page = pages[port >> PAGE_BITS];
        if (page == null) {
            page = new PortEntry[PAGE_SIZE];
            PAGE.setRelease(pages, port >> PAGE_BITS, page);
        }
        PortEntry e = page[port & PAGE_SIZE - 1];
        if (e == null) {
            e = new PortEntry(port);
            ENTRY.setRelease(page, port & PAGE_SIZE - 1, e);
        }
        return e;
    }

    /** Counts a block in under its local port. Under the hash lock. */
    PortEntry add(final Inpcb inp) {
        final PortEntry e = claim(inp.lport());
        e.link(inp);
        if (e.count == 1) {
            mark(inp.lport());
        }
        return e;
    }

    /** Takes a block out; the last takes the entry along, which who still reads it finds empty. Under the hash lock. */
    void remove(final Inpcb inp) {
        final PortEntry e = inp.portEntry;
        e.unlink(inp);
        if (e.count == 0) {
            clear(e.port);
            final int page = e.port >> PAGE_BITS;
            ENTRY.setRelease(pages[page], e.port & PAGE_SIZE - 1, null);
            if (page != idle && unused(page)) {
                keep(page);
            }
        }
    }

    /**
     * A page has no port in use any more. It stays, for a client's connections use one port after the other; the one
     * that stayed before goes, unless it is in use again.
     */
    private void keep(final int page) {
        if (idle != NONE && unused(idle)) {
            PAGE.setRelease(pages, idle, null);
        }
        idle = page;
    }

    /** Whether no port of a page is in use. */
    private boolean unused(final int page) {
        final int first = page << PAGE_BITS - WORD_BITS;
        long any = 0;
        for (int w = first; w < first + (PAGE_SIZE >> WORD_BITS); w++) {
            any |= used[w];
        }
        return any == 0;
    }

    /** Pages that take memory: those with a port in use. Under the hash lock. */
    int pageCount() {
        int n = 0;
        for (final PortEntry[] page : pages) {
            n += page == null ? 0 : 1;
        }
        return idle != NONE && unused(idle) ? n - 1 : n;
    }

    private void mark(final int port) {
        final int w = port >> WORD_BITS;
        used[w] |= 1L << port;
        usedCount++;
        if (used[w] == -1L) {
            full[w >> WORD_BITS] |= 1L << w;
        }
    }

    private void clear(final int port) {
        final int w = port >> WORD_BITS;
        used[w] &= ~(1L << port);
        usedCount--;
        full[w >> WORD_BITS] &= ~(1L << w);
    }

    /** How many ports are in use; advisory without the hash lock. */
    public int usedCount() {
        return usedCount;
    }

    /** Whether any block uses the port. Under the hash lock. */
    boolean inUse(final int port) {
        return (used[port >> WORD_BITS] >>> port & 1) != 0;
    }

    /**
     * The first port nobody uses, from {@code start} upwards and around. Under the hash lock.
     *
     * @param start within {@code first..last}
     * @return the port, or -1 when all of the range are in use
     */
    int nextFree(final int start, final int first, final int last) {
        final int up = freeWithin(start, last);
        return up >= 0 || start == first ? up : freeWithin(first, start - 1);
    }

    /** The lowest free port of {@code from..to}, or -1. */
    private int freeWithin(final int from, final int to) {
        final int w = from >> WORD_BITS;
        final long here = ~used[w] & -1L << from;
        int found = here == 0 ? -1 : (w << WORD_BITS) + Long.numberOfTrailingZeros(here);
        if (found < 0) {
            final int free = nextWord(w + 1);
            found = free < 0 ? -1 : (free << WORD_BITS) + Long.numberOfTrailingZeros(~used[free]);
        }
        return found <= to ? found : -1;
    }

    /** The first word from {@code w} on that has a zero, or -1. */
    private int nextWord(final int w) {
        if (w >= used.length) {
            return -1;
        }
        int s = w >> WORD_BITS;
        long free = ~full[s] & -1L << w;
        while (free == 0 && s + 1 < full.length) {
            s++;
            free = ~full[s];
        }
        return free == 0 ? -1 : (s << WORD_BITS) + Long.numberOfTrailingZeros(free);
    }
}
