package io.gatun.netinet.ip;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Which multicast groups an interface takes. The list itself is the interface's ({@link Ifnet#multiaddrs}); this keeps
 * a searchable copy of it by interface, made anew when the list is another one.
 *
 * @bsd struct in_multi
 */
public final class InMulti {
    /** All systems on this subnet. @bsd INADDR_ALLHOSTS_GROUP */
    public static final int ALLHOSTS_GROUP = 0xe0000001;
    /** 01:00:5e:00:00:00, to which the low 23 bits of a group are added (RFC 1112 section 6.4). */
    private static final long IPV4_MAC = 0x01005e000000L;
    /** 33:33:00:00:00:00, to which the low 32 bits of a group are added (RFC 2464 section 7). */
    private static final long IPV6_MAC = 0x333300000000L;
    private static final int GROUP_BITS = 0x7fffff;
    private static final int MAX_INDEX = 1024;

    private static final class Filter {
        final List<SockAddr> from;
        final int[] groups;
        final long[] macs;

        Filter(List<SockAddr> from) {
            this.from = from;
            groups = from.stream().filter(a -> a.family() == SockAddr.AF_INET).mapToInt(SockAddr::in4).sorted()
                .distinct().toArray();
            macs = from.stream().mapToLong(InMulti::macOf).filter(a -> a != 0).sorted().distinct().toArray();
        }
    }

    private final AtomicReferenceArray<Filter> filters = new AtomicReferenceArray<>(MAX_INDEX); // (v) by index

    /** No filter yet. */
    public InMulti() {
        // filters are made when first asked
    }

    /** Joins once more; leave as often. EINVAL for what is no group. @bsd in_joingroup */
    public static Errno join(Ifnet ifp, int group) {
        return InAddrs.isMulticast(group) ? ifp.addMulti(SockAddr.in(group, 0)) : Errno.EINVAL;
    }

    /** Leaves once. EADDRNOTAVAIL when not joined. @bsd in_leavegroup */
    public static Errno leave(Ifnet ifp, int group) {
        return ifp.delMulti(SockAddr.in(group, 0));
    }

    /** Whether an interface has joined a group. @bsd inm_lookup */
    public boolean isMember(Ifnet ifp, int group) {
        return Arrays.binarySearch(filter(ifp).groups, group) >= 0;
    }

    /** Whether an interface wants frames to a link-layer group address, octets in the low 48 bits. */
    public boolean wantsMac(Ifnet ifp, long mac) {
        return Arrays.binarySearch(filter(ifp).macs, mac) >= 0;
    }

    /** The link-layer address of an IPv4 group. @bsd ETHER_MAP_IP_MULTICAST */
    public static long mapIp(int group) {
        return IPV4_MAC | group & GROUP_BITS;
    }

    /** The link-layer address of an IPv6 group, of whose address this is the low word. @bsd ETHER_MAP_IPV6_MULTICAST */
    public static long mapIpv6(long lo) {
        return IPV6_MAC | lo & 0xffff_ffffL;
    }

    private static long macOf(SockAddr a) {
        return switch (a.family()) {
            case SockAddr.AF_INET -> mapIp(a.in4());
            case SockAddr.AF_INET6 -> mapIpv6(a.lo());
            case SockAddr.AF_LINK -> a.lo();
            default -> 0;
        };
    }

    private Filter filter(Ifnet ifp) {
        List<SockAddr> list = ifp.multiaddrs();
        int i = ifp.index();
        Filter f = i < MAX_INDEX ? filters.get(i) : null;
        if (f == null || f.from != list) {
            f = new Filter(list);
            if (i < MAX_INDEX) {
                filters.set(i, f);
            }
        }
        return f;
    }
}
