package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.bytes;
import static io.gatun.conformance.inet.Host.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.epair.Epair;
import io.gatun.spi.socket.GroupReq;
import io.gatun.spi.socket.GroupSourceReq;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpMreqSource;
import io.gatun.spi.socket.MsFilterReq;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.Socket;
import io.gatun.uipc.api.SocketFile;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Source filters of sockets (RFC 3678): each hears the senders it asked for, and no others. */
class McastFilterTest {
    private static final int IP = InDefs.IPPROTO_IP;
    private static final SockAddr GROUP = SockAddr.of("232.1.2.3", 9875);
    private static final SockAddr ONE = SockAddr.of("10.0.0.1", 0);
    private static final SockAddr TWO = SockAddr.of("10.0.0.11", 0);

    private final VirtualClock clock = new VirtualClock();
    private final Host sender = new Host(LockStrategy.SPLIT, clock, "sender");
    private final Host hearer = new Host(LockStrategy.VERTICAL, clock, "hearer");
    private int index;
    private SocketFile one;
    private SocketFile two;
    private SocketFile a;
    private SocketFile b;

    @BeforeEach
    void start() throws Exception {
        final Epair cable = sender.join(hearer, Map.of());
        sender.config().addAddress(cable.a(), "10.0.0.11/24");
        index = cable.b().index();
        one = from(ONE);
        two = from(TWO);
        a = member();
        b = member();
    }

    @AfterEach
    void stop() throws Exception {
        sender.close();
        hearer.close();
    }

    private SocketFile from(final SockAddr source) throws Exception {
        final SocketFile f = sender.udp();
        f.bind(source);
        f.setOption(IP, InDefs.IP_MULTICAST_IF, (Object) ONE);
        return f;
    }

    private SocketFile member() throws Exception {
        final SocketFile f = hearer.udp();
        f.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_REUSEPORT, 1);
        f.bind(SockAddr.in(SockAddr.INADDR_ANY, GROUP.port()));
        return f;
    }

    /** What each of the two hears when both senders speak. */
    private String heard() throws Exception {
        one.sendto(bytes("1"), 0, GROUP);
        two.sendto(bytes("2"), 0, GROUP);
        sender.run();
        hearer.run();
        return "a" + all(a) + " b" + all(b);
    }

    private static String all(final SocketFile f) throws Exception {
        final StringBuilder out = new StringBuilder();
        String s = read(f);
        while (!"-".equals(s)) {
            out.append(s);
            s = read(f);
        }
        return out.toString();
    }

    private void source(final SocketFile f, final int name, final SockAddr who) throws Exception {
        f.setOption(IP, name, new GroupSourceReq(index, GROUP, who));
    }

    @Test
    void singleSenders_joinedAndLeft() throws Exception {
        source(a, InDefs.MCAST_JOIN_SOURCE_GROUP, ONE);
        source(b, InDefs.MCAST_JOIN_SOURCE_GROUP, TWO);
        assertThat(heard()).isEqualTo("a1 b2");
        source(a, InDefs.MCAST_JOIN_SOURCE_GROUP, TWO);
        assertThat(heard()).isEqualTo("a12 b2");
        source(a, InDefs.MCAST_LEAVE_SOURCE_GROUP, ONE);
        assertThat(heard()).isEqualTo("a2 b2");
        b.setOption(IP, InDefs.MCAST_LEAVE_GROUP, new GroupReq(0, GROUP));
        assertThat(heard()).isEqualTo("a2 b");
        source(a, InDefs.MCAST_LEAVE_SOURCE_GROUP, TWO);
        assertThat(heard()).isEqualTo("a b");
    }

    @Test
    void everybody_butThoseBlocked() throws Exception {
        a.setOption(IP, InDefs.MCAST_JOIN_GROUP, new GroupReq(index, GROUP));
        b.setOption(IP, InDefs.MCAST_JOIN_GROUP, new GroupReq(index, GROUP));
        assertThat(heard()).isEqualTo("a12 b12");
        source(a, InDefs.MCAST_BLOCK_SOURCE, ONE);
        b.setOption(IP, InDefs.IP_BLOCK_SOURCE, new IpMreqSource(GROUP, TWO, SockAddr.of("10.0.0.2", 0)));
        assertThat(heard()).isEqualTo("a2 b1");
        source(a, InDefs.MCAST_UNBLOCK_SOURCE, ONE);
        assertThat(heard()).isEqualTo("a12 b1");
    }

    @Test
    void oldOptions_ofOneSender() throws Exception {
        a.setOption(IP, InDefs.IP_ADD_SOURCE_MEMBERSHIP, new IpMreqSource(GROUP, ONE, SockAddr.of("10.0.0.2", 0)));
        b.setOption(IP, InDefs.MCAST_JOIN_GROUP, new GroupReq(index, GROUP));
        assertThat(heard()).isEqualTo("a1 b12");
        a.setOption(IP, InDefs.IP_DROP_SOURCE_MEMBERSHIP, new IpMreqSource(GROUP, ONE, null));
        assertThat(heard()).isEqualTo("a b12");
    }

    @Test
    void wholeFilter_setAndRead() throws Exception {
        a.setOption(IP, InDefs.IP_MSFILTER, new MsFilterReq(index, GROUP, InDefs.MCAST_EXCLUDE, List.of(TWO)));
        b.setOption(IP, InDefs.MCAST_JOIN_GROUP, new GroupReq(index, GROUP));
        assertThat(heard()).isEqualTo("a1 b12");
        a.setOption(IP, InDefs.IP_MSFILTER, new MsFilterReq(index, GROUP, InDefs.MCAST_INCLUDE, List.of(TWO)));
        assertThat(heard()).isEqualTo("a2 b12");
        final Socket bare = hearer.socket(SocketDefs.SOCK_DGRAM, Ucred.ROOT);
        final MsFilterReq want = new MsFilterReq(index, GROUP, InDefs.MCAST_EXCLUDE, List.of(ONE, TWO));
        assertThat(bare.setOpt(SockOpt.set(IP, InDefs.IP_MSFILTER, want))).isEqualTo(Errno.OK);
        final SockOpt get = SockOpt.get(IP, InDefs.IP_MSFILTER);
        get.answer(new MsFilterReq(index, GROUP, 0, List.of()));
        assertThat(bare.getOpt(get)).isEqualTo(Errno.OK);
        assertThat(get.object()).isEqualTo(want);
        bare.close();
    }

    @Test
    void wrongRequests_areRefused() {
        fails(InDefs.MCAST_JOIN_GROUP, new GroupReq(999, GROUP), Errno.EADDRNOTAVAIL);
        fails(InDefs.MCAST_JOIN_GROUP, new GroupReq(index, ONE), Errno.EINVAL);
        fails(InDefs.MCAST_JOIN_GROUP, new GroupSourceReq(index, GROUP, ONE), Errno.EINVAL);
        fails(InDefs.MCAST_JOIN_SOURCE_GROUP, new GroupSourceReq(index, GROUP, GROUP), Errno.EINVAL);
        fails(InDefs.MCAST_JOIN_SOURCE_GROUP, new GroupSourceReq(index, GROUP, null), Errno.EINVAL);
        fails(InDefs.MCAST_BLOCK_SOURCE, new GroupSourceReq(index, GROUP, ONE), Errno.EADDRNOTAVAIL);
        fails(InDefs.MCAST_JOIN_GROUP, "nonsense", Errno.EINVAL);
        fails(InDefs.IP_MSFILTER, new MsFilterReq(index, GROUP, 7, List.of()), Errno.EINVAL);
    }

    private void fails(final int name, final Object arg, final Errno errno) {
        assertThatThrownBy(() -> a.setOption(IP, name, arg)).isInstanceOfSatisfying(ErrnoException.class,
            e -> assertThat(e.errno()).isEqualTo(errno));
    }
}
