package io.gatun.netinet.pcb;

import io.gatun.spi.socket.InDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;

/** The tunables of port choice, one set for all protocols of a vnet. @bsd V_ipport_firstauto */
public final class PortRange {
    private static final String PREFIX = "net.inet.ip.portrange.";
    private static final int PORT_MAX = 65535;

    final Sysctl first;
    final Sysctl last;
    final Sysctl hifirst;
    final Sysctl hilast;
    final Sysctl lowfirst;
    final Sysctl lowlast;
    final Sysctl reservedhigh;
    final Sysctl reservedlow;
    final Sysctl randomized;

    /** Adds the nodes, or finds those that are there. */
    public PortRange(final SysctlTree tree) {
        first = port(tree, "first", 10000, "first port of the default ephemeral range");
        last = port(tree, "last", PORT_MAX, "last port of the default ephemeral range");
        hifirst = port(tree, "hifirst", 49152, "first port of the high ephemeral range");
        hilast = port(tree, "hilast", PORT_MAX, "last port of the high ephemeral range");
        lowfirst = port(tree, "lowfirst", 1023, "first port of the privileged ephemeral range");
        lowlast = port(tree, "lowlast", 600, "last port of the privileged ephemeral range");
        reservedhigh = tree.addInt(PREFIX + "reservedhigh", 1023, 0, PORT_MAX, "highest port that needs privilege");
        reservedlow = tree.addInt(PREFIX + "reservedlow", 0, 0, PORT_MAX, "lowest port that needs privilege");
        randomized = tree.addBool(PREFIX + "randomized", true, "choose ephemeral ports unpredictably (RFC 6056)");
    }

    private static Sysctl port(final SysctlTree tree, final String name, final int initial, final String what) {
        return tree.addInt(PREFIX + name, initial, 1, PORT_MAX, what);
    }

    /** Whether binding the port needs privilege. */
    boolean reserved(final int port) {
        return port <= reservedhigh.getInt() && port >= reservedlow.getInt();
    }

    /** Chooses the range that a control block's port comes from: IP_PORTRANGE_*, which IPv6 has too. With its lock. */
    public static Errno set(final Inpcb inp, final long v) {
        final int both = Inpcb.INP_LOWPORT | Inpcb.INP_HIGHPORT;
        switch ((int) v) {
            case InDefs.IP_PORTRANGE_DEFAULT -> inp.setFlagBits(0, both);
            case InDefs.IP_PORTRANGE_HIGH -> inp.setFlagBits(Inpcb.INP_HIGHPORT, both);
            case InDefs.IP_PORTRANGE_LOW -> inp.setFlagBits(Inpcb.INP_LOWPORT, both);
            default -> {
                return Errno.EINVAL;
            }
        }
        return Errno.OK;
    }

    /** The range that a control block's port comes from: IP_PORTRANGE_*. */
    public static int of(final Inpcb inp) {
        if (inp.has(Inpcb.INP_HIGHPORT)) {
            return InDefs.IP_PORTRANGE_HIGH;
        }
        return inp.has(Inpcb.INP_LOWPORT) ? InDefs.IP_PORTRANGE_LOW : InDefs.IP_PORTRANGE_DEFAULT;
    }
}
