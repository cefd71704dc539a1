package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.netinet.tcp.TcpFunctionBlock;
import io.gatun.netinet.tcp.TcpFunctions;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole TCP stacks beside the base one: found, chosen, inherited, changed, counted. */
class TcpStacksTest {
    private static final String DEFAULT = "net.inet.tcp.functions_default";
    private static final SockAddr RIGHT = SockAddr.of("10.0.0.2", Bed.PORT);
    private static final int OCTETS = 300_000;

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values())
            .flatMap(s -> Stream.of(Arguments.of(s, false), Arguments.of(s, true)));
    }

    private static String stack(final SocketFile so) throws ErrnoException {
        final SockOpt opt = SockOpt.get(InDefs.IPPROTO_TCP, InDefs.TCP_FUNCTION_BLK);
        assertThat(so.so().getOpt(opt)).isEqualTo(Errno.OK);
        return (String) opt.object();
    }

    private static Errno choose(final SocketFile so, final String name) {
        return so.so().setOpt(SockOpt.set(InDefs.IPPROTO_TCP, InDefs.TCP_FUNCTION_BLK, name));
    }

    private static OneAtATime other(final Vnet v) {
        return (OneAtATime) v.service(TcpFunctions.class).find(OneAtATime.NAME);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void secondStack_byDefault_carriesTheConnection(final LockStrategy strategy, final boolean threads)
            throws Exception {
        try (Bed bed = new Bed(strategy, threads, 1)) {
            if (threads) {
                bed.sysctl("net.inet.tcp.delacktime", "1"); // each segment waits that long, in real time
            }
            final Vnet[] v = bed.pair(Bed.ETHERNET);
            assertThat(v[0].sysctl().set(DEFAULT, OneAtATime.NAME)).isEqualTo(Errno.OK);
            assertThat(v[1].sysctl().set(DEFAULT, OneAtATime.NAME)).isEqualTo(Errno.OK);
            final SocketFile[] c = bed.connection(v[0], v[1], RIGHT);
            assertThat(stack(c[0])).isEqualTo(OneAtATime.NAME);
            assertThat(stack(c[1])).as("of the child").isEqualTo(OneAtATime.NAME);
            bed.transfer(new Flow(c[0], c[1], OCTETS, 20_000));
            assertThat(c[1].getOption(InDefs.IPPROTO_TCP, OneAtATime.SEGMENTS)).isGreaterThan(OCTETS / 1460);
            assertThat(other(v[0]).tooMany.get()).as("more than one segment in flight").isZero();
            c[0].close();
            c[1].close();
        }
    }

    @Test
    void sameTransfer_inTheBaseStack_hasMoreInFlight() throws Exception {
        // What the assertion above would say of a stack that does not hold back.
        try (Bed bed = new Bed(2)) {
            final Vnet[] v = bed.pair(Bed.ETHERNET);
            final SocketFile a = Bed.tcp(v[0]);
            assertThat(stack(a)).isEqualTo(TcpFunctionBlock.FREEBSD);
            final SocketFile[] c = bed.connection(a, v[1], RIGHT);
            c[0].send(java.nio.ByteBuffer.allocate(20_000));
            assertThat(v[0].counters().get("tcp.sndbyte")).isGreaterThan(2 * 1460);
            bed.drive(new Flow(c[1], c[0], 10, 10));
            c[0].close();
            c[1].close();
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void option_choosesAndChanges(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 3)) {
            final Vnet[] v = bed.pair(Bed.ETHERNET);
            final OneAtATime other = other(v[0]);
            final SocketFile a = Bed.tcp(v[0]);
            assertThat(choose(a, "nosuch")).isEqualTo(Errno.ENOENT);
            assertThat(choose(a, OneAtATime.NAME)).isEqualTo(Errno.OK);
            assertThat(choose(a, OneAtATime.NAME)).as("which it has").isEqualTo(Errno.OK);
            assertThat(other.inits.get()).isEqualTo(1);
            assertThat(other.refcnt()).isEqualTo(1);
            final SocketFile[] c = bed.connection(a, v[1], RIGHT);
            assertThat(stack(c[1])).isEqualTo(TcpFunctionBlock.FREEBSD);
            assertThat(c[0].getOption(InDefs.IPPROTO_TCP, OneAtATime.SEGMENTS)).isPositive();
            assertThat(choose(c[0], TcpFunctionBlock.FREEBSD)).as("takes any").isEqualTo(Errno.OK);
            assertThat(other.finis.get()).isEqualTo(1);
            assertThat(other.purged.get()).isZero();
            assertThat(other.refcnt()).isZero();
            assertThat(choose(c[0], OneAtATime.NAME)).as("takes none that is open").isEqualTo(Errno.EINVAL);
            assertThatThrownBy(() -> c[0].getOption(InDefs.IPPROTO_TCP, OneAtATime.SEGMENTS))
                .isInstanceOf(ErrnoException.class).hasMessageContaining("ENOPROTOOPT");
            bed.transfer(new Flow(c[0], c[1], OCTETS, 20_000));
            c[0].close();
            c[1].close();
        }
    }

    @Test
    void stackThatRefuses_socketKeepsWhatItHas() throws Exception {
        try (Bed bed = new Bed(4)) {
            final Vnet v = bed.loopback();
            final OneAtATime other = other(v);
            other.wants = Errno.ENOMEM;
            final SocketFile so = Bed.tcp(v);
            assertThat(choose(so, OneAtATime.NAME)).isEqualTo(Errno.ENOMEM);
            assertThat(stack(so)).isEqualTo(TcpFunctionBlock.FREEBSD);
            assertThat(v.sysctl().set(DEFAULT, OneAtATime.NAME)).isEqualTo(Errno.OK);
            final SocketFile next = Bed.tcp(v);
            assertThat(stack(next)).isEqualTo(TcpFunctionBlock.FREEBSD);
            assertThat(other.refcnt()).isZero();
            so.close();
            next.close();
        }
    }

    @Test
    void table_namesAreUnique_usedOnesStay() throws Exception {
        try (Bed bed = new Bed(5)) {
            final Vnet v = bed.loopback();
            final TcpFunctions table = v.service(TcpFunctions.class);
            final OneAtATime other = other(v);
            assertThat(v.sysctl().find("net.inet.tcp.functions_available").getString())
                .isEqualTo("freebsd oneatatime");
            assertThat(v.sysctl().set("net.inet.tcp.functions_available", "x")).isNotEqualTo(Errno.OK);
            assertThat(v.sysctl().set(DEFAULT, "nosuch")).isEqualTo(Errno.EINVAL);
            assertThat(table.register(new OneAtATime())).isEqualTo(Errno.EALREADY);
            assertThat(table.deregister(table.find(TcpFunctionBlock.FREEBSD))).isEqualTo(Errno.EPERM);
            final SocketFile so = Bed.tcp(v);
            assertThat(choose(so, OneAtATime.NAME)).isEqualTo(Errno.OK);
            assertThat(table.deregister(other)).isEqualTo(Errno.EBUSY);
            so.close();
            bed.run();
            assertThat(other.purged.get()).isEqualTo(1);
            assertThat(other.refcnt()).isZero();
            assertThat(table.deregister(other)).isEqualTo(Errno.OK);
            assertThat(table.deregister(other)).isEqualTo(Errno.ENOENT);
            assertThat(v.sysctl().find("net.inet.tcp.functions_available").getString()).isEqualTo("freebsd");
            assertThat(table.register(other)).isEqualTo(Errno.OK);
        }
    }
}
