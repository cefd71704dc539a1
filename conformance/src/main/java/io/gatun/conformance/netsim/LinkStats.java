package io.gatun.conformance.netsim;

/**
 * What has happened on one way of a link.
 *
 * @param packets packets that came to it
 * @param delivered packets delivered, duplicates included
 * @param octets octets delivered, overhead included
 * @param overflowed packets that found the queue full
 * @param lost packets lost on the way
 * @param reordered packets held back
 * @param duplicated packets delivered twice
 * @param marked packets marked CE
 * @param longest packets that waited at the most
 */
public record LinkStats(
    long packets, long delivered, long octets, long overflowed, long lost, long reordered, long duplicated,
    long marked, int longest) {
}
