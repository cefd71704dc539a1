package io.gatun.protosw;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;
import io.gatun.spi.vnet.NetisrHandler;

/**
 * One protocol registered with netisr, with its counters, named as the columns of {@code netstat -Q}.
 *
 * <p>Locking key: (v) volatile.
 *
 * @bsd struct netisr_proto
 */
final class NetisrProto {
    final int number;
    final String name;
    final int policy;
    final NetisrHandler handler;
    final Counter dispatched;
    final Counter hybridDispatched;
    final Counter qdrops;
    final Counter queued;
    volatile int qlimit; // (v) packets on each workstream

    NetisrProto(int number, String name, int policy, NetisrHandler handler, CounterSet counters) {
        this.number = number;
        this.name = name;
        this.policy = policy;
        this.handler = handler;
        dispatched = counters.counter("netisr." + name + ".dispatched");
        hybridDispatched = counters.counter("netisr." + name + ".hybrid_dispatched");
        qdrops = counters.counter("netisr." + name + ".qdrops");
        queued = counters.counter("netisr." + name + ".queued");
    }
}
