package io.gatun.spi.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.Inet6Address;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SockAddrTest {
    @ParameterizedTest
    @CsvSource({
        "::, ::", "::1, ::1", "0:0:0:0:0:0:0:1, ::1", "2001:DB8::1, 2001:db8::1",
        "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
        "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1", "1::, 1::", "1:0:0:2:0:0:0:3, 1:0:0:2::3", "fe80::1%7, fe80::1%7",
        "::ffff:10.0.0.1, ::ffff:10.0.0.1", "64:ff9b::192.0.2.33, 64:ff9b::c000:221",
        "ff02::1:ff00:1%2, ff02::1:ff00:1%2",
        "1:2:3:4:5:6:7::, 1:2:3:4:5:6:7:0", "::2:3:4:5:6:7:8, 0:2:3:4:5:6:7:8", "10.0.0.1, 10.0.0.1"})
    void literal_isReadAndWrittenAsRfc5952(final String in, final String out) {
        final SockAddr sa = SockAddr.of(in, 80);
        assertThat(sa.host()).isEqualTo(out);
        assertThat(SockAddr.of(out, 80)).isEqualTo(sa);
        assertThat(sa.toString()).isEqualTo(in.contains(":") ? "[" + out + "]:80" : out + ":80");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "::1.2.3", "::1.2.3.256",
        "::01.2.3.4", "1.2.3.4::", "1:2:3:4:5:6:7:8::", "fe80::1%", "fe80::1%nosuch", "fe80::1%123456", "localhost",
        "10.0.0.1%1", "1.2.3.4.5", "::-1"})
    void noLiteral_isRefused(final String text) {
        assertThatThrownBy(() -> SockAddr.of(text, 80)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void zone_numberGoesToJavaAndBack_nameWantsItsInterface() {
        final SockAddr sa = SockAddr.of("fe80::1%3", 80);
        assertThat(sa.scopeId()).isEqualTo(3);
        assertThat(((Inet6Address) sa.toInetSocketAddress().getAddress()).getScopeId()).isEqualTo(3);
        assertThat(SockAddr.of(sa.toInetSocketAddress())).isEqualTo(sa);
        assertThatThrownBy(() -> SockAddr.of("fe80::1%epair0b", 80)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void anyAddress_survivesItsText() {
        final long seed = Long.getLong("gatun.seed", 7L);
        final SplittableRandom r = new SplittableRandom(seed);
        for (int i = 0; i < 20_000; i++) {
            final long hi = r.nextLong() & mask(r);
            final long lo = r.nextLong() & mask(r);
            final SockAddr sa = SockAddr.in6(hi, lo, 1);
            assertThat(SockAddr.of(sa.host(), 1)).as("seed=%d %s", seed, sa).isEqualTo(sa);
        }
    }

    /** Zero groups here and there. */
    private static long mask(final SplittableRandom r) {
        long m = 0;
        for (int i = 0; i < 4; i++) {
            m = m << 16 | (r.nextBoolean() ? 0xffff : 0);
        }
        return m;
    }
}
