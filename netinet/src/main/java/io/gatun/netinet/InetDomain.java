package io.gatun.netinet;

import io.gatun.netinet.udp.Udp;
import io.gatun.spi.socket.Domain;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.List;

/** The internet domain, AF_INET, of one vnet. Found by ServiceLoader. @bsd inetdomain */
public final class InetDomain implements Domain {
    private final List<Protosw> protosw = new ArrayList<>();
    private Inet inet;
    private Udp udp;

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

    @Override
    public Errno init(VnetSide vnet) {
        inet = new Inet(vnet);
        udp = new Udp(inet);
        final Errno e = udp.init();
        if (e == Errno.OK) {
            protosw.add(udp.protosw());
        }
        return e;
    }

    @Override
    public List<Protosw> protosw() {
        return protosw;
    }

    @Override
    public void destroy() {
        udp.destroy();
        protosw.clear();
    }
}
