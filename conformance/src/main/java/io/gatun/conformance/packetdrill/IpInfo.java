package io.gatun.conformance.packetdrill;

/**
 * What a script says of the IP header.
 *
 * @param tosMask bits of the traffic class that count
 * @param tos their values
 * @param ect01 either of ECT(0) and ECT(1)
 * @param ttl time to live or hop limit, or -1
 * @param flowlabel or -1
 */
record IpInfo(int tosMask, int tos, boolean ect01, int ttl, int flowlabel) {
    static final int TOS = 0xff;
    static final int DSCP = 0xfc;
    static final int ECN = 0x3;
    static final int ECT0 = 2;
    static final int ECT1 = 1;
    static final int CE = 3;
    static final IpInfo NONE = new IpInfo(0, 0, false, -1, -1);

    IpInfo withTos(final int mask, final int value) {
        return new IpInfo(tosMask | mask, tos | value, ect01, ttl, flowlabel);
    }

    IpInfo withEct01() {
        return new IpInfo(tosMask, tos, true, ttl, flowlabel);
    }

    IpInfo withTtl(final int value) {
        return new IpInfo(tosMask, tos, ect01, value, flowlabel);
    }

    IpInfo withFlowlabel(final int value) {
        return new IpInfo(tosMask, tos, ect01, ttl, value);
    }

    boolean ecnSet() {
        return ect01 || (tosMask & ECN) != 0;
    }

    @Override
    public String toString() {
        final StringBuilder out = new StringBuilder();
        if ((tosMask & TOS) == TOS) {
            out.append("tos 0x%02x".formatted(tos));
        } else if ((tosMask & DSCP) == DSCP) {
            out.append("dscp 0x%02x".formatted(tos >>> 2));
        } else if ((tosMask & ECN) == ECN) {
            out.append(ecnName(tos & ECN));
        }
        if (ect01) {
            out.append(out.isEmpty() ? "" : ", ").append("ect01");
        }
        if (ttl >= 0) {
            out.append(out.isEmpty() ? "" : ", ").append("ttl ").append(ttl);
        }
        if (flowlabel >= 0) {
            out.append(out.isEmpty() ? "" : ", ").append("flowlabel 0x%x".formatted(flowlabel));
        }
        return out.isEmpty() ? "" : "(" + out + ") ";
    }

    static String ecnName(final int ecn) {
        return switch (ecn) {
            case ECT0 -> "ect0";
            case ECT1 -> "ect1";
            case CE -> "ce";
            default -> "noecn";
        };
    }
}
