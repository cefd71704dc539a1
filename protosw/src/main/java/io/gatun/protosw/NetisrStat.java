package io.gatun.protosw;

/**
 * One protocol's row of {@code netstat -Q}.
 *
 * @param name as registered
 * @param proto NETISR_*
 * @param len packets that wait now
 * @param limit packets that may wait
 * @param dispatched run directly by the thread that brought them
 * @param hybridDispatched run directly because the workstream was idle
 * @param qdrops dropped because the queue was full
 * @param queued run from the queue
 * @bsd struct sysctl_netisr_work
 */
public record NetisrStat(
    String name, int proto, int len, int limit, long dispatched, long hybridDispatched, long qdrops, long queued) {
    /** All that were run. */
    public long handled() {
        return dispatched + hybridDispatched + queued;
    }
}
