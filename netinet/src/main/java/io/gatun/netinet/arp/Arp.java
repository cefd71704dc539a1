package io.gatun.netinet.arp;

import io.gatun.netinet.Inet;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.netinet.ip.InAddrs;
import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.lltable.LlHeader;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * The Address Resolution Protocol (RFC 826, RFC 1122 section 2.3.2, RFC 5227 section 2.4): requests and answers of one
 * vnet, over the {@link ArpTable} of each Ethernet. For entries that were
 * published by hand it answers too (proxy ARP).
 *
 * <p>Locking key: (w) written by any thread, the last one counts.
 *
 * @bsd arpintr
 */
public final class Arp {
    private static final int ARPHRD_ETHER = 1;
    private static final int ARPOP_REQUEST = 1;
    private static final int ARPOP_REPLY = 2;
    /** Octets of an ARP packet for IPv4 over Ethernet. */
    static final int LEN = 28;
    private static final int FIXED = 8;
    private static final int HLN_PLN = EtherHeader.ETHER_ADDR_LEN << Byte.SIZE | Integer.BYTES;
    private static final int PRO = 2;
    private static final int HLN = 4;
    private static final int OP = 6;
    private static final int SHA = 8;
    private static final int SPA = 14;
    private static final int THA = 18;
    private static final int TPA = 24;
    private static final long SEC = 1_000_000_000L;
    private static final int DAY_SEC = 86_400;
    private static final long DEFEND_INTERVAL = 10 * SEC;

    private final Inet inet;
    private final VnetSide vnet;
    private final ArpStat stat;
    private final List<ArpTable> tables = new CopyOnWriteArrayList<>();
    private final Sysctl maxAge;
    private final Sysctl maxTries;
    private final Sysctl maxHold;
    private final Sysctl wait;
    private final Sysctl maxEntries;
    private final List<Consumer<ArpDuplicate>> listeners = new CopyOnWriteArrayList<>();
    private final Map<Integer, Long> defended = new ConcurrentHashMap<>(); // when, by address
    private volatile ArpDuplicate duplicate; // (w)
    /** Asks for addresses before they are taken. */
    public final Acd acd = new Acd(this);

    public Arp(Inet inet) {
        this.inet = inet;
        vnet = inet.vnet;
        stat = new ArpStat(vnet.counters());
        SysctlTree tree = vnet.sysctl();
        maxAge = tree.addInt("net.link.ether.inet.max_age", 1200, 1, DAY_SEC, "ARP entry lifetime in seconds");
        maxTries = tree.addInt("net.link.ether.inet.maxtries", 5, 1, 100, "ARP requests before a host is down");
        maxHold = tree.addInt("net.link.ether.inet.maxhold", 16, 0, 1024, "packets that wait for one ARP answer");
        wait = tree.addInt("net.link.ether.inet.wait", 20, 1, DAY_SEC, "seconds a host is taken to be down");
        maxEntries = tree.addInt("net.link.ether.inet.maxentries", 8192, 1, 1 << 20, "ARP entries on one interface");
    }

    /** A table for an interface that is about to be attached. */
    public ArpTable newTable(Ifnet ifp) {
        ArpTable t = new ArpTable(this, ifp);
        tables.add(t);
        return t;
    }

    void gone(ArpTable t) {
        tables.remove(t);
    }

    /** The domain goes: frees every packet that waits, stops every timer. */
    public void destroy() {
        acd.cancel(null);
        for (ArpTable t : tables) {
            t.detach();
        }
    }

    // What tables ask.

    VnetSide vnet() {
        return vnet;
    }

    ArpStat stat() {
        return stat;
    }

    InAddrs addrs() {
        return inet.addrs;
    }

    long now() {
        return vnet.clock().nanoTime();
    }

    int maxhold() {
        return maxHold.getInt();
    }

    int maxtries() {
        return maxTries.getInt();
    }

    int maxEntries() {
        return maxEntries.getInt();
    }

    long maxAgeNs() {
        return maxAge.get() * SEC;
    }

    /** How long before its end an entry in use is asked for again: as many seconds as there are tries. */
    long preemptNs() {
        return Math.min(maxTries.get(), maxAge.get()) * SEC;
    }

    long waitNs() {
        return wait.get() * SEC;
    }

    Errno send(Ifnet ifp, Mbuf m, LlHeader h) {
        return inet.ether.frame(ifp, m, h);
    }

    /** Drops a packet whose neighbour does not answer; who sent it through this host is told. Consumes m. */
    void undeliverable(Mbuf m, DropReason reason) {
        stat.dropped.increment();
        if (m.rcvif() != null) {
            inet.icmp.error(m, Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_HOST, 0);
        } else {
            vnet.drop(m, reason);
        }
    }

    /** The same for packets linked by nextPkt; they are counted already. */
    void undeliverableAll(Mbuf first, DropReason reason) {
        Mbuf m = first;
        while (m != null) {
            Mbuf next = m.nextPkt();
            m.nextPkt(null);
            if (m.rcvif() != null) {
                inet.icmp.error(m, Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_HOST, 0);
            } else {
                vnet.drop(m, reason);
            }
            m = next;
        }
    }

    // Requests.

    /** Asks for an address. @bsd arprequest */
    void request(Ifnet ifp, int addr, long dst) {
        sendAll(ifp, newRequest(ifp, addr, dst));
    }

    /**
     * A request ready to be sent, Ethernet header included; null when out of mbufs or when the interface has no
     * address to ask from.
     */
    Mbuf newRequest(Ifnet ifp, int addr, long dst) {
        InIfaddr ia = inet.addrs.onLink(addr, ifp);
        ia = ia == null ? inet.addrs.first(ifp) : ia;
        if (ia == null || (ifp.flags() & Ifnet.IFF_NOARP) != 0) {
            return null;
        }
        return newPacket(ifp, ARPOP_REQUEST, ia.addr, addr, dst);
    }

    /** Asks whether anybody has an address, without saying that this host will (RFC 5227 section 2.1.1). */
    Mbuf probe(Ifnet ifp, int addr) {
        return newPacket(ifp, ARPOP_REQUEST, 0, addr, EtherHeader.BROADCAST);
    }

    private Mbuf newPacket(Ifnet ifp, int op, int spa, int tpa, long dst) {
        Mbuf m = vnet.pool().gethdr(Mbuf.MT_DATA);
        if (m == null) {
            stat.txerrors.increment();
            vnet.drop(null, DropReason.MBUF_NOMEM);
            return null;
        }
        long mac = ((ArpTable) ifp.llSoftc()).lladdr();
        m.len(EtherHeader.ETHER_HDR_LEN + LEN);
        m.pktLen(EtherHeader.ETHER_HDR_LEN + LEN);
        EtherHeader.put(m, dst, mac, EtherHeader.ETHERTYPE_ARP);
        int ar = EtherHeader.ETHER_HDR_LEN;
        m.put16(ar, ARPHRD_ETHER);
        m.put16(ar + PRO, EtherHeader.ETHERTYPE_IP);
        m.put16(ar + HLN, HLN_PLN);
        m.put16(ar + OP, op);
        putMac(m, ar + SHA, mac);
        m.putInt(ar + SPA, spa);
        putMac(m, ar + THA, op == ARPOP_REQUEST ? 0 : dst);
        m.putInt(ar + TPA, tpa);
        if (dst == EtherHeader.BROADCAST) {
            m.setFlags(Mbuf.M_BCAST);
        }
        return m;
    }

    private static void putMac(Mbuf m, int off, long mac) {
        m.put16(off, (int) (mac >>> Integer.SIZE));
        m.putInt(off + Short.BYTES, (int) mac);
    }

    private static long mac(Mbuf m, int off) {
        return (long) m.getU16(off) << Integer.SIZE | m.getInt(off + Short.BYTES) & 0xffff_ffffL;
    }

    /** Transmits ARP frames linked by nextPkt. Consumes them. */
    void sendAll(Ifnet ifp, Mbuf first) {
        Mbuf m = first;
        while (m != null) {
            Mbuf next = m.nextPkt();
            m.nextPkt(null);
            boolean reply = m.getU16(EtherHeader.ETHER_HDR_LEN + OP) == ARPOP_REPLY;
            if (ifp.transmit(m) == Errno.OK) {
                (reply ? stat.txreplies : stat.txrequests).increment();
            } else {
                stat.txerrors.increment();
            }
            m = next;
        }
    }

    /** Tells all neighbours of an address of this host, and so finds out who else has it. @bsd arp_announce_ifaddr */
    public void announce(Ifnet ifp, int addr) {
        boolean up = (ifp.flags() & (Ifnet.IFF_UP | Ifnet.IFF_NOARP)) == Ifnet.IFF_UP;
        if (up && ifp.llSoftc() instanceof ArpTable) {
            sendAll(ifp, newPacket(ifp, ARPOP_REQUEST, addr, addr, EtherHeader.BROADCAST));
        }
    }

    // Input.

    /** Takes an ARP packet from the link layer. Consumes m. @bsd arpintr */
    public void input(Mbuf m0) {
        stat.received.increment();
        Ifnet ifp = m0.rcvif();
        if (m0.pktLen() < FIXED) {
            vnet.drop(m0, DropReason.ARP_SHORT);
            return;
        }
        Mbuf m = m0.len() >= FIXED ? m0 : m0.pullup(FIXED);
        if (m == null) {
            vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        boolean known = m.getU16(0) == ARPHRD_ETHER && m.getU16(PRO) == EtherHeader.ETHERTYPE_IP
            && m.getU16(HLN) == HLN_PLN;
        if (!known || !(ifp.llSoftc() instanceof ArpTable) || (ifp.flags() & Ifnet.IFF_NOARP) != 0) {
            vnet.drop(m, DropReason.ARP_BADHDR);
            return;
        }
        if (m.pktLen() < LEN) {
            vnet.drop(m, DropReason.ARP_SHORT);
            return;
        }
        m = m.len() >= LEN ? m : m.pullup(LEN);
        if (m == null) {
            vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        inputIp(ifp, (ArpTable) ifp.llSoftc(), m);
    }

    /** A whole packet for IPv4 over Ethernet. Consumes m. @bsd in_arpinput */
    private void inputIp(Ifnet ifp, ArpTable table, Mbuf m) {
        int op = m.getU16(OP);
        long sha = mac(m, SHA);
        int spa = m.getInt(SPA);
        int tpa = m.getInt(TPA);
        (op == ARPOP_REPLY ? stat.rxreplies : stat.rxrequests).increment();
        if (sha == table.lladdr()) {
            vnet.drop(m, DropReason.ARP_NOT_FOR_US); // our own words came back
            return;
        }
        if (EtherHeader.isMulticast(sha) || sha == 0) {
            vnet.drop(m, DropReason.ARP_BADADDR);
            return;
        }
        acd.heard(ifp, op == ARPOP_REQUEST, sha, spa, tpa);
        InIfaddr target = inet.addrs.lookup(tpa);
        boolean forUs = target != null && target.ifp == ifp;
        if (spa != 0) {
            InIfaddr mine = inet.addrs.lookup(spa);
            if (mine != null && mine.ifp == ifp) {
                stat.dupips.increment();
                duplicate = new ArpDuplicate(ifp.xname(), spa, sha, now());
                defend(ifp, m, op, forUs, sha);
                return;
            }
            if (badSender(ifp, spa)) {
                vnet.drop(m, DropReason.ARP_BADADDR);
                return;
            }
            table.learn(spa, sha, forUs);
        }
        long proxy = op == ARPOP_REQUEST && !forUs && spa != tpa ? table.published(tpa) : 0;
        if (op == ARPOP_REQUEST && forUs) {
            reply(ifp, tpa, spa, sha);
        } else if (proxy != 0) {
            replyFor(ifp, tpa, proxy, spa, sha);
        }
        if (forUs || spa == tpa || proxy != 0) {
            m.freeChain();
        } else {
            vnet.drop(m, DropReason.ARP_NOT_FOR_US);
        }
    }

    /** Whether a sender's address cannot be a neighbour's. */
    private boolean badSender(Ifnet ifp, int spa) {
        return inet.addrs.isBroadcast(spa, ifp) || inet.addrs.onLink(spa, ifp) == null;
    }

    /**
     * Somebody else speaks with an address of ours: report it, and tell all that it is ours, but once in ten seconds
     * only, lest two hosts keep telling each other (RFC 5227 section 2.4). Consumes m.
     */
    private void defend(Ifnet ifp, Mbuf m, int op, boolean forUs, long sha) {
        int spa = m.getInt(SPA);
        int tpa = m.getInt(TPA);
        vnet.drop(m, DropReason.ARP_DUPLICATE);
        for (Consumer<ArpDuplicate> l : listeners) {
            l.accept(duplicate);
        }
        if (op == ARPOP_REQUEST && forUs) {
            reply(ifp, tpa, spa, sha);
        }
        Long last = defended.get(spa);
        if (last == null || now() - last >= DEFEND_INTERVAL) {
            defended.put(spa, now());
            announce(ifp, spa);
        }
    }

    /** From now on hears of each conflict, without a lock of the stack. */
    public void addListener(Consumer<ArpDuplicate> listener) {
        listeners.add(listener);
    }

    public void removeListener(Consumer<ArpDuplicate> listener) {
        listeners.remove(listener);
    }

    private void reply(Ifnet ifp, int ours, int theirs, long sha) {
        sendAll(ifp, newPacket(ifp, ARPOP_REPLY, ours, theirs, sha));
    }

    /** An answer in the place of a host that was published. */
    private void replyFor(Ifnet ifp, int host, long mac, int theirs, long sha) {
        Mbuf m = newPacket(ifp, ARPOP_REPLY, host, theirs, sha);
        if (m != null) {
            putMac(m, EtherHeader.ETHER_HDR_LEN + SHA, mac);
            sendAll(ifp, m);
        }
    }

    /** The last report of an address of ours in use by somebody else, or null. */
    public ArpDuplicate lastDuplicate() {
        return duplicate;
    }

    // Hands.

    /** A static entry that is not published. */
    public Errno setStatic(Ifnet ifp, int addr, long lladdr) {
        return setStatic(ifp, addr, lladdr, false);
    }

    /**
     * Sets a static entry. EINVAL when the interface has no ARP.
     *
     * @param published whether this host answers requests for it
     * @bsd SIOCSARP, LLE_PUB
     */
    public Errno setStatic(Ifnet ifp, int addr, long lladdr, boolean published) {
        return ifp.llSoftc() instanceof ArpTable t ? t.setStatic(addr, lladdr, published) : Errno.EINVAL;
    }

    /** Deletes an entry. ENOENT when there is none, EINVAL when the interface has no ARP. @bsd SIOCDARP */
    public Errno delete(Ifnet ifp, int addr) {
        return ifp.llSoftc() instanceof ArpTable t ? t.delete(addr) : Errno.EINVAL;
    }

    /** An interface goes. @bsd arp_ifdetach */
    public void ifdetach(Ifnet ifp) {
        acd.cancel(ifp);
        if (ifp.llSoftc() instanceof ArpTable t) {
            t.detach();
        }
    }

    /** Forgets all neighbours of an interface. */
    public void flush(Ifnet ifp) {
        if (ifp.llSoftc() instanceof ArpTable t) {
            t.flush();
        }
    }

    /** An interface changed: when it came up or has another link address, neighbours hear of its addresses. */
    public void stateChanged(Ifnet ifp) {
        if (ifp.llSoftc() instanceof ArpTable t && t.stateChanged()) {
            for (InIfaddr ia : inet.addrs.all()) {
                if (ia.ifp == ifp) {
                    announce(ifp, ia.addr);
                }
            }
        }
    }

    /** All entries of all interfaces: a snapshot. */
    public List<ArpEntry> entries() {
        List<ArpEntry> out = new ArrayList<>();
        for (ArpTable t : tables) {
            out.addAll(t.entries());
        }
        return out;
    }
}
