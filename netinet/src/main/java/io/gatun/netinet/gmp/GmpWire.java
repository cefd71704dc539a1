package io.gatun.netinet.gmp;

import io.gatun.spi.ifnet.Ifnet;
import java.util.List;

/** The messages of one protocol, IGMP or MLD. Called with the lock of {@link Gmp} held: must not call back. */
public interface GmpWire {
    /** The newest version, and the one spoken where nobody speaks an older one. */
    int version();

    /** The version to speak at most; the newest, or what the administrator says. */
    int defaultVersion();

    /** Whether an older version's router is heeded. */
    boolean heeds(int version);

    /** Whether reports are made of a group at all; none of that of all hosts. */
    boolean reports(long hi, long lo);

    /** Octets of group records that fit one report on an interface. */
    int room(Ifnet ifp);

    /** Octets of an address. */
    int addrLen();

    /** Sends a report of the newest version. */
    void report(Ifnet ifp, List<GmpRecord> records);

    /** Sends a report of an older version. */
    void oldReport(Ifnet ifp, int version, long hi, long lo);

    /** Sends a leave of an older version, where that has one. */
    void oldLeave(Ifnet ifp, int version, long hi, long lo);
}
