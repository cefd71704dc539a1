package io.gatun.netinet.tcp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/**
 * The protocol's counters, one of each per vnet, published as {@code tcp.NAME} under FreeBSD's field names.
 *
 * @bsd struct tcpstat
 */
final class TcpStat {
    /** Connections begun by connect. @bsd tcps_connattempt */
    final Counter connattempt;
    /** Connections that a SYN began at a listener. @bsd tcps_accepts */
    final Counter accepts;
    /** Connections established. @bsd tcps_connects */
    final Counter connects;
    /** Connections dropped after they were established. @bsd tcps_drops */
    final Counter drops;
    /** Embryonic connections dropped. @bsd tcps_conndrops */
    final Counter conndrops;
    /** Connections closed, drops included. @bsd tcps_closed */
    final Counter closed;
    /** Segments whose round trip was timed. @bsd tcps_segstimed */
    final Counter segstimed;
    /** Round trips measured. @bsd tcps_rttupdated */
    final Counter rttupdated;
    /** Delayed acknowledgments sent. @bsd tcps_delack */
    final Counter delack;
    /** Connections dropped by a retransmit timeout. @bsd tcps_timeoutdrop */
    final Counter timeoutdrop;
    /** Retransmit timeouts. @bsd tcps_rexmttimeo */
    final Counter rexmttimeo;
    /** Persist timeouts. @bsd tcps_persisttimeo */
    final Counter persisttimeo;
    /** Keepalive timeouts. @bsd tcps_keeptimeo */
    final Counter keeptimeo;
    /** Keepalive probes sent. @bsd tcps_keepprobe */
    final Counter keepprobe;
    /** Connections dropped by keepalive. @bsd tcps_keepdrops */
    final Counter keepdrops;
    /** Connections dropped by a persist timeout. @bsd tcps_persistdrop */
    final Counter persistdrop;
    /** Connections dropped in FIN-WAIT-2. @bsd tcps_finwait2drops */
    final Counter finwait2drops;
    final TcpFusionStat fusion;
    /** Segments sent. @bsd tcps_sndtotal */
    final Counter sndtotal;
    /** Data segments sent. @bsd tcps_sndpack */
    final Counter sndpack;
    /** Payload octets sent. @bsd tcps_sndbyte */
    final Counter sndbyte;
    /** Data segments sent again. @bsd tcps_sndrexmitpack */
    final Counter sndrexmitpack;
    /** Payload octets sent again. @bsd tcps_sndrexmitbyte */
    final Counter sndrexmitbyte;
    /** Segments sent that only acknowledge. @bsd tcps_sndacks */
    final Counter sndacks;
    /** Window probes sent. @bsd tcps_sndprobe */
    final Counter sndprobe;
    /** Segments sent with URG only. @bsd tcps_sndurg */
    final Counter sndurg;
    /** Segments sent that only update the window. @bsd tcps_sndwinup */
    final Counter sndwinup;
    /** Control segments sent (SYN, FIN, RST). @bsd tcps_sndctrl */
    final Counter sndctrl;
    /** Segments received. @bsd tcps_rcvtotal */
    final Counter rcvtotal;
    /** Segments received in sequence. @bsd tcps_rcvpack */
    final Counter rcvpack;
    /** Payload octets received in sequence. @bsd tcps_rcvbyte */
    final Counter rcvbyte;
    /** Segments received with a bad checksum. @bsd tcps_rcvbadsum */
    final Counter rcvbadsum;
    /** Segments received with a bad header length. @bsd tcps_rcvbadoff */
    final Counter rcvbadoff;
    /** Segments dropped for want of reassembly room. @bsd tcps_rcvreassfull */
    final Counter rcvreassfull;
    /** Segments dropped for want of memory. @bsd tcps_rcvmemdrop */
    final Counter rcvmemdrop;
    /** Segments received too short. @bsd tcps_rcvshort */
    final Counter rcvshort;
    /** Wholly duplicate segments received. @bsd tcps_rcvduppack */
    final Counter rcvduppack;
    /** Octets in wholly duplicate segments. @bsd tcps_rcvdupbyte */
    final Counter rcvdupbyte;
    /** Segments received with some duplicate data. @bsd tcps_rcvpartduppack */
    final Counter rcvpartduppack;
    /** Duplicate octets in partly duplicate segments. @bsd tcps_rcvpartdupbyte */
    final Counter rcvpartdupbyte;
    /** Segments received out of order. @bsd tcps_rcvoopack */
    final Counter rcvoopack;
    /** Octets received out of order. @bsd tcps_rcvoobyte */
    final Counter rcvoobyte;
    /** Segments with data beyond the window. @bsd tcps_rcvpackafterwin */
    final Counter rcvpackafterwin;
    /** Octets beyond the window. @bsd tcps_rcvbyteafterwin */
    final Counter rcvbyteafterwin;
    /** Segments received after close. @bsd tcps_rcvafterclose */
    final Counter rcvafterclose;
    /** Window probes received. @bsd tcps_rcvwinprobe */
    final Counter rcvwinprobe;
    /** Duplicate acknowledgments received. @bsd tcps_rcvdupack */
    final Counter rcvdupack;
    /** Acknowledgments of data not yet sent. @bsd tcps_rcvacktoomuch */
    final Counter rcvacktoomuch;
    /** Acknowledgments received. @bsd tcps_rcvackpack */
    final Counter rcvackpack;
    /** Octets acknowledged. @bsd tcps_rcvackbyte */
    final Counter rcvackbyte;
    /** Window updates received. @bsd tcps_rcvwinupd */
    final Counter rcvwinupd;
    /** Segments dropped by PAWS. @bsd tcps_pawsdrop */
    final Counter pawsdrop;
    /** Acknowledgments predicted. @bsd tcps_predack */
    final Counter predack;
    /** Data segments predicted. @bsd tcps_preddat */
    final Counter preddat;
    /** Bogus SYNs, such as an early ACK. @bsd tcps_badsyn */
    final Counter badsyn;
    /** Listen queue overflows. @bsd tcps_listendrop */
    final Counter listendrop;
    /** RSTs ignored inside the window. @bsd tcps_badrst */
    final Counter badrst;
    /** Resent after MTU discovery. @bsd tcps_mturesent */
    final Counter mturesent;
    /** Retransmissions that proved unnecessary. @bsd tcps_sndrexmitbad */
    final Counter sndrexmitbad;
    /** Challenge acknowledgments sent. */
    final Counter challengeacks;
    /** Challenge acknowledgments withheld by a limit. */
    final Counter challengelimited;
    /** TIME-WAIT connections given up for a new SYN. */
    final Counter twRecycles;
    /** Segments with malformed options. */
    final Counter badoptions;
    /** Segments from or to an address that cannot be an endpoint. */
    final Counter badaddr;
    /** Super-segments sent. */
    final Counter sndtso;
    /** Loss recovery. */
    final TcpRackStat rack;
    /** Connections dropped for want of progress. @bsd tcps_progdrops */
    final Counter progdrops;
    /** Limited transmits. */
    final Counter limitedtransmit;

    TcpStat(CounterSet set) {
        connattempt = set.counter("tcp.connattempt");
        accepts = set.counter("tcp.accepts");
        connects = set.counter("tcp.connects");
        drops = set.counter("tcp.drops");
        conndrops = set.counter("tcp.conndrops");
        closed = set.counter("tcp.closed");
        segstimed = set.counter("tcp.segstimed");
        rttupdated = set.counter("tcp.rttupdated");
        delack = set.counter("tcp.delack");
        timeoutdrop = set.counter("tcp.timeoutdrop");
        rexmttimeo = set.counter("tcp.rexmttimeo");
        persisttimeo = set.counter("tcp.persisttimeo");
        keeptimeo = set.counter("tcp.keeptimeo");
        keepprobe = set.counter("tcp.keepprobe");
        keepdrops = set.counter("tcp.keepdrops");
        persistdrop = set.counter("tcp.persistdrop");
        finwait2drops = set.counter("tcp.finwait2drops");
        fusion = new TcpFusionStat(set);
        sndtotal = set.counter("tcp.sndtotal");
        sndpack = set.counter("tcp.sndpack");
        sndbyte = set.counter("tcp.sndbyte");
        sndrexmitpack = set.counter("tcp.sndrexmitpack");
        sndrexmitbyte = set.counter("tcp.sndrexmitbyte");
        sndacks = set.counter("tcp.sndacks");
        sndprobe = set.counter("tcp.sndprobe");
        sndurg = set.counter("tcp.sndurg");
        sndwinup = set.counter("tcp.sndwinup");
        sndctrl = set.counter("tcp.sndctrl");
        rcvtotal = set.counter("tcp.rcvtotal");
        rcvpack = set.counter("tcp.rcvpack");
        rcvbyte = set.counter("tcp.rcvbyte");
        rcvbadsum = set.counter("tcp.rcvbadsum");
        rcvbadoff = set.counter("tcp.rcvbadoff");
        rcvreassfull = set.counter("tcp.rcvreassfull");
        rcvmemdrop = set.counter("tcp.rcvmemdrop");
        rcvshort = set.counter("tcp.rcvshort");
        rcvduppack = set.counter("tcp.rcvduppack");
        rcvdupbyte = set.counter("tcp.rcvdupbyte");
        rcvpartduppack = set.counter("tcp.rcvpartduppack");
        rcvpartdupbyte = set.counter("tcp.rcvpartdupbyte");
        rcvoopack = set.counter("tcp.rcvoopack");
        rcvoobyte = set.counter("tcp.rcvoobyte");
        rcvpackafterwin = set.counter("tcp.rcvpackafterwin");
        rcvbyteafterwin = set.counter("tcp.rcvbyteafterwin");
        rcvafterclose = set.counter("tcp.rcvafterclose");
        rcvwinprobe = set.counter("tcp.rcvwinprobe");
        rcvdupack = set.counter("tcp.rcvdupack");
        rcvacktoomuch = set.counter("tcp.rcvacktoomuch");
        rcvackpack = set.counter("tcp.rcvackpack");
        rcvackbyte = set.counter("tcp.rcvackbyte");
        rcvwinupd = set.counter("tcp.rcvwinupd");
        pawsdrop = set.counter("tcp.pawsdrop");
        predack = set.counter("tcp.predack");
        preddat = set.counter("tcp.preddat");
        badsyn = set.counter("tcp.badsyn");
        listendrop = set.counter("tcp.listendrop");
        badrst = set.counter("tcp.badrst");
        mturesent = set.counter("tcp.mturesent");
        sndrexmitbad = set.counter("tcp.sndrexmitbad");
        challengeacks = set.counter("tcp.challengeacks");
        challengelimited = set.counter("tcp.challengelimited");
        twRecycles = set.counter("tcp.tw_recycles");
        badoptions = set.counter("tcp.badoptions");
        badaddr = set.counter("tcp.badaddr");
        sndtso = set.counter("tcp.sndtso");
        rack = new TcpRackStat(set);
        progdrops = set.counter("tcp.progdrops");
        limitedtransmit = set.counter("tcp.limitedtransmit");
    }
}
