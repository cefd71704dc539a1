package io.gatun.conformance.packetdrill;

import java.util.List;

/** The names of ICMP types and codes; the place in a list is the number. */
final class IcmpNames {
    static final int UNREACHABLE = 3;
    static final int FRAG_NEEDED = 4;
    static final int V6_TOO_BIG = 2;
    private static final int TIME_EXCEEDED = 11;

    private static final List<String> UNREACH = List.of("net_unreachable", "host_unreachable",
        "protocol_unreachable", "port_unreachable", "frag_needed", "source_route_failed", "net_unknown",
        "host_unknown", "source_host_isolated", "net_prohibited", "host_prohibited", "net_unreachable_for_tos",
        "host_unreachable_for_tos", "packet_filtered", "precedence_violation", "precedence_cutoff");
    private static final List<String> EXCEEDED = List.of("ttl_exceeded_in_transit", "frag_reass_exceeded");
    private static final List<String> UNREACH6 =
        List.of("no_route", "admin_prohibited", "not_neighbour", "address_unreachable", "port_unreachable");
    private static final List<String> EXCEEDED6 = List.of("exceeded_hop_limit", "exceeded_frag_time");
    private static final List<String> PARAM6 = List.of("header_field", "unknown_next_header", "unknown_option");

    private IcmpNames() {
    }

    /** The number of a type; -1 for an unknown name. */
    static int type(final boolean v6, final String name) {
        if (name.matches("type_[0-9]{1,3}")) {
            return octet(name.substring("type_".length()));
        }
        return v6 ? type6(name) : type4(name);
    }

    private static int type4(final String name) {
        return switch (name) {
            case "echo_reply" -> 0;
            case "unreachable" -> UNREACHABLE;
            case "source_quench" -> 4;
            case "redirect" -> 5;
            case "echo_request" -> 8;
            case "time_exceeded" -> TIME_EXCEEDED;
            case "parameter_problem" -> 12;
            case "timestamp_request" -> 13;
            case "timestamp_reply" -> 14;
            case "information_request" -> 15;
            case "information_reply" -> 16;
            case "address_mask_request" -> 17;
            case "address_mask_reply" -> 18;
            default -> -1;
        };
    }

    private static int type6(final String name) {
        return switch (name) {
            case "unreachable" -> 1;
            case "packet_too_big" -> V6_TOO_BIG;
            case "time_exceeded" -> 3;
            case "parameter_problem" -> 4;
            case "echo_request" -> 128;
            case "echo_reply" -> 129;
            default -> -1;
        };
    }

    /** The number of a code of a type; -1 for an unknown name. */
    static int code(final boolean v6, final int type, final String name) {
        if (name.matches("code_[0-9]{1,3}")) {
            return octet(name.substring("code_".length()));
        }
        return (v6 ? codes6(type) : codes4(type)).indexOf(name);
    }

    private static List<String> codes6(final int type) {
        return switch (type) {
            case 1 -> UNREACH6;
            case 3 -> EXCEEDED6;
            case 4 -> PARAM6;
            default -> List.of();
        };
    }

    private static List<String> codes4(final int type) {
        return switch (type) {
            case UNREACHABLE -> UNREACH;
            case TIME_EXCEEDED -> EXCEEDED;
            default -> List.of();
        };
    }

    private static int octet(final String digits) {
        final int v = Integer.parseInt(digits);
        return v > 0xff ? -1 : v;
    }
}
