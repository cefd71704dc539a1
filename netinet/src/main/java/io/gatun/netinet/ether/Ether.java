package io.gatun.netinet.ether;

import io.gatun.netinet.Inet;
import io.gatun.netinet.arp.ArpTable;
import io.gatun.netinet.ip.InAddrs;
import io.gatun.netinet.ip.InMulti;
import io.gatun.netinet.lltable.LlHeader;
import io.gatun.netinet.tcp.TcpLro;
import io.gatun.spi.ifnet.EtherTypes;
import io.gatun.spi.ifnet.EtherVlan;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.LinkLayer;
import io.gatun.spi.ifnet.VlanTrunk;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.VnetSide;

/**
 * Ethernet: the link layer of IFT_ETHER and IFT_L2VLAN. Up: checks a frame, filters it by its destination, hands tagged
 * ones to the vlan driver and the rest to netisr by type. Down: finds the link address and puts the header in front.
 *
 * <p>The link layer's state of an interface is its {@link ArpTable}.
 *
 * <p>Locking key: (w) set once while the domain is initialised.
 *
 * @bsd ether_input
 */
public final class Ether implements LinkLayer {
    private final Inet inet;
    private final VnetSide vnet;
    private final ReadAhead ahead;
    private final EtherTypeTable types = new EtherTypeTable();
    private volatile TcpLro lro; // (w)

    public Ether(Inet inet) {
        this.inet = inet;
        this.vnet = inet.vnet;
        ahead = new ReadAhead(inet);
    }

    /** Makes an interface an Ethernet. @bsd ether_ifattach */
    @Override
    public Errno attach(Ifnet ifp) {
        byte[] lladdr = ifp.lladdr();
        if (lladdr == null || lladdr.length != EtherHeader.ETHER_ADDR_LEN) {
            return Errno.EINVAL;
        }
        ifp.setAddrlen(EtherHeader.ETHER_ADDR_LEN);
        ifp.setHdrlen(EtherHeader.ETHER_HDR_LEN);
        ifp.setBroadcastAddr(EtherHeader.octets(EtherHeader.BROADCAST));
        if (ifp.mtu() == 0) {
            ifp.setMtu(EtherHeader.ETHERMTU);
        }
        ifp.setLlSoftc(inet.arp.newTable(ifp));
        ifp.setInputFn(this::input);
        ifp.setOutputFn(this::output);
        // Room for a tag too, so that a vlan need not add an mbuf.
        vnet.pool().maxLinkhdrGrow(EtherHeader.ETHER_HDR_LEN + EtherVlan.ETHER_VLAN_ENCAP_LEN);
        return Errno.OK;
    }

    /** Forgets an interface's neighbours. @bsd ether_ifdetach */
    @Override
    public void detach(Ifnet ifp) {
        inet.arp.ifdetach(ifp);
    }

    /** Where protocols of other modules say which frames are theirs. */
    public EtherTypes types() {
        return types;
    }

    /** For TCP: who merges segments that came together, on interfaces with IFCAP_LRO. */
    public void setLro(TcpLro merger) {
        lro = merger;
    }

    // Up.

    /** Takes frames up. Consumes m and what follows by nextPkt. @bsd ether_input */
    private void input(Ifnet ifp, Mbuf first) {
        final TcpLro merger = lro;
        if (merger != null && first.nextPkt() != null && (ifp.capenable() & Ifnet.IFCAP_LRO) != 0) {
            merger.merge(ifp, first);
        }
        if (first.nextPkt() != null) {
            ahead.list(ifp, first);
        }
        Mbuf m = first;
        while (m != null) {
            Mbuf next = m.nextPkt();
            m.nextPkt(null);
            inputOne(ifp, m);
            m = next;
        }
    }

    private void inputOne(Ifnet ifp, Mbuf m0) {
        if (m0.pktLen() < EtherHeader.ETHER_HDR_LEN) {
            ifp.count(IfCounter.IERRORS, 1);
            vnet.drop(m0, DropReason.ETHER_SHORT);
            return;
        }
        Mbuf m = m0.len() >= EtherHeader.ETHER_HDR_LEN ? m0 : m0.pullup(EtherHeader.ETHER_HDR_LEN);
        if (m == null) {
            ifp.count(IfCounter.IQDROPS, 1);
            vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        if (EtherHeader.isMulticast(EtherHeader.src(m))) {
            ifp.count(IfCounter.IERRORS, 1);
            vnet.drop(m, DropReason.ETHER_MCAST_SRC);
        } else if (!wanted(ifp, m, EtherHeader.dst(m))) {
            vnet.drop(m, DropReason.ETHER_NOT_FOR_US);
        } else if (EtherHeader.type(m) == EtherHeader.ETHERTYPE_VLAN || m.has(Mbuf.M_VLANTAG)) {
            tagged(ifp, m);
        } else {
            demux(ifp, m);
        }
    }

    /** Marks a frame to a group or to all, and answers whether this host listens to its destination. */
    private boolean wanted(Ifnet ifp, Mbuf m, long dst) {
        if (!EtherHeader.isMulticast(dst)) {
            // In promiscuous mode taps have seen it; the stack itself takes its own address alone.
            return dst == ((ArpTable) ifp.llSoftc()).lladdr();
        }
        ifp.count(IfCounter.IMCASTS, 1);
        if (dst == EtherHeader.BROADCAST) {
            m.setFlags(Mbuf.M_BCAST);
            return true;
        }
        m.setFlags(Mbuf.M_MCAST);
        return (ifp.flags() & Ifnet.IFF_ALLMULTI) != 0 || ifp.vlanTrunk() != null || inet.multi.wantsMac(ifp, dst);
    }

    /** A frame with an 802.1Q tag, in band or in the packet header. Consumes m. */
    private void tagged(Ifnet ifp, Mbuf m0) {
        Mbuf m = m0;
        if (!m.has(Mbuf.M_VLANTAG)) {
            if (m.pktLen() < EtherHeader.ETHER_HDR_LEN + EtherVlan.ETHER_VLAN_ENCAP_LEN) {
                ifp.count(IfCounter.IERRORS, 1);
                vnet.drop(m, DropReason.VLAN_SHORT);
                return;
            }
            m = EtherVlan.decap(m);
            if (m == null) {
                ifp.count(IfCounter.IQDROPS, 1);
                vnet.drop(null, DropReason.MBUF_NOMEM);
                return;
            }
        }
        VlanTrunk trunk = ifp.vlanTrunk();
        if (EtherVlan.vlanOfTag(m.etherVtag()) == 0) {
            m.clearFlags(Mbuf.M_VLANTAG); // a priority and no vlan (802.1Q)
            demux(ifp, m);
        } else if (trunk != null) {
            trunk.input(ifp, m);
        } else {
            ifp.count(IfCounter.NOPROTO, 1);
            vnet.drop(m, DropReason.VLAN_NOPARENT);
        }
    }

    /** Takes the header off and hands the packet to its protocol. Consumes m. @bsd ether_demux */
    private void demux(Ifnet ifp, Mbuf m) {
        int proto = switch (EtherHeader.type(m)) {
            case EtherHeader.ETHERTYPE_IP -> Netisr.NETISR_IP;
            case EtherHeader.ETHERTYPE_ARP -> Netisr.NETISR_ARP;
            case EtherHeader.ETHERTYPE_IPV6 -> Netisr.NETISR_IPV6;
            default -> types.lookup(EtherHeader.type(m));
        };
        if (proto == 0) {
            ifp.count(IfCounter.NOPROTO, 1);
            vnet.drop(m, DropReason.ETHER_NOPROTO);
            return;
        }
        m.adjHead(EtherHeader.ETHER_HDR_LEN);
        m.rcvif(ifp);
        m.fibnum(ifp.fibnum());
        vnet.netisr().dispatch(proto, m);
    }

    // Down.

    /** Resolves, frames and sends a packet. Consumes m. @bsd ether_output */
    private Errno output(Ifnet ifp, Mbuf m, SockAddr dst) {
        if ((ifp.flags() & (Ifnet.IFF_UP | Ifnet.IFF_DYING)) != Ifnet.IFF_UP) {
            vnet.drop(m, (ifp.flags() & Ifnet.IFF_DYING) != 0 ? DropReason.IF_DETACHED : DropReason.IF_DOWN);
            return Errno.ENETDOWN;
        }
        ArpTable table = (ArpTable) ifp.llSoftc();
        if (dst.family() == SockAddr.AF_INET) {
            return outputIp(ifp, table, m, dst.in4());
        }
        if (dst.family() == SockAddr.AF_INET6 && inet.inet6() != null) {
            return outputIp6(ifp, table, m, dst);
        }
        if (dst.family() == SockAddr.AF_LINK) {
            return frame(ifp, m, dst.lo(), table.lladdr(), EtherHeader.ETHERTYPE_IP);
        }
        vnet.drop(m, DropReason.IF_NOPROTO);
        return Errno.EAFNOSUPPORT;
    }

    private Errno outputIp(Ifnet ifp, ArpTable table, Mbuf m, int dst) {
        if (m.has(Mbuf.M_BCAST)) {
            ifp.count(IfCounter.OMCASTS, 1);
            return frame(ifp, m, EtherHeader.BROADCAST, table.lladdr(), EtherHeader.ETHERTYPE_IP);
        }
        if (InAddrs.isMulticast(dst)) {
            ifp.count(IfCounter.OMCASTS, 1);
            return frame(ifp, m, InMulti.mapIp(dst), table.lladdr(), EtherHeader.ETHERTYPE_IP);
        }
        LlHeader h = table.lookup(dst);
        return h != null ? frame(ifp, m, h) : table.resolve(m, dst);
    }

    private Errno outputIp6(Ifnet ifp, ArpTable table, Mbuf m, SockAddr dst) {
        if (dst.isMulticast()) {
            ifp.count(IfCounter.OMCASTS, 1);
            return frame(ifp, m, InMulti.mapIpv6(dst.lo()), table.lladdr(), EtherHeader.ETHERTYPE_IPV6);
        }
        return inet.inet6().nd6.output(ifp, m, dst.hi(), dst.lo());
    }

    /** Puts a header of an ARP entry in front and sends. Consumes m. */
    public Errno frame(Ifnet ifp, Mbuf m, LlHeader h) {
        return frame(ifp, m, h, EtherHeader.ETHERTYPE_IP);
    }

    /** Puts a header of a neighbour in front and sends a packet of a type. Consumes m. */
    public Errno frame(Ifnet ifp, Mbuf m, LlHeader h, int type) {
        Mbuf f = m.prepend(EtherHeader.ETHER_HDR_LEN);
        if (f == null) {
            return noMem(ifp);
        }
        EtherHeader.put(f, h.first, h.second, type);
        return ifp.transmit(f);
    }

    /** Puts a header in front and sends. Consumes m. @bsd ether_output_frame */
    public Errno frame(Ifnet ifp, Mbuf m, long dst, long src, int type) {
        Mbuf f = m.prepend(EtherHeader.ETHER_HDR_LEN);
        if (f == null) {
            return noMem(ifp);
        }
        EtherHeader.put(f, dst, src, type);
        return ifp.transmit(f);
    }

    private Errno noMem(Ifnet ifp) {
        ifp.count(IfCounter.OQDROPS, 1);
        vnet.drop(null, DropReason.MBUF_NOMEM);
        return Errno.ENOBUFS;
    }
}
