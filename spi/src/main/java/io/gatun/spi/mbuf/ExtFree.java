package io.gatun.spi.mbuf;

/**
 * Gives external storage back to its owner. Called exactly once, by whichever thread drops the last reference, with
 * no lock of the pool held; it may allocate and free mbufs.
 *
 * @bsd m_ext_free_t
 */
@FunctionalInterface
public interface ExtFree {
    /** Releases the storage; the arguments are those given to {@link Mbuf#extAdd}. */
    void free(Object arg1, Object arg2);
}
