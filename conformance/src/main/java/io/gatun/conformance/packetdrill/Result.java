package io.gatun.conformance.packetdrill;

/**
 * How a script ended.
 *
 * @param file the script
 * @param line where it failed, 0 when it did not
 * @param message nothing when it passed; else why, the first line a summary, then the packets and the trace
 * @param elapsedNs real time it took
 */
public record Result(String file, Outcome outcome, int line, String message, long elapsedNs) {
    /** The verdict. */
    public enum Outcome {
        /** All went as written. */
        PASSED,
        /** Something differs, or the script cannot be read. */
        FAILED,
        /** The stack has no such family. */
        SKIPPED
    }

    /** The first line of the message. */
    public String summary() {
        final int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }
}
