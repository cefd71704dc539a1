package io.gatun.netinet.icmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.VirtualClock;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HostCacheTest {
    private static final String BASE = "net.inet.tcp.hostcache.";
    private static final long HI = 0x20010db800000000L;

    private final VirtualClock clock = new VirtualClock();
    private final Vnet vnet = Vnet.builder().name("hc").clock(clock).seed(1).threads(false).services(false)
        .sysctl(BASE + "hashsize", "4").sysctl(BASE + "bucketlimit", "5").sysctl(BASE + "cachelimit", "12").build();
    private final HostCache hosts = new HostCache(vnet);

    @AfterEach
    void end() {
        hosts.destroy();
        vnet.close();
    }

    private String read(String name) {
        return vnet.sysctl().find(BASE + name).getString();
    }

    private void set(String name, String value) {
        assertThat(vnet.sysctl().set(BASE + name, value)).isEqualTo(Errno.OK);
    }

    private void pass(long seconds) {
        final long end = clock.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (vnet.calloutsArmed() > 0 && vnet.nextDeadlineNs() - end <= 0) {
            clock.advanceTo(vnet.nextDeadlineNs());
            vnet.poll();
        }
        clock.advanceTo(end);
    }

    private static HostCache.Metrics metrics(long rttNs, int ssthresh) {
        final HostCache.Metrics m = new HostCache.Metrics();
        m.rttNs = rttNs;
        m.rttvarNs = rttNs / 2;
        m.ssthresh = ssthresh;
        m.cwnd = 10;
        return m;
    }

    @Test
    void update_averages_andZeroChangesNothing() {
        hosts.update(HI, 1, metrics(100, 0));
        hosts.update(HI, 1, metrics(300, 4000));
        final HostCache.Entry e = hosts.lookup(HI, 1);
        assertThat(e.rttNs()).isEqualTo(200);
        assertThat(e.rttvarNs()).isEqualTo(100);
        assertThat(e.ssthresh()).isEqualTo(4000);
        assertThat(e.cwnd()).isEqualTo(10);
        assertThat(hosts.lookup(HI, 2)).isNull();
        assertThat(hosts.lookup(0, 1)).isNull();
    }

    @Test
    void manyHosts_staysBounded_theNewestIsThere() {
        for (int i = 1; i < 1000; i++) {
            clock.advanceTo(clock.nanoTime() + 1);
            hosts.updateMtu(i, 1000);
            assertThat(hosts.count()).isLessThanOrEqualTo(12);
        }
        assertThat(Integer.parseInt(read("count"))).isBetween(5, 12);
        assertThat(hosts.mtu(999)).isEqualTo(1000);
    }

    @Test
    void unused_isForgotten_asking_keeps() {
        hosts.updateMtu(7, 1300);
        hosts.updateMtu(8, 1300);
        for (int i = 0; i < 3; i++) {
            pass(3000);
            assertThat(hosts.mtu(7)).isEqualTo(1300);
        }
        assertThat(hosts.lookup(0, 8)).isNull();
        pass(4000);
        assertThat(hosts.count()).isZero();
        assertThat(vnet.calloutsArmed()).isZero();
    }

    @Test
    void purge_atTheNextLook_purgenow_atOnce() {
        hosts.updateMtu(7, 1300);
        set("purge", "1");
        assertThat(hosts.mtu(7)).isEqualTo(1300);
        pass(301);
        assertThat(hosts.mtu(7)).isZero();
        assertThat(read("purge")).isEqualTo("0");
        hosts.updateMtu(7, 1300);
        set("purgenow", "1");
        assertThat(hosts.mtu(7)).isZero();
        hosts.updateMtu(7, 1300);
        set("purgenow", "1");
        assertThat(hosts.mtu(7)).isZero();
    }

    @Test
    void off_nothingIsKnownOrLearnt() {
        hosts.updateMtu(7, 1300);
        set("enable", "0");
        assertThat(hosts.mtu(7)).isZero();
        hosts.updateMtu(8, 1300);
        hosts.update(0, 8, metrics(1, 1));
        set("enable", "1");
        assertThat(hosts.mtu(7)).isEqualTo(1300);
        assertThat(hosts.mtu(8)).isZero();
    }

    @Test
    void list_showsAll() {
        hosts.updateMtu(0x0a000002, 1300);
        hosts.update(HI, 1, metrics(25_000_000, 5000));
        hosts.get(HI, 1);
        assertThat(read("list")).containsPattern("10.0.0.2 +1300 +0 +0ms +0ms +0 +0 +0 +0 +1 +3600")
            .containsPattern("2001:db8::1 +0 +5000 +25ms +12ms +10 +0 +0 +1 +1 +3600");
    }

    @Test
    void sysctls_haveFreebsdsNamesAndDefaults() {
        try (Vnet other = Vnet.builder().name("d").clock(clock).threads(false).services(false).build()) {
            final HostCache h = new HostCache(other);
            assertThat(other.sysctl().find(BASE + "cachelimit").get()).isEqualTo(15_360);
            assertThat(other.sysctl().find(BASE + "hashsize").get()).isEqualTo(512);
            assertThat(other.sysctl().find(BASE + "bucketlimit").get()).isEqualTo(30);
            assertThat(other.sysctl().find(BASE + "expire").get()).isEqualTo(3600);
            assertThat(other.sysctl().find(BASE + "prune").get()).isEqualTo(300);
            assertThat(other.sysctl().find(BASE + "enable").get()).isEqualTo(1);
            assertThat(other.sysctl().set(BASE + "cachelimit", "5")).isEqualTo(Errno.EPERM);
            h.destroy();
        }
    }
}
