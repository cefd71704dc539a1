package io.gatun.netinet.ether;

import io.gatun.spi.ifnet.EtherTypes;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;
import java.util.Arrays;

/**
 * The types of frames that go to protocols of other modules. Few: readers walk an array.
 *
 * <p>Locking key: (p) written under {@code this}, published by a volatile write, never changed in place.
 */
final class EtherTypeTable implements EtherTypes {
    /** Below are lengths of IEEE 802.3. */
    private static final int MIN_TYPE = 0x600;
    private static final int MAX_TYPE = 0xffff;

    private volatile int[] pairs = {}; // (p) a type, its netisr number, and so on

    EtherTypeTable() {
        // empty
    }

    /** The number of a type's protocol; 0 for none. */
    int lookup(final int type) {
        final int[] all = pairs;
        for (int i = 0; i < all.length; i += 2) {
            if (all[i] == type) {
                return all[i + 1];
            }
        }
        return 0;
    }

    @Override
    public synchronized Errno register(final int type, final int netisr) {
        if (type < MIN_TYPE || type > MAX_TYPE || netisr < 1 || netisr >= Netisr.NETISR_MAXPROT) {
            return Errno.EINVAL;
        }
        final boolean own = type == EtherHeader.ETHERTYPE_IP || type == EtherHeader.ETHERTYPE_ARP
            || type == EtherHeader.ETHERTYPE_IPV6 || type == EtherHeader.ETHERTYPE_VLAN;
        if (own || lookup(type) != 0) {
            return Errno.EEXIST;
        }
        final int[] more = Arrays.copyOf(pairs, pairs.length + 2);
        more[more.length - 2] = type;
        more[more.length - 1] = netisr;
        pairs = more;
        return Errno.OK;
    }

    @Override
    public synchronized Errno unregister(final int type) {
        if (lookup(type) == 0) {
            return Errno.ENOENT;
        }
        final int[] fewer = new int[pairs.length - 2];
        int n = 0;
        for (int i = 0; i < pairs.length; i += 2) {
            if (pairs[i] != type) {
                fewer[n++] = pairs[i];
                fewer[n++] = pairs[i + 1];
            }
        }
        pairs = fewer;
        return Errno.OK;
    }
}
