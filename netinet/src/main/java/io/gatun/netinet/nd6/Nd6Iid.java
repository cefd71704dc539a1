package io.gatun.netinet.nd6;

import io.gatun.netinet.ether.EtherHeader;
import io.gatun.spi.ifnet.Ifnet;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.random.RandomGenerator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** How the last eight octets of an address are made. @bsd in6_get_ifid */
final class Nd6Iid {
    private static final String PRF = "HmacSHA256";
    private static final long FFFE = 0xfffeL << 24;
    private static final long UNIVERSAL = 0x02_0000L;
    private static final long ISATAP = 0x0200_5eff_fe00_0000L;
    private static final long ANYCAST = 0xfdff_ffff_ffff_ff80L;

    private Nd6Iid() {
    }

    /** Of the link address of an Ethernet (RFC 4291 appendix A). @bsd in6_get_hw_ifid */
    static long eui64(final Ifnet ifp) {
        final long mac = EtherHeader.addr(ifp.lladdr());
        return (mac >>> 24 ^ UNIVERSAL) << 40 | FFFE | mac & 0xff_ffffL;
    }

    /**
     * Stable for one interface in one network, and different in every other (RFC 7217 section 5): HMAC-SHA-256 under a
     * secret of the prefix, the link address and the number of duplicates so far.
     *
     * @bsd in6_get_stableifid
     */
    static long stable(final byte[] secret, final long prefix, final Ifnet ifp, final int dadCounter) {
        final ByteBuffer in = ByteBuffer.allocate(2 * Long.BYTES + 2 * Integer.BYTES);
        in.putLong(prefix).putLong(EtherHeader.addr(ifp.lladdr())).putInt(dadCounter);
        long iid = 0;
        for (int i = 0; reserved(iid); i++) {
            final byte[] octets = in.array().clone();
            ByteBuffer.wrap(octets).putInt(octets.length - Integer.BYTES, i);
            iid = ByteBuffer.wrap(hmac(secret, octets)).getLong();
        }
        return iid;
    }

    /** @return of no meaning and not to be foreseen (RFC 8981 section 3.3.1). @bsd in6_get_tmpifid */
    static long temporary(final RandomGenerator random) {
        long iid = 0;
        while (reserved(iid)) {
            iid = random.nextLong();
        }
        return iid;
    }

    /** RFC 5453: the routers' anycast address, IANA's Ethernet block, anycast addresses of subnets. */
    static boolean reserved(final long iid) {
        return iid == 0 || (iid & 0xffff_ffff_ff00_0000L) == ISATAP || (iid | 0x7f) == (ANYCAST | 0x7f);
    }

    private static byte[] hmac(final byte[] secret, final byte[] text) {
        try {
            final Mac mac = Mac.getInstance(PRF);
            mac.init(new SecretKeySpec(secret, PRF));
            return mac.doFinal(text);
        } catch (final GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + PRF, e);
        }
    }
}
