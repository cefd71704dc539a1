package io.gatun.netinet.icmp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/** The counters of ICMP, as in {@code netstat -s}. @bsd struct icmpstat */
public final class IcmpStat {
    /** Types counted one by one. */
    static final int ICMP_MAXTYPE = 40;

    /** Calls of icmp_error. */
    public final Counter error;
    /** No error, for the packet was too short. */
    public final Counter oldshort;
    /** No error, for the packet was an ICMP error itself, a fragment or no unicast. */
    public final Counter oldicmp;
    /** No error, for there were too many. */
    public final Counter ratelimit;
    /** Code out of range. */
    public final Counter badcode;
    /** Shorter than a message. */
    public final Counter tooshort;
    /** Checksum wrong. */
    public final Counter checksum;
    /** Length wrong. */
    public final Counter badlen;
    /** Answers made of the question. */
    public final Counter reflect;
    /** Echo requests to all or a group that were ignored. */
    public final Counter bmcastecho;
    /** Timestamp requests to all or a group that were ignored. */
    public final Counter bmcasttstamp;
    /** Errors about packets this host cannot have sent. */
    public final Counter badaddr;
    /** Answers without a way back. */
    public final Counter noroute;
    private final Counter[] inhist = new Counter[ICMP_MAXTYPE + 1];
    private final Counter[] outhist = new Counter[ICMP_MAXTYPE + 1];

    public IcmpStat(CounterSet set) {
        error = set.counter("icmp.error");
        oldshort = set.counter("icmp.oldshort");
        oldicmp = set.counter("icmp.oldicmp");
        ratelimit = set.counter("icmp.ratelimit");
        badcode = set.counter("icmp.badcode");
        tooshort = set.counter("icmp.tooshort");
        checksum = set.counter("icmp.checksum");
        badlen = set.counter("icmp.badlen");
        reflect = set.counter("icmp.reflect");
        bmcastecho = set.counter("icmp.bmcastecho");
        bmcasttstamp = set.counter("icmp.bmcasttstamp");
        badaddr = set.counter("icmp.badaddr");
        noroute = set.counter("icmp.noroute");
        for (int i = 0; i <= ICMP_MAXTYPE; i++) {
            inhist[i] = set.counter("icmp.inhist." + i);
            outhist[i] = set.counter("icmp.outhist." + i);
        }
    }

    /** Messages received, by type. */
    Counter in(int type) {
        return inhist[Math.min(type, ICMP_MAXTYPE)];
    }

    /** Messages sent, by type. */
    Counter out(int type) {
        return outhist[Math.min(type, ICMP_MAXTYPE)];
    }
}
