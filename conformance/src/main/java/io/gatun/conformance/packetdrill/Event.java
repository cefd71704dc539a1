package io.gatun.conformance.packetdrill;

/**
 * One line of a script, more or less.
 *
 * @param line where it begins
 */
record Event(int line, EventTime time, Action action) {
    @Override
    public String toString() {
        return time + " " + action;
    }
}
