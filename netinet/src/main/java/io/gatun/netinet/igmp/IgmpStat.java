package io.gatun.netinet.igmp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/** The counters of IGMP, as in {@code netstat -s}. @bsd struct igmpstat */
final class IgmpStat {
    /** Messages received. */
    final Counter rcvTotal;
    /** Shorter than a message. */
    final Counter rcvTooshort;
    /** Checksum wrong. */
    final Counter rcvBadsum;
    /** Time to live other than 1. */
    final Counter rcvBadttl;
    /** Queries of version 1 or 2. */
    final Counter rcvV1V2Queries;
    /** Queries of version 3. */
    final Counter rcvV3Queries;
    /** Queries about all groups. */
    final Counter rcvGenQueries;
    /** Queries about one group. */
    final Counter rcvGroupQueries;
    /** Queries about senders of a group. */
    final Counter rcvGsrQueries;
    /** Queries that are no good. */
    final Counter rcvBadqueries;
    /** Reports of others. */
    final Counter rcvReports;
    /** Reports about no group. */
    final Counter rcvBadreports;
    /** Reports of groups this host listens to. */
    final Counter rcvOurreports;
    /** Queries without the Router Alert option. */
    final Counter rcvNora;
    /** Messages sent. */
    final Counter sndReports;

    IgmpStat(final CounterSet set) {
        rcvTotal = set.counter("igmp.rcv_total");
        rcvTooshort = set.counter("igmp.rcv_tooshort");
        rcvBadsum = set.counter("igmp.rcv_badsum");
        rcvBadttl = set.counter("igmp.rcv_badttl");
        rcvV1V2Queries = set.counter("igmp.rcv_v1v2_queries");
        rcvV3Queries = set.counter("igmp.rcv_v3_queries");
        rcvGenQueries = set.counter("igmp.rcv_gen_queries");
        rcvGroupQueries = set.counter("igmp.rcv_group_queries");
        rcvGsrQueries = set.counter("igmp.rcv_gsr_queries");
        rcvBadqueries = set.counter("igmp.rcv_badqueries");
        rcvReports = set.counter("igmp.rcv_reports");
        rcvBadreports = set.counter("igmp.rcv_badreports");
        rcvOurreports = set.counter("igmp.rcv_ourreports");
        rcvNora = set.counter("igmp.rcv_nora");
        sndReports = set.counter("igmp.snd_reports");
    }
}
