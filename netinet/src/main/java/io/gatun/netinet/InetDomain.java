package io.gatun.netinet;

import io.gatun.netinet.ip.InLaddr;
import io.gatun.netinet.ip.IpCtloutput;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.netinet.tcp.Tcp;
import io.gatun.netinet.tcp.TcpCtloutput;
import io.gatun.netinet.tcp.TcpGso;
import io.gatun.netinet.tcp.TcpIp;
import io.gatun.netinet.tcp.TcpUsrreq;
import io.gatun.netinet.udp.Udp;
import io.gatun.spi.ifnet.EtherTypes;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.Domain;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpSide;
import io.gatun.spi.socket.IpprotoTable;
import io.gatun.spi.socket.PathMtu;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.List;

/** The internet domain, AF_INET, of one vnet. Found by ServiceLoader. @bsd inetdomain */
public final class InetDomain implements Domain {
    private final List<Protosw> protosw = new ArrayList<>();
    private Inet inet;
    private Udp udp;
    private Tcp tcp;

    /** For ServiceLoader. */
    public InetDomain() {
        // all is made by init
    }

    @Override
    public int family() {
        return SockAddr.AF_INET;
    }

    @Override
    public String name() {
        return "internet";
    }

    /** The root of this domain; null before init. */
    public Inet inet() {
        return inet;
    }

    Udp udp() {
        return udp;
    }

    Tcp tcp() {
        return tcp;
    }

    @Override
    public Errno init(VnetSide vnet) {
        inet = new Inet(vnet);
        Netisr isr = vnet.netisr();
        IpprotoTable ipproto = vnet.ipproto();
        Errno e = first(isr.register(Netisr.NETISR_IP, "ip", Netisr.NETISR_POLICY_FLOW, inet.ipInput::input),
            isr.register(Netisr.NETISR_ARP, "arp", Netisr.NETISR_POLICY_SOURCE, inet.arp::input));
        e = first(e, ipproto.register(SockAddr.AF_INET, InDefs.IPPROTO_ICMP, inet.icmpInput::input, null));
        e = first(e, ipproto.register(SockAddr.AF_INET, InDefs.IPPROTO_IGMP, inet.igmp::input, null));
        e = first(e, vnet.ifnets().registerLinkLayer(Ifnet.IFT_ETHER, inet.ether));
        e = first(e, vnet.ifnets().registerLinkLayer(Ifnet.IFT_L2VLAN, inet.ether));
        udp = new Udp(inet);
        e = first(e, udp.init());
        if (e != Errno.OK) {
            return e;
        }
        protosw.add(udp.protosw());
        protosw.add(inet.rip.protosw(SockAddr.AF_INET));
        e = initTcp(vnet);
        if (e != Errno.OK) {
            return e;
        }
        vnet.ifnets().addListener(inet.monitor);
        vnet.ifnets().addListener(inet.control);
        vnet.provide(InetConfig.class, new InetConfig(inet));
        vnet.provide(PathMtu.class, inet::pathMtu);
        vnet.provide(IpSide.class, new InetIp(inet));
        vnet.provide(EtherTypes.class, inet.ether.types());
        return Errno.OK;
    }

    private Errno initTcp(VnetSide vnet) {
        tcp = new Tcp(vnet, new InpcbInfo(vnet, InDefs.IPPROTO_TCP, new InLaddr(inet)), new TcpIp(inet));
        inet.ipOutput.setGso(TcpGso::segment);
        inet.ether.setLro(tcp.lro());
        protosw.add(new TcpUsrreq(tcp, new TcpCtloutput(new IpCtloutput(inet), null), SockAddr.AF_INET));
        return tcp.init();
    }

    private static Errno first(Errno a, Errno b) {
        return a == Errno.OK ? b : a;
    }

    @Override
    public List<Protosw> protosw() {
        return protosw;
    }

    @Override
    public void ifdetach(Ifnet ifp) {
        udp.udbinfo.purgeIf(ifp);
        tcp.tcbinfo.purgeIf(ifp);
        inet.rip.ripcbinfo().purgeIf(ifp);
        inet.igmp.gmp.ifdetach(ifp);
        inet.dhcp.ifdetach(ifp);
    }

    @Override
    public void destroy() {
        if (inet == null) {
            return;
        }
        VnetSide vnet = inet.vnet;
        vnet.ifnets().removeListener(inet.monitor);
        vnet.ifnets().removeListener(inet.control);
        udp.destroy();
        tcp.destroy();
        vnet.ipproto().unregister(SockAddr.AF_INET, InDefs.IPPROTO_ICMP);
        vnet.ipproto().unregister(SockAddr.AF_INET, InDefs.IPPROTO_IGMP);
        vnet.netisr().unregister(Netisr.NETISR_IP);
        vnet.netisr().unregister(Netisr.NETISR_ARP);
        inet.igmp.gmp.destroy();
        inet.icmpInput.destroy();
        inet.dhcp.destroy();
        inet.ipReass.destroy();
        inet.arp.destroy();
        inet.hostCache.destroy();
        inet.control.destroy();
        protosw.clear();
    }
}
