package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InPrefix;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.RouteReq;
import io.gatun.netinet.arp.Acd;
import io.gatun.netinet.dhcp.DhcpListener;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetListener;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who still holds an interface that has gone, or whose vnet has, cannot configure it: nothing would ever undo that. */
class DetachedIfnetTest {
    /** Does not care. */
    private static final class Deaf implements Acd.Outcome {
        @Override
        public void free() {
            // nobody waits
        }

        @Override
        public void taken(final long lladdr) {
            // nobody waits
        }
    }

    private static void refused(final ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(ErrnoException.class,
            e -> assertThat(e.errno()).isEqualTo(Errno.ENXIO));
    }

    private static void nothingIsTaken(final Vnet v, final Ifnet ifp) {
        final InetConfig config = Bed.config(v);
        refused(() -> config.addAddress(ifp, "10.0.9.1/24"));
        refused(() -> config.addAddress(ifp, "2001:db8::1/64"));
        refused(() -> config.addRoute("10.9.0.0/16", null, ifp));
        refused(() -> config.addRoute("2001:db8:9::/48", null, ifp));
        refused(() -> config.dhcp(ifp, "gone", new DhcpListener() { }));
        refused(() -> config.claimAddress(ifp, "10.0.9.1/24", new Deaf()));
        isBare(v);
    }

    private static void isBare(final Vnet v) {
        final InetConfig config = Bed.config(v);
        assertThat(config.addresses()).isEmpty();
        assertThat(config.inet().inet6().addrs.all()).isEmpty();
        assertThat(config.routes()).isEmpty();
        assertThat(v.describeCallouts()).isEqualTo("{}");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void detached_orVnetClosed_takesNothing(final boolean close) throws ErrnoException {
        try (Bed bed = new Bed(1)) {
            bed.sysctl("net.inet6.ip6.dad_count", "1");
            final Vnet v = bed.vnet("left");
            final Epair cable = bed.cable(v, bed.vnet("right"), Bed.ETHERNET);
            Bed.up(cable, "10.0.0.1/24", "10.0.0.2/24");
            Bed.up(cable, "2001:db8:1::1/64", "2001:db8:1::2/64");
            bed.run();
            if (close) {
                v.close();
            } else {
                cable.destroy();
            }
            nothingIsTaken(v, cable.a());
        }
    }

    /** A listener of a program's hears of it when the stack has taken everything away already. */
    @Test
    void departing_takesNothing() throws ErrnoException {
        try (Bed bed = new Bed(1)) {
            bed.sysctl("net.inet6.ip6.dad_count", "1");
            final Vnet v = bed.vnet("left");
            final Epair cable = bed.cable(v, bed.vnet("right"), Bed.ETHERNET);
            Bed.up(cable, "10.0.0.1/24", "10.0.0.2/24");
            final List<Errno> answers = new ArrayList<>();
            v.ifnets().addListener(new IfnetListener() {
                @Override
                public void departing(final Ifnet ifp) {
                    answers.add(ifp.addAddr(new IfAddr(SockAddr.of("10.0.9.1", 0), 24, null, null)));
                    answers.add(ifp.addAddr(new IfAddr(SockAddr.of("2001:db8::1", 0), 64, null, null)));
                    answers.add(Bed.config(v).routing().add(
                        new RouteReq(InPrefix.parse("10.9.0.0/16", v.ifnets())).ifp(ifp)));
                }
            });
            cable.destroy();
            assertThat(answers).hasSize(3);
            isBare(v);
        }
    }
}
