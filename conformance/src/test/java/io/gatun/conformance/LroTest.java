package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Segments merged on their way in, across a cable that takes none longer than 1500 octets. */
class LroTest {
    private static final long OCTETS = 20_000_000;
    private static final int WRITE = 65_536;

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values())
            .flatMap(s -> Stream.of(Arguments.of(s, "10.0.0.2"), Arguments.of(s, "2001:db8::2")));
    }

    private static long stat(final Vnet v, final String name) {
        return v.counters().get("tcp." + name);
    }

    private static Vnet[] pair(final Bed bed) throws ErrnoException {
        final Vnet[] v = {bed.vnet("a"), bed.vnet("b")};
        final Epair cable = bed.cable(v[0], v[1], Epair.Config.DEFAULT);
        Bed.up(cable, "10.0.0.1/24", "10.0.0.2/24");
        Bed.up(cable, "2001:db8::1/64", "2001:db8::2/64");
        return v;
    }

    private static void transfer(final Bed bed, final SocketFile[] c) throws ErrnoException {
        final Flow f = new Flow(c[0], c[1], OCTETS, WRITE);
        bed.drive(f);
        assertThat(f.received()).isEqualTo(OCTETS);
        c[0].close();
        c[1].close();
    }

    @ParameterizedTest
    @MethodSource("modes")
    void bulk_overShortFrames_goesUpInLongOnes(final LockStrategy strategy, final String to) throws ErrnoException {
        try (Bed bed = new Bed(strategy, false, 1)) {
            final Vnet[] v = pair(bed);
            transfer(bed, bed.connection(v[0], v[1], SockAddr.of(to, Bed.PORT)));
            assertThat(stat(v[1], "lro_queued")).isGreaterThan(OCTETS / 1448 * 9 / 10);
            assertThat(stat(v[1], "rcvtotal")).as("segments that TCP saw").isLessThan(OCTETS / 1448 / 4);
            assertThat(stat(v[0], "sndrexmitpack")).isZero();
        }
    }

    @Test
    void bulk_capabilityOff_goesUpAsItCame() throws ErrnoException {
        try (Bed bed = new Bed(LockStrategy.SPLIT, false, 1)) {
            final Vnet[] v = pair(bed);
            final Ifnet in = v[1].ifnets().all().stream().filter(i -> i.type() == Ifnet.IFT_ETHER).findFirst().get();
            assertThat(in.ioctl(new IfReq.SetCap(in.capenable() & ~Ifnet.IFCAP_LRO))).isEqualTo(Errno.OK);
            transfer(bed, bed.connection(v[0], v[1], SockAddr.of("10.0.0.2", Bed.PORT)));
            assertThat(stat(v[1], "lro_queued")).isZero();
            assertThat(stat(v[1], "rcvtotal")).isGreaterThan(OCTETS / 1500);
        }
    }

    /** A router passes on what it gets; it is the end that merges. */
    @Test
    void bulk_acrossARouter_isMergedAtTheEndAlone() throws ErrnoException {
        try (Bed bed = new Bed(LockStrategy.SPLIT, false, 1)) {
            final Vnet[] v = bed.routed(Epair.Config.DEFAULT, Epair.Config.DEFAULT);
            transfer(bed, bed.connection(v[0], v[2], SockAddr.of("10.0.2.1", Bed.PORT)));
            assertThat(stat(v[1], "lro_queued")).isZero();
            assertThat(stat(v[2], "lro_queued")).isPositive();
        }
    }
}
