package io.gatun.drivers.tap;

import io.gatun.drivers.linux.HostIf;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.Map;

/**
 * The parameters of one tap.
 *
 * @param hostName name of the device on the machine
 * @param hostAddress IPv4 address for the machine's side, the first octet topmost; meaningless without a prefix
 * @param hostPrefix 0 to 32, or {@link #NO_ADDRESS}: then the machine's side is left as it is
 * @param mtu octets of network-layer packet
 * @param mtuGiven whether somebody asked for that MTU, so that the machine's side gets it too
 * @param offload whether frames carry a virtio_net_hdr
 * @param qlimit frames that may wait to be written
 */
record TapConfig(
    String hostName, int hostAddress, int hostPrefix, int mtu, boolean mtuGiven, boolean offload, int qlimit) {
    static final int NO_ADDRESS = -1;
    static final int MIN_MTU = 68;
    /** Linux takes no more: 65535 less the link header. */
    static final int MAX_MTU = 65_521;

    private static final int DEFAULT_MTU = 1500;
    private static final int DEFAULT_QLIMIT = 1024;
    private static final int MAX_QLIMIT = 1 << 20;
    private static final int IPV4_OCTETS = 4;
    private static final int OCTET_MAX = 255;
    private static final int PREFIX_MAX = 32;

    /** From driver parameters; EINVAL for anything unknown or out of range. */
    static TapConfig parse(final int unit, final Map<String, String> params) throws ErrnoException {
        String hostName = "gatun" + unit;
        long cidr = NO_ADDRESS;
        int mtu = DEFAULT_MTU;
        boolean offload = true;
        int qlimit = DEFAULT_QLIMIT;
        for (final Map.Entry<String, String> p : params.entrySet()) {
            final String v = p.getValue();
            switch (p.getKey()) {
                case "name" -> hostName = v;
                case "host-address" -> cidr = parseCidr(unit, v);
                case "mtu" -> mtu = number(unit, "mtu", v, MIN_MTU, MAX_MTU);
                case "offload" -> offload = bool(unit, v);
                case "qlimit" -> qlimit = number(unit, "qlimit", v, 1, MAX_QLIMIT);
                default -> throw bad(unit, "unknown parameter " + p.getKey());
            }
        }
        if (!HostIf.isName(hostName)) {
            throw bad(unit, "'" + hostName + "' cannot be the name of a device");
        }
        final int prefix = cidr == NO_ADDRESS ? NO_ADDRESS : (int) (cidr >>> Integer.SIZE);
        return new TapConfig(hostName, (int) cidr, prefix, mtu, params.containsKey("mtu"), offload, qlimit);
    }

    private static ErrnoException bad(final int unit, final String what) {
        return new ErrnoException(Errno.EINVAL, "tap" + unit + ": " + what);
    }

    private static int number(final int unit, final String key, final String text, final int min, final int max)
            throws ErrnoException {
        try {
            final int n = Integer.parseInt(text);
            if (n >= min && n <= max) {
                return n;
            }
        } catch (final NumberFormatException e) {
            throw bad(unit, key + " '" + text + "' is not a number");
        }
        throw bad(unit, key + " " + text + " is not in " + min + ".." + max);
    }

    private static boolean bool(final int unit, final String text) throws ErrnoException {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw bad(unit, "offload '" + text + "' is neither true nor false");
        };
    }

    /** The prefix length above the address; looks up no names. */
    private static long parseCidr(final int unit, final String text) throws ErrnoException {
        final int slash = text.indexOf('/');
        final String[] octets = text.substring(0, Math.max(0, slash)).split("\\.", -1);
        if (octets.length != IPV4_OCTETS) {
            throw bad(unit, "host-address '" + text + "' is not of the form 192.0.2.1/24");
        }
        int address = 0;
        for (final String octet : octets) {
            address = address << Byte.SIZE | number(unit, "host-address", octet, 0, OCTET_MAX);
        }
        final int prefix = number(unit, "prefix length", text.substring(slash + 1), 0, PREFIX_MAX);
        return (long) prefix << Integer.SIZE | address & 0xffff_ffffL;
    }
}
