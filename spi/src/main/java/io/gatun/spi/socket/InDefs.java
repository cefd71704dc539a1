package io.gatun.spi.socket;

/**
 * The numbers of FreeBSD's netinet/in.h, netinet6/in6.h and netinet/tcp.h that both programs and protocols use,
 * verbatim.
 *
 * @bsd netinet/in.h
 */
public final class InDefs {
    public static final int IPPROTO_IP = 0;
    public static final int IPPROTO_HOPOPTS = 0;
    public static final int IPPROTO_ICMP = 1;
    public static final int IPPROTO_IGMP = 2;
    public static final int IPPROTO_TCP = 6;
    public static final int IPPROTO_UDP = 17;
    public static final int IPPROTO_IPV6 = 41;
    public static final int IPPROTO_ROUTING = 43;
    public static final int IPPROTO_FRAGMENT = 44;
    public static final int IPPROTO_ESP = 50;
    public static final int IPPROTO_AH = 51;
    public static final int IPPROTO_ICMPV6 = 58;
    public static final int IPPROTO_NONE = 59;
    public static final int IPPROTO_DSTOPTS = 60;
    public static final int IPPROTO_RAW = 255;
    public static final int IPPROTO_MAX = 256;
    /** An input routine's answer: the packet is dealt with. */
    public static final int IPPROTO_DONE = 257;

    public static final int IP_OPTIONS = 1;
    public static final int IP_HDRINCL = 2;
    public static final int IP_TOS = 3;
    public static final int IP_TTL = 4;
    public static final int IP_RECVOPTS = 5;
    public static final int IP_RECVDSTADDR = 7;
    /** Control message: send this datagram from an address of ours. */
    public static final int IP_SENDSRCADDR = IP_RECVDSTADDR;
    public static final int IP_MULTICAST_IF = 9;
    public static final int IP_MULTICAST_TTL = 10;
    public static final int IP_MULTICAST_LOOP = 11;
    public static final int IP_ADD_MEMBERSHIP = 12;
    public static final int IP_DROP_MEMBERSHIP = 13;
    public static final int IP_PORTRANGE = 19;
    public static final int IP_RECVIF = 20;
    public static final int IP_MINTTL = 66;
    public static final int IP_DONTFRAG = 67;
    public static final int IP_RECVTOS = 68;
    public static final int IP_RECVTTL = 65;
    public static final int IP_BINDANY = 24;
    public static final int IP_ORIGDSTADDR = 27;
    public static final int IP_RECVORIGDSTADDR = IP_ORIGDSTADDR;

    public static final int IP_ADD_SOURCE_MEMBERSHIP = 70;
    public static final int IP_DROP_SOURCE_MEMBERSHIP = 71;
    public static final int IP_BLOCK_SOURCE = 72;
    public static final int IP_UNBLOCK_SOURCE = 73;
    /** A whole source filter, {@link MsFilterReq}. */
    public static final int IP_MSFILTER = 74;
    public static final int MCAST_JOIN_GROUP = 80;
    public static final int MCAST_LEAVE_GROUP = 81;
    public static final int MCAST_JOIN_SOURCE_GROUP = 82;
    public static final int MCAST_LEAVE_SOURCE_GROUP = 83;
    public static final int MCAST_BLOCK_SOURCE = 84;
    public static final int MCAST_UNBLOCK_SOURCE = 85;
    public static final int MCAST_UNDEFINED = 0;
    public static final int MCAST_INCLUDE = 1;
    public static final int MCAST_EXCLUDE = 2;

    public static final int IP_PORTRANGE_DEFAULT = 0;
    public static final int IP_PORTRANGE_HIGH = 1;
    public static final int IP_PORTRANGE_LOW = 2;

    public static final int IPV6_UNICAST_HOPS = 4;
    public static final int IPV6_MULTICAST_IF = 9;
    public static final int IPV6_MULTICAST_HOPS = 10;
    public static final int IPV6_MULTICAST_LOOP = 11;
    public static final int IPV6_JOIN_GROUP = 12;
    public static final int IPV6_LEAVE_GROUP = 13;
    public static final int IPV6_PORTRANGE = 14;
    public static final int ICMP6_FILTER = 18;
    public static final int IPV6_CHECKSUM = 26;
    public static final int IPV6_V6ONLY = 27;
    public static final int IPV6_RTHDRDSTOPTS = 35;
    public static final int IPV6_RECVPKTINFO = 36;
    public static final int IPV6_RECVHOPLIMIT = 37;
    public static final int IPV6_RECVRTHDR = 38;
    public static final int IPV6_RECVHOPOPTS = 39;
    public static final int IPV6_RECVDSTOPTS = 40;
    public static final int IPV6_USE_MIN_MTU = 42;
    public static final int IPV6_RECVPATHMTU = 43;
    public static final int IPV6_PATHMTU = 44;
    public static final int IPV6_PKTINFO = 46;
    public static final int IPV6_HOPLIMIT = 47;
    public static final int IPV6_NEXTHOP = 48;
    public static final int IPV6_HOPOPTS = 49;
    public static final int IPV6_DSTOPTS = 50;
    public static final int IPV6_RTHDR = 51;
    public static final int IPV6_RECVTCLASS = 57;
    public static final int IPV6_AUTOFLOWLABEL = 59;
    public static final int IPV6_TCLASS = 61;
    public static final int IPV6_DONTFRAG = 62;
    public static final int IPV6_PREFER_TEMPADDR = 63;
    public static final int IPV6_BINDANY = 64;
    public static final int IPV6_ORIGDSTADDR = 72;
    /** A whole source filter, {@link MsFilterReq}. */
    public static final int IPV6_MSFILTER = 74;
    public static final int IPV6_RECVORIGDSTADDR = IPV6_ORIGDSTADDR;

    public static final int TCP_NODELAY = 1;
    public static final int TCP_MAXSEG = 2;
    public static final int TCP_NOPUSH = 4;
    public static final int TCP_NOOPT = 8;
    public static final int TCP_MD5SIG = 16;
    public static final int TCP_INFO = 32;
    public static final int TCP_CONGESTION = 64;
    /** Options of the congestion control in use. */
    public static final int TCP_CCALGOOPT = 65;
    public static final int TCP_KEEPINIT = 128;
    public static final int TCP_KEEPIDLE = 256;
    public static final int TCP_KEEPINTVL = 512;
    public static final int TCP_KEEPCNT = 1024;
    public static final int TCP_FASTOPEN = 1025;
    public static final int TCP_MAXUNACKTIME = 68;
    public static final int TCP_REMOTE_UDP_ENCAPS_PORT = 71;
    public static final int TCP_FUNCTION_ALIAS = 8193;
    public static final int TCP_FUNCTION_BLK = 8192;

    private InDefs() {
    }
}
