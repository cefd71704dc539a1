package io.gatun.netinet;

import io.gatun.netinet.ip.IpCtloutput;
import io.gatun.netinet.tcp.Tcp;
import io.gatun.netinet.tcp.TcpCtloutput;
import io.gatun.netinet.tcp.TcpGso;
import io.gatun.netinet.tcp.TcpUsrreq;
import io.gatun.netinet.udp.Udp;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.Domain;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.List;

/**
 * The internet domain, AF_INET6, of one vnet. Found by ServiceLoader behind {@link InetDomain}, whose transports,
 * routes and link layer it shares.
 *
 * @bsd inet6domain
 */
public final class Inet6Domain implements Domain {
    private final List<Protosw> protosw = new ArrayList<>();
    private Inet inet;
    private Inet6 inet6;
    private Udp udp;
    private Tcp tcp;

    /** For ServiceLoader. */
    public Inet6Domain() {
        // all is made by init
    }

    @Override
    public int family() {
        return SockAddr.AF_INET6;
    }

    @Override
    public String name() {
        return "internet6";
    }

    @Override
    public Errno init(final VnetSide vnet) {
        if (!(vnet.domains().find(SockAddr.AF_INET) instanceof InetDomain four)) {
            return Errno.EPFNOSUPPORT;
        }
        inet = four.inet();
        udp = four.udp();
        tcp = four.tcp();
        inet6 = new Inet6(inet);
        inet.setInet6(inet6);
        inet6.ip6Output.setGso(TcpGso::segment);
        tcp.tcbinfo.setAutoFlowlabel(inet6.autoFlowlabel);
        udp.udbinfo.setAutoFlowlabel(inet6.autoFlowlabel);
        inet.rip.ripcbinfo().setAutoFlowlabel(inet6.autoFlowlabel);
        tcp.tcbinfo.setIp6(inet6.laddr, inet6.v6only);
        udp.udbinfo.setIp6(inet6.laddr, inet6.v6only);
        inet.rip.ripcbinfo().setIp6(inet6.laddr, inet6.v6only);
        Errno e = vnet.netisr().register(Netisr.NETISR_IPV6, "ip6", Netisr.NETISR_POLICY_FLOW,
            inet6.ip6Input::input);
        if (e == Errno.OK) {
            e = vnet.ipproto().register(SockAddr.AF_INET6, InDefs.IPPROTO_ICMPV6, inet6.icmp6::input, null);
        }
        e = e == Errno.OK ? udp.init6() : e;
        e = e == Errno.OK ? tcp.init6() : e;
        if (e == Errno.OK) {
            protosw.add(udp.protosw6());
            protosw.add(inet.rip.protosw(SockAddr.AF_INET6));
            final TcpCtloutput options = new TcpCtloutput(new IpCtloutput(inet), inet6.ctloutput);
            protosw.add(new TcpUsrreq(tcp, options, SockAddr.AF_INET6));
            vnet.ifnets().addListener(inet6.control);
        }
        return e;
    }

    @Override
    public List<Protosw> protosw() {
        return protosw;
    }

    @Override
    public void ifattach(final Ifnet ifp) {
        inet6.nd6.ifattach(ifp);
    }

    @Override
    public void ifdetach(final Ifnet ifp) {
        inet6.nd6.ifdetach(ifp);
        inet6.mld.gmp.ifdetach(ifp);
    }

    @Override
    public void destroy() {
        if (inet6 == null) {
            return;
        }
        final VnetSide vnet = inet.vnet;
        vnet.ifnets().removeListener(inet6.control);
        udp.destroy6();
        tcp.destroy6();
        vnet.ipproto().unregister(SockAddr.AF_INET6, InDefs.IPPROTO_ICMPV6);
        vnet.netisr().unregister(Netisr.NETISR_IPV6);
        inet6.frag6.destroy();
        inet6.nd6.destroy();
        inet6.mld.gmp.destroy();
        inet6.control.destroy();
        protosw.clear();
    }
}
