package io.gatun.netinet.icmp;

import io.gatun.netinet.Inet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;

/** ICMP. @bsd icmp_input */
public final class Icmp {
    public static final int ICMP_ECHOREPLY = 0;
    public static final int ICMP_UNREACH = 3;
    public static final int ICMP_UNREACH_NET = 0;
    public static final int ICMP_UNREACH_HOST = 1;
    public static final int ICMP_UNREACH_PROTOCOL = 2;
    public static final int ICMP_UNREACH_PORT = 3;
    public static final int ICMP_UNREACH_NEEDFRAG = 4;
    public static final int ICMP_UNREACH_SRCFAIL = 5;
    public static final int ICMP_UNREACH_FILTER_PROHIB = 13;
    public static final int ICMP_SOURCEQUENCH = 4;
    public static final int ICMP_REDIRECT = 5;
    public static final int ICMP_ECHO = 8;
    public static final int ICMP_TIMXCEED = 11;
    public static final int ICMP_TIMXCEED_INTRANS = 0;
    public static final int ICMP_TIMXCEED_REASS = 1;
    public static final int ICMP_PARAMPROB = 12;
    public static final int ICMP_TSTAMP = 13;
    public static final int ICMP_TSTAMPREPLY = 14;

    /** What {@link #bandlim} counts apart. @bsd BANDLIM_ICMP_UNREACH */
    public enum Bandlim { ICMP_UNREACH, ICMP_ECHO, ICMP_TSTAMP, RST_CLOSEDPORT, RST_OPENPORT, ICMP6_UNREACH, SCTP_OOTB }

    private final Inet inet;

    public Icmp(Inet inet) {
        this.inet = inet;
    }

    /**
     * Answers a packet with an ICMP error, where RFC 1122 section 3.2.2 allows one. Consumes m, which begins with its
     * IP header as it was received.
     *
     * @param mtu of the next hop for ICMP_UNREACH_NEEDFRAG, pointer for ICMP_PARAMPROB, else 0
     * @bsd icmp_error
     */
    public void error(Mbuf m, int type, int code, int mtu) {
        inet.vnet.drop(m, DropReason.ICMP_NOERROR);
    }

    /**
     * Whether one more packet of a kind may be sent this second ({@code net.inet.icmp.icmplim}).
     *
     * @bsd badport_bandlim
     */
    public boolean bandlim(Bandlim which) {
        return true;
    }

    /**
     * The MTU an ICMP_UNREACH_NEEDFRAG tells of; the next lower plateau of RFC 1191 section 7.1 when it tells none.
     * Borrows m.
     *
     * @param icmpOff octets to the ICMP header, behind which the offending IP header stands
     */
    public static int needfragMtu(Mbuf m, int icmpOff) {
        return 0;
    }
}
