package io.gatun.spi.mbuf;

import java.lang.foreign.MemorySegment;

/**
 * Sees one contiguous piece of a chain; see {@link Mbuf#apply}.
 *
 * @bsd m_apply
 */
@FunctionalInterface
public interface MbufVisitor {
    /**
     * Visits {@code len} octets at {@code off} of {@code seg}; {@code len} is never 0.
     *
     * @return 0 to go on, anything else to stop; the value becomes the result of {@code apply}
     */
    int visit(MemorySegment seg, long off, int len, Object arg);
}
