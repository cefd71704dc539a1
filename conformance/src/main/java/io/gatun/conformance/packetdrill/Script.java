package io.gatun.conformance.packetdrill;

import java.util.List;

/**
 * A script that has been read.
 *
 * @param file its name, for messages
 * @param init command before the first event, or null
 * @param cleanup command after the last, run whatever happened, or null
 * @param source its lines
 */
record Script(String file, Config config, String init, List<Event> events, String cleanup, List<String> source) {
    /** The text of a line, from 1; empty beyond the end. */
    String sourceLine(final int line) {
        return line < 1 || line > source.size() ? "" : source.get(line - 1);
    }
}
