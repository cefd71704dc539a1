package io.gatun.netinet.udp;

import io.gatun.netinet.Inet;
import io.gatun.netinet.ip.InLaddr;
import io.gatun.netinet.ip.IpCtloutput;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.UdpTunnels;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;

/**
 * UDP of one vnet: what FreeBSD keeps in V_ globals. Made by the internet domain, which then calls {@link #init}. All
 * fields are constant.
 *
 * @bsd V_udbinfo
 */
public final class Udp {
    private static final int MAXDGRAM = 65_535;
    private static final int RECVSPACE = 42_080;
    private static final int MAXPORT = 65_535;

    /** All control blocks. @bsd V_udbinfo */
    public final InpcbInfo udbinfo;

    final Inet inet;
    final VnetSide vnet;
    final UdpStat stat;
    final InLaddr laddr;
    final IpCtloutput ipOptions;
    final UdpControl control;
    final UdpInput input;
    final UdpOutput output;
    final UdpDirect direct;
    final Udp6Input input6;
    final Udp6Output output6;
    final UdpUsrreq usrreq;
    private final UdpUsrreq usrreq6;
    private final UdpTunneling tunneling;
    /** @bsd V_udp_cksum */
    final Sysctl checksum;
    /** Datagrams within this stack go straight into the receive buffer. */
    final Sysctl fusion;
    final Sysctl maxdgram;
    final Sysctl recvspace;
    final Sysctl blackhole;
    final Sysctl blackholeLocal;
    /** @bsd V_zero_checksum_port */
    final Sysctl zeroChecksumPort;

    public Udp(final Inet inet) {
        this.inet = inet;
        vnet = inet.vnet;
        laddr = new InLaddr(inet);
        ipOptions = new IpCtloutput(inet);
        udbinfo = new InpcbInfo(vnet, InDefs.IPPROTO_UDP, laddr);
        stat = new UdpStat(vnet.counters());
        final SysctlTree t = vnet.sysctl();
        checksum = t.addBool("net.inet.udp.checksum", true, "compute checksums of datagrams sent");
        fusion = t.addBool("net.inet.udp.fusion", true, "put datagrams within this stack straight into buffers");
        maxdgram = t.addInt("net.inet.udp.maxdgram", MAXDGRAM, 1, MAXDGRAM, "longest datagram to send, octets");
        recvspace = t.addInt("net.inet.udp.recvspace", RECVSPACE, 1, Integer.MAX_VALUE, "receive buffer, octets");
        blackhole = t.addBool("net.inet.udp.blackhole", false, "stay silent about closed ports");
        blackholeLocal = t.addBool("net.inet.udp.blackhole_local", false, "also towards this host's own addresses");
        zeroChecksumPort = t.addInt("net.inet6.udp6.rfc6935_port", 0, 0, MAXPORT,
            "port at which datagrams over IPv6 may lack a checksum, 0 for none");
        control = new UdpControl(this);
        tunneling = new UdpTunneling(this);
        input = new UdpInput(this);
        output = new UdpOutput(this);
        direct = new UdpDirect(this);
        input6 = new Udp6Input(this);
        output6 = new Udp6Output(this);
        usrreq = new UdpUsrreq(this, SockAddr.AF_INET);
        usrreq6 = new UdpUsrreq(this, SockAddr.AF_INET6);
    }

    /** Registers with IP and publishes what can be read. @bsd udp_init */
    public Errno init() {
        vnet.sysctl().addReading("net.inet.udp.pcbcount", udbinfo::count, "control blocks");
        vnet.provide(UdpTunnels.class, tunneling);
        vnet.provide(UdpPcblist.class, new UdpPcblist(this));
        return vnet.ipproto().register(SockAddr.AF_INET, InDefs.IPPROTO_UDP, input::input, input::ctlinput);
    }

    /** The switch entry of its sockets. */
    public Protosw protosw() {
        return usrreq;
    }

    /** The switch entry of its IPv6 sockets. */
    public Protosw protosw6() {
        return usrreq6;
    }

    /** Registers with IPv6. */
    public Errno init6() {
        return vnet.ipproto().register(SockAddr.AF_INET6, InDefs.IPPROTO_UDP, input6::input, input6::ctlinput);
    }

    /** IPv6 goes. */
    public void destroy6() {
        vnet.ipproto().unregister(SockAddr.AF_INET6, InDefs.IPPROTO_UDP);
    }

    /** The vnet goes. */
    public void destroy() {
        tunneling.destroy();
        vnet.ipproto().unregister(SockAddr.AF_INET, InDefs.IPPROTO_UDP);
    }
}
