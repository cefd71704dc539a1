/** The internet domain. */
module io.gatun.netinet {
    requires transitive io.gatun.protosw;
    requires transitive io.gatun.spi;
    requires static com.google.errorprone.annotations;

    exports io.gatun.netinet;
    exports io.gatun.netinet.accf;
    exports io.gatun.netinet.arp;
    exports io.gatun.netinet.dhcp;
    exports io.gatun.netinet.ether;
    exports io.gatun.netinet.gmp;
    exports io.gatun.netinet.icmp;
    exports io.gatun.netinet.icmp6;
    exports io.gatun.netinet.igmp;
    exports io.gatun.netinet.ip;
    exports io.gatun.netinet.ip6;
    exports io.gatun.netinet.lltable;
    exports io.gatun.netinet.mld;
    exports io.gatun.netinet.nd6;
    exports io.gatun.netinet.pcb;
    exports io.gatun.netinet.raw;
    exports io.gatun.netinet.route;
    exports io.gatun.netinet.tcp;
    exports io.gatun.netinet.tcp.cc;
    exports io.gatun.netinet.udp;

    uses io.gatun.netinet.tcp.TcpFunctionBlock;
    uses io.gatun.netinet.tcp.cc.CcAlgo;

    provides io.gatun.spi.socket.AcceptFilter with io.gatun.netinet.accf.AccfData, io.gatun.netinet.accf.AccfDns,
        io.gatun.netinet.accf.AccfHttp, io.gatun.netinet.accf.AccfTls;
    provides io.gatun.spi.socket.Domain with io.gatun.netinet.InetDomain, io.gatun.netinet.Inet6Domain;
    provides io.gatun.netinet.tcp.TcpFunctionBlock with io.gatun.netinet.tcp.FreebsdStack;
    provides io.gatun.netinet.tcp.cc.CcAlgo with io.gatun.netinet.tcp.cc.Cubic, io.gatun.netinet.tcp.cc.Dctcp,
        io.gatun.netinet.tcp.cc.NewReno;
}
