package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.nd6.Nd6;
import io.gatun.netinet.nd6.Nd6Duplicate;
import io.gatun.netinet.nd6.Nd6Listener;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Duplicate address detection between two hosts on a cable. */
class DadTest {
    private static final String SAME = "2001:db8::5";
    private static final long SEC = TimeUnit.SECONDS.toNanos(1);

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values())
            .flatMap(s -> Stream.of(Arguments.of(s, false), Arguments.of(s, true)));
    }

    /** Hears of addresses. */
    private static final class Ear implements Nd6Listener {
        final List<String> heard = new ArrayList<>();
        final CountDownLatch ready;

        Ear(final int addresses) {
            ready = new CountDownLatch(addresses);
        }

        @Override
        public synchronized void duplicate(final Nd6Duplicate what) {
            heard.add("duplicate");
        }

        @Override
        public void ready(final In6Ifaddr ia) {
            ready.countDown();
        }
    }

    private static Nd6 nd(final Vnet v) {
        return Bed.config(v).inet().inet6().nd6;
    }

    private static In6Ifaddr ia(final Vnet v) {
        final SockAddr a = SockAddr.of(SAME, 0);
        return Bed.config(v).inet().inet6().addrs.lookup(a.hi(), a.lo());
    }

    private static Bed bed(final LockStrategy strategy, final boolean threads, final long seed) {
        return new Bed(strategy, threads, seed).sysctl("net.inet6.ip6.dad_count", "1")
            .sysctl("net.inet6.ip6.auto_linklocal", "1");
    }

    @Test
    void bothAtOnce_bothNotice_neitherUsesIt() throws Exception {
        try (Bed bed = bed(LockStrategy.SPLIT, false, 1)) {
            final Vnet a = bed.vnet("left");
            final Vnet b = bed.vnet("right");
            final Ear left = new Ear(1);
            final Ear right = new Ear(1);
            nd(a).addListener(left);
            nd(b).addListener(right);
            Bed.up(bed.cable(a, b, Bed.ETHERNET), SAME + "/64", SAME + "/64");
            bed.advance(5 * SEC);
            assertThat(left.heard).containsExactly("duplicate");
            assertThat(right.heard).containsExactly("duplicate");
            assertThat(ia(a).flags()).isEqualTo(In6Ifaddr.IN6_IFF_DUPLICATED);
            assertThat(ia(b).flags()).isEqualTo(In6Ifaddr.IN6_IFF_DUPLICATED);
        }
    }

    @Test
    void oneAfterTheOther_theSecondNotices_theFirstGoesOn() throws Exception {
        try (Bed bed = bed(LockStrategy.SPLIT, false, 2)) {
            final Vnet a = bed.vnet("left");
            final Vnet b = bed.vnet("right");
            final var cable = bed.cable(a, b, Bed.ETHERNET);
            cable.b().up();
            Bed.config(a).addAddress(cable.a(), SAME + "/64");
            bed.advance(2 * SEC);
            assertThat(ia(a).ready()).isTrue();
            Bed.config(b).addAddress(cable.b(), SAME + "/64");
            bed.advance(2 * SEC);
            assertThat(ia(a).ready()).isTrue();
            assertThat(ia(b).flags()).isEqualTo(In6Ifaddr.IN6_IFF_DUPLICATED);
        }
    }

    /** With threads this takes the second that it takes. */
    @ParameterizedTest
    @MethodSource("modes")
    void checkedAddresses_carryTraffic(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = bed(strategy, threads, 3)) {
            final Vnet a = bed.vnet("left");
            final Vnet b = bed.vnet("right");
            final Ear left = new Ear(2);
            final Ear right = new Ear(2);
            nd(a).addListener(left);
            nd(b).addListener(right);
            Bed.up(bed.cable(a, b, Bed.ETHERNET), "2001:db8::1/64", "2001:db8::2/64");
            if (!threads) {
                bed.advance(3 * SEC);
            }
            assertThat(nd(a).awaitAddresses(Duration.ofSeconds(20))).isTrue();
            assertThat(nd(b).awaitAddresses(Duration.ofSeconds(20))).isTrue();
            assertThat(left.ready.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(right.ready.await(20, TimeUnit.SECONDS)).isTrue();
            try (SocketFile in = SocketFile.socket(b, SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0);
                 SocketFile out = SocketFile.socket(a, SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0)) {
                in.bind(SockAddr.of("2001:db8::2", Bed.PORT));
                out.connect(SockAddr.of("2001:db8::2", Bed.PORT));
                out.send(ByteBuffer.allocate(100));
                if (!threads) {
                    bed.run();
                }
                assertThat(in.receive(ByteBuffer.allocate(200))).isEqualTo(100);
            }
        }
    }
}
