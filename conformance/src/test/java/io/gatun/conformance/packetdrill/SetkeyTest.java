package io.gatun.conformance.packetdrill;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.tcp.Sadb;
import io.gatun.protosw.Vnet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SetkeyTest {
    private static final String ADD = "add 10.0.0.1 10.0.0.2 tcp 0x1000 -A tcp-md5 \"a; b\"; # comment\n";

    private final Vnet vnet = Vnet.builder().name("setkey").threads(false).build();
    private final Setkey setkey = new Setkey(vnet.service(Sadb.class));

    @AfterEach
    void end() {
        vnet.close();
    }

    private Shell.Status c(final String input) {
        return setkey.run(List.of("-c"), input);
    }

    @Test
    void statements_areCarriedOut() {
        assertThat(c(ADD + "add ::1 ::2 tcp 4096 -A tcp-md5 0x00ff;").status()).isZero();
        assertThat(setkey.run(List.of("-D"), "").output()).contains("10.0.0.1 10.0.0.2").contains("::1 ::2");
        assertThat(c("delete 10.0.0.1 10.0.0.2 tcp 0x1000; dump;").output()).doesNotContain("10.0.0.1").contains("::1");
        assertThat(c("flush;").status()).isZero();
        assertThat(setkey.run(List.of("-D"), "").output()).isEqualTo("No SAD entries.\n");
        assertThat(c(ADD).status()).isZero();
        assertThat(setkey.run(List.of("-F"), "").status()).isZero();
        assertThat(vnet.service(Sadb.class).dump()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"add 1.2.3.4 5.6.7.8 tcp 1 -A tcp-md5 \"x\"", "add 1.2.3.4 ::1 tcp 1 -A tcp-md5 \"x\";",
        "add 1.2.3.4 5.6.7.8 esp 1 -A tcp-md5 \"x\";", "add 1.2.3.4 5.6.7.8 tcp one -A tcp-md5 \"x\";",
        "add 1.2.3.4 5.6.7.8 tcp 1 -A hmac-md5 \"x\";", "add 1.2.3.4 5.6.7.8 tcp 1 -A tcp-md5 \"\";",
        "add 1.2.3.4 5.6.7.8 tcp 1 -A tcp-md5 x;", "add a b tcp 1 -A tcp-md5 \"x\";", "spdadd;", "add;",
        "delete 1.2.3.4 5.6.7.8 tcp 1;", "add 1.2.3.4 5.6.7.8 tcp 1 -A tcp-md5 \"x;"})
    void badStatement_isRefused(final String statement) {
        assertThat(c(statement).status()).isNotZero();
        assertThat(vnet.service(Sadb.class).dump()).isEmpty();
    }

    @Test
    void anyText_isRefusedOrCarriedOut_neverThrows() {
        final long seed = new Random().nextLong();
        final Random rnd = new Random(seed);
        for (int i = 0; i < 2000; i++) {
            final StringBuilder b = new StringBuilder(ADD);
            for (int k = rnd.nextInt(6); k >= 0; k--) {
                final int at = rnd.nextInt(b.length());
                switch (rnd.nextInt(3)) {
                    case 0 -> b.deleteCharAt(at);
                    case 1 -> b.insert(at, (char) rnd.nextInt(128));
                    default -> b.setCharAt(at, "\";#x0 \n-".charAt(rnd.nextInt(8)));
                }
            }
            assertThat(c(b.toString()).status()).as("seed %d: %s", seed, b).isBetween(0, 1);
            vnet.service(Sadb.class).flush();
        }
    }
}
