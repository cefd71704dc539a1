package io.gatun.conformance.packetdrill;

import java.util.HashMap;
import java.util.Map;

/**
 * The options of a script, with packetdrill's defaults.
 *
 * @param v6 the family of its packets, and of its sockets
 * @param mapped the sockets are IPv6's all the same, with IPv4 addresses mapped into it
 * @param tolerancePercent of the time since the event before
 * @param tsTickUs microseconds of a timestamp's tick; 0 leaves timestamps unchecked
 * @param udpEncaps TCP may travel within UDP
 * @param prefix octets' bits of the local network
 * @param tcpMd5Secret null without one
 */
record Config(boolean v6, boolean mapped, String localIp, String remoteIp, String gatewayIp, int prefix, int bindPort,
    int connectPort, int mtu, long toleranceUs, double tolerancePercent, int tsTickUs, boolean udpEncaps,
    String tcpMd5Secret, boolean nonFatalSyscall, boolean nonFatalPacket, Map<String, String> defines) {
    /** Options that have no meaning in process, or none for the outcome. */
    private static final String IGNORED = "(code_command|code_format|code_sockopt|speed|init_scripts|dry_run|verbose"
        + "|debug|tun_dev|persistent_tun_dev|no_cleanup|local_linklocal_ip|gateway_linklocal_ip|is_anyip"
        + "|send_omit_free|define)";
    private static final int MAX_PORT = 0xffff;
    private static final int MAX_MTU = 0xffff;

    /** Collects options. */
    static final class Builder {
        private final Map<String, String> set = new HashMap<>();
        private final Map<String, String> defines = new HashMap<>();

        /** Takes an option; null, or what is wrong with it. */
        String add(final String name, final String value) {
            if (name.equals("define")) {
                return define(value);
            }
            if (name.startsWith("wire_")) {
                return "--" + name + ": two machines are not supported, scripts run in process";
            }
            final boolean known = name.matches(IGNORED) || DEFAULTS.containsKey(name);
            if (!known) {
                return "unknown option --" + name;
            }
            if (value == null && DEFAULTS.containsKey(name)) {
                return "--" + name + " wants a value";
            }
            set.put(name, value == null ? "" : unquoted(value));
            return check(name);
        }

        private String define(final String value) {
            final int eq = value == null ? -1 : value.indexOf('=');
            if (eq < 1) {
                return "--define wants NAME=VALUE";
            }
            defines.put(value.substring(0, eq), value.substring(eq + 1));
            return null;
        }

        private static String unquoted(final String v) {
            return v.length() > 1 && v.startsWith("\"") && v.endsWith("\"") ? v.substring(1, v.length() - 1) : v;
        }

        private String check(final String name) {
            final String v = set.get(name);
            final boolean ok = switch (name) {
                case "ip_version" -> v.matches("ipv4|ipv6|ipv4-mapped-ipv6");
                case "udp_encapsulation" -> v.matches("tcp|sctp|none");
                case "non_fatal" -> v.matches("(packet|syscall)(,(packet|syscall))*");
                case "tolerance_percent" -> v.matches("[0-9]{1,9}([.][0-9]{1,9})?");
                case "bind_port", "connect_port" -> v.matches("[0-9]{1,5}") && Integer.parseInt(v) <= MAX_PORT;
                case "mtu" -> v.matches("[1-9][0-9]{0,4}") && Integer.parseInt(v) <= MAX_MTU;
                case "tolerance_usecs", "tcp_ts_tick_usecs" -> v.matches("[0-9]{1,9}");
                case "local_ip", "remote_ip", "gateway_ip" -> Conn.isAddress(v);
                default -> true;
            };
            if (!ok) {
                return "--" + name + ": '" + v + "' is no value for it";
            }
            if (v.equals("sctp")) {
                return "--" + name + "=" + v + ": not supported";
            }
            return null;
        }

        /** The names that --define gave so far. */
        Map<String, String> defines() {
            return defines;
        }

        private String get(final String name) {
            return set.getOrDefault(name, DEFAULTS.get(name));
        }

        private int number(final String name) {
            return Integer.parseInt(get(name));
        }

        /** Null, or what is wrong with the options together. */
        String checkAll() {
            final boolean v6 = get("ip_version").equals("ipv6");
            for (final String name : new String[] {"local_ip", "remote_ip", "gateway_ip"}) {
                final String v = set.get(name);
                if (v != null && !(v6 ? v.contains(":") : v.matches("[0-9]+([.][0-9]+){3}"))) {
                    return "--" + name + "=" + v + " is not of the script's family";
                }
            }
            if (set.containsKey("local_ip") && !set.containsKey("gateway_ip")) {
                return "--local_ip wants a --gateway_ip in the same network";
            }
            return null;
        }

        Config build() {
            final boolean v6 = get("ip_version").equals("ipv6");
            final String nonFatal = get("non_fatal");
            final boolean mapped = get("ip_version").equals("ipv4-mapped-ipv6");
            return new Config(v6, mapped, set.getOrDefault("local_ip", v6 ? "fd3d:fa7b:d17d::1" : "192.168.0.1"),
                set.getOrDefault("remote_ip", v6 ? "2001:db8::1" : "192.0.2.1"),
                set.getOrDefault("gateway_ip", v6 ? "fd3d:fa7b:d17d::2" : "192.168.0.2"), v6 ? 64 : 16,
                number("bind_port"), number("connect_port"), number("mtu"), number("tolerance_usecs"),
                Double.parseDouble(get("tolerance_percent")), number("tcp_ts_tick_usecs"),
                get("udp_encapsulation").equals("tcp"), set.get("tcp_md5_secret"), nonFatal.contains("syscall"),
                nonFatal.contains("packet"), Map.copyOf(defines));
        }
    }

    private static final Map<String, String> DEFAULTS = Map.ofEntries(Map.entry("ip_version", "ipv4"),
        Map.entry("bind_port", "8080"), Map.entry("connect_port", "8080"), Map.entry("mtu", "1500"),
        Map.entry("tolerance_usecs", "4000"), Map.entry("tolerance_percent", "5"),
        Map.entry("tcp_ts_tick_usecs", "0"), Map.entry("udp_encapsulation", "none"), Map.entry("non_fatal", "none"),
        Map.entry("tcp_md5_secret", ""), Map.entry("local_ip", ""), Map.entry("remote_ip", ""),
        Map.entry("gateway_ip", ""), Map.entry("netmask_ip", ""));
}
