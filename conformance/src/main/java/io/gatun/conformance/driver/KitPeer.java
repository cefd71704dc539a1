package io.gatun.conformance.driver;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;

/** The other end of the wire of an interface under test. Used by one thread at a time for each direction. */
public interface KitPeer extends AutoCloseable {
    /**
     * Puts a frame on the wire towards the interface, as it would come from outside: link header first. May lose it
     * when the wire is full or gone; must not block for long.
     */
    void inject(byte[] frame);

    /**
     * The next frame of the kit that the interface has put on the wire, in order; null when there is none at the
     * moment. Frames that are not the kit's (see {@link KitFrames#isKit}) are left out. Does not wait.
     */
    byte[] next();

    /** Unplugs and frees what the peer holds. The interface may be gone already. */
    @Override
    void close();

    /** A peer that is an interface of the same vnet, such as the other end of a pair. It must be up. */
    static KitPeer of(final KitLink link, final Ifnet other) {
        return new KitPeer() {
            @Override
            public void inject(final byte[] frame) {
                final Mbuf m = KitFrames.mbuf(other.vnet().pool(), frame);
                if (m != null && other.transmit(m) == Errno.OK) {
                    other.vnet().netisr().swi();
                }
            }

            @Override
            public byte[] next() {
                return link.next(other);
            }

            @Override
            public void close() {
                // the vnet destroys its interfaces
            }
        };
    }
}
