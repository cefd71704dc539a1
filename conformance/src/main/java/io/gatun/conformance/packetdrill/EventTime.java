package io.gatun.conformance.packetdrill;

/**
 * When something is to happen, in microseconds.
 *
 * @param startUs of a relative time since the event before
 * @param endUs end of a range; otherwise as the start
 */
record EventTime(Kind kind, long startUs, long endUs) {
    /** How it is written. */
    enum Kind {
        /** {@code 1.5}. */
        ABSOLUTE,
        /** {@code +0.1}. */
        RELATIVE,
        /** {@code *}: whenever. */
        ANY,
        /** {@code 1.5~1.6}. */
        ABSOLUTE_RANGE,
        /** {@code +0.1~+0.2}. */
        RELATIVE_RANGE
    }

    boolean relative() {
        return kind != Kind.ABSOLUTE && kind != Kind.ABSOLUTE_RANGE;
    }

    boolean range() {
        return kind == Kind.ABSOLUTE_RANGE || kind == Kind.RELATIVE_RANGE;
    }

    @Override
    public String toString() {
        return switch (kind) {
            case ANY -> "*";
            case ABSOLUTE -> Format.seconds(startUs);
            case RELATIVE -> "+" + Format.seconds(startUs);
            case ABSOLUTE_RANGE -> Format.seconds(startUs) + "~" + Format.seconds(endUs);
            case RELATIVE_RANGE -> "+" + Format.seconds(startUs) + "~+" + Format.seconds(endUs);
        };
    }
}
