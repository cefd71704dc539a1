package io.gatun.spi.sys;

/**
 * Who asks: the credentials a socket is created with and checked against. Fixed at creation.
 *
 * @param uid user number; 0 is the privileged user
 * @param gid group number
 * @param name for messages
 * @bsd struct ucred
 */
public record Ucred(int uid, int gid, String name) {
    /** The embedding program itself: everything is allowed. */
    public static final Ucred ROOT = new Ucred(0, 0, "root");

    /**
     * Whether this credential may do what needs privilege (ports below {@code net.inet.ip.portrange.reservedhigh},
     * raw sockets).
     *
     * @bsd priv_check_cred
     */
    public boolean privileged() {
        return uid == 0;
    }
}
