package io.gatun.netinet.tcp;

import io.gatun.netinet.pcb.SipHash;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What only connections and listeners with TCP_FASTOPEN have; others have none.
 *
 * <p>Locking key: (i) the pcb's lock.
 */
final class TcpFastopenCb {
    /** Octets of the cookie we send; 0 asks for one. @bsd t_tfo_client_cookie_len */
    int cookieLen;             // (i)
    /** The cookie, the first octet lowest. @bsd t_tfo_cookie */
    long cookieLo;             // (i)
    long cookieHi;             // (i)
    /** The key that a cookie goes out hashed with, until it is connected; or null. */
    SipHash psk;               // (i)
    /**
     * Of a listener, and of its children that are not established yet: one more than those are. Null in others.
     *
     * @bsd t_tfo_pending
     */
    AtomicInteger pending;     // (i)

    TcpFastopenCb() {
        // filled by who makes it
    }

    /** Puts the cookie into the options of a segment. */
    void option(TcpOpt to) {
        to.flags |= Seg.TOF_FASTOPEN;
        to.cookieLen = cookieLen;
        to.setCookie(cookieLo, cookieHi);
    }
}
