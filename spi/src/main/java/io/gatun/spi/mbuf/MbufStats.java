package io.gatun.spi.mbuf;

/**
 * What {@code netstat -m} shows.
 *
 * @bsd mbstat
 */
public record MbufStats(String name, ZoneStats mbufs, ZoneStats clusters, ZoneStats jumbop, ZoneStats jumbo9,
        ZoneStats jumbo16) {
    /**
     * One zone.
     *
     * @param size octets of an item
     * @param limit items there are
     * @param inUse items handed out
     * @param cached free items in the caches of threads; any thread gets them when the rest is used up
     * @param requests successful allocations so far
     * @param denied refused ones
     */
    public record ZoneStats(String name, int size, int limit, int inUse, int cached, long requests, long denied) {
    }
}
