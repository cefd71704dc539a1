package io.gatun.netinet.arp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.spi.sys.ErrnoException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** RFC 5227: probes, announcements and defence, each at its time. */
class AcdTest {
    private static final long MS = 1_000_000L;
    private static final long SEC = 1000 * MS;
    private static final int WANTED = Packets.addr("10.0.0.77");
    private static final long BROADCAST = 0xffff_ffff_ffffL;

    private final TestNet net = new TestNet();
    private final List<String> told = new ArrayList<>();
    private final List<Long> times = new ArrayList<>();

    @AfterEach
    void close() {
        net.close();
    }

    private Acd.Claim claim() {
        return net.inet.arp.acd.claim(net.wire0.ifp, WANTED, new Acd.Outcome() {
            @Override
            public void free() {
                told.add("free");
                times.add(net.clock.nanoTime());
                try {
                    net.config.addAddress(net.wire0.ifp, "10.0.0.77/24");
                } catch (final io.gatun.spi.sys.ErrnoException e) {
                    throw new AssertionError(e);
                }
            }

            @Override
            public void taken(final long lladdr) {
                told.add("taken by " + Long.toHexString(lladdr));
            }
        });
    }

    /** The next frame: {@code probe} or {@code announcement} of WANTED, or null. */
    private String next() {
        final byte[] f = net.wire0.next();
        if (f == null) {
            return null;
        }
        assertThat(Packets.mac(f, 0)).isEqualTo(BROADCAST);
        assertThat(Packets.u16(f, 12)).isEqualTo(0x806);
        assertThat(Packets.u16(f, 20)).as("a request").isEqualTo(1);
        assertThat(Packets.mac(f, 32)).as("target link address").isZero();
        final int spa = Packets.i32(f, 28);
        assertThat(spa).isIn(0, Packets.i32(f, 38));
        return (spa == 0 ? "probe" : "announcement") + (Packets.i32(f, 38) == WANTED ? "" : " of another");
    }

    private long step() {
        final long start = net.clock.nanoTime();
        final long at = net.vnet.nextDeadlineNs();
        net.advance(at - start - 1);
        assertThat(net.wire0.sent).isEmpty();
        net.advance(1);
        return at - start;
    }

    private void hear(final int op, final long sha, final int spa, final int tpa) {
        net.wire0.receive(Packets.ether(BROADCAST, sha, 0x806, Packets.arp(op, sha, spa, 0, tpa)));
    }

    @Test
    @Tag("RFC5227-2.1.1")
    @Tag("RFC5227-2.3")
    void free_threeProbes_thenTwoAnnouncements() {
        claim();
        assertThat(step()).as("PROBE_WAIT").isBetween(1L, SEC);
        assertThat(next()).isEqualTo("probe");
        for (int i = 0; i < 2; i++) {
            assertThat(step()).as("PROBE_MIN to PROBE_MAX").isBetween(SEC, 2 * SEC);
            assertThat(next()).isEqualTo("probe");
        }
        assertThat(told).isEmpty();
        assertThat(step()).as("ANNOUNCE_WAIT").isEqualTo(2 * SEC);
        assertThat(told).containsExactly("free");
        assertThat(next()).isEqualTo("announcement");
        assertThat(step()).as("ANNOUNCE_INTERVAL").isEqualTo(2 * SEC);
        assertThat(next()).isEqualTo("announcement");
        assertThat(net.vnet.calloutsArmed()).isZero();
    }

    @Test
    @Tag("RFC5227-2.1.1-conflict")
    void answered_taken_nothingMoreIsSent() {
        claim();
        step();
        net.wire0.sent.clear();
        hear(2, TestNet.PEER0_MAC, WANTED, 0);
        assertThat(told).containsExactly("taken by 200000000a0");
        net.advance(100 * SEC);
        assertThat(net.wire0.sent).isEmpty();
        assertThat(told).hasSize(1);
    }

    @Test
    @Tag("RFC5227-2.1.1-conflict")
    void probedByAnother_taken_ownProbeComesBack_not() {
        claim();
        step();
        hear(1, io.gatun.netinet.TestWire.mac(0), 0, WANTED);
        hear(1, TestNet.PEER0_MAC, 0, TestNet.PEER0);
        hear(1, TestNet.PEER0_MAC, TestNet.PEER0, WANTED);
        assertThat(told).isEmpty();
        hear(1, TestNet.PEER0_MAC, 0, WANTED);
        assertThat(told).containsExactly("taken by 200000000a0");
        net.wire0.sent.clear();
    }

    @Test
    void claimedByConfig_addressIsTheInterfacesOnceFree() throws Exception {
        final Acd.Outcome outcome = new Acd.Outcome() {
            @Override
            public void free() {
                told.add("free");
            }

            @Override
            public void taken(final long lladdr) {
                told.add("taken by " + Long.toHexString(lladdr));
            }
        };
        net.config.claimAddress(net.wire0.ifp, "10.0.0.77/24", outcome);
        net.advance(SEC);
        assertThat(net.inet.addrs.isLocal(WANTED)).isFalse();
        net.advance(10 * SEC);
        assertThat(told).containsExactly("free");
        assertThat(net.inet.addrs.isLocal(WANTED)).isTrue();
        assertThatThrownBy(() -> net.config.claimAddress(net.wire0.ifp, "10.0.0.77/24", outcome))
            .isInstanceOf(ErrnoException.class).hasMessageContaining("EEXIST");
        assertThatThrownBy(() -> net.config.claimAddress(net.wire0.ifp, "fd00::77/64", outcome))
            .isInstanceOf(ErrnoException.class).hasMessageContaining("EINVAL");
        net.config.claimAddress(net.wire0.ifp, "10.0.0.78/24", outcome);
        net.advance(SEC);
        hear(2, TestNet.PEER0_MAC, WANTED + 1, 0);
        assertThat(told).containsExactly("free", "taken by 200000000a0");
        net.advance(10 * SEC);
        assertThat(net.inet.addrs.isLocal(WANTED + 1)).isFalse();
        net.config.claimAddress(net.wire0.ifp, "10.0.0.79/24", outcome);
        net.advance(SEC);
        net.config.addAddress(net.wire0.ifp, "10.0.0.79/24");
        net.advance(10 * SEC);
        assertThat(told).containsExactly("free", "taken by 200000000a0", "taken by 0");
        net.wire0.sent.clear();
    }

    @Test
    void cancelled_nothingIsTold() {
        final Acd.Claim c = claim();
        step();
        c.cancel();
        net.wire0.sent.clear();
        hear(1, TestNet.PEER0_MAC, 0, WANTED);
        net.advance(100 * SEC);
        assertThat(told).isEmpty();
        assertThat(net.wire0.sent).isEmpty();
    }

    @Test
    void interfaceGoes_claimEnds() {
        claim();
        step();
        net.vnet.ifnets().detach(net.wire0.ifp);
        net.advance(100 * SEC);
        assertThat(told).isEmpty();
    }

    /** Somebody else speaks with our address: all are told that it is ours, once in ten seconds to the millisecond. */
    @Test
    @Tag("RFC5227-2.4")
    void conflict_reportedEachTime_defendedOnceInTenSeconds() {
        final List<ArpDuplicate> reports = new ArrayList<>();
        net.inet.arp.addListener(reports::add);
        hear(2, TestNet.PEER0_MAC, TestNet.US0, 0);
        assertThat(next()).isEqualTo("announcement of another");
        net.advance(10 * SEC - MS);
        hear(2, TestNet.PEER0_MAC, TestNet.US0, 0);
        assertThat(next()).isNull();
        net.advance(MS);
        hear(2, TestNet.PEER0_MAC, TestNet.US0, 0);
        assertThat(next()).isEqualTo("announcement of another");
        assertThat(next()).isNull();
        assertThat(reports).hasSize(3).allMatch(r -> r.addr() == TestNet.US0 && r.lladdr() == TestNet.PEER0_MAC);
        assertThat(net.stat("arp.dupips")).isEqualTo(3);
    }
}
