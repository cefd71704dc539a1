package io.gatun.netinet;

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
        // The owners of udp and tcp make their roots here and add their switch entries to protosw.
        return Errno.OK;
    }

    @Override
    public List<Protosw> protosw() {
        return protosw;
    }

    @Override
    public void destroy() {
        protosw.clear();
    }
}
