package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static io.gatun.spi.socket.SocketDefs.SO_ACCEPTFILTER;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.AcceptFilter;
import io.gatun.spi.socket.AcceptFilterArg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AcceptFilterTest {
    /** Wants as many octets as its argument says. */
    private static final class Counting implements AcceptFilter {
        final List<Object> destroyed = new ArrayList<>();

        @Override
        public String name() {
            return "counting";
        }

        @Override
        public Object create(final String arg) {
            return arg.matches("[0-9]+") ? Integer.valueOf(arg) : null;
        }

        @Override
        public int callback(final SocketSide so, final Object state) {
            assertThat(so.rcv().lock().owned()).isTrue();
            return so.rcv().avail() >= (Integer) state || (so.rcv().state() & SocketDefs.SBS_CANTRCVMORE) != 0
                ? SocketDefs.SU_ISCONNECTED : SocketDefs.SU_OK;
        }

        @Override
        public void destroy(final Object state) {
            destroyed.add(state);
        }
    }

    private final Counting filter = new Counting();

    private Setting setting(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        assertThat(s.vnet.sockets().acceptFilters().add(filter)).isEqualTo(Errno.OK);
        return s;
    }

    private static Errno set(final Socket so, final Object arg) {
        return so.setOpt(SockOpt.set(SOL_SOCKET, SO_ACCEPTFILTER, arg));
    }

    private static Socket client(final Setting s) {
        final Socket c = s.socket(SocketDefs.SOCK_STREAM);
        assertThat(c.connect(SockAddr.in(0, Setting.PORT), Ucred.ROOT)).isEqualTo(Errno.OK);
        return c;
    }

    private static Socket accepted(final Socket head) {
        return head.accept(null, SocketDefs.MSG_DONTWAIT).so();
    }

    @ParameterizedTest
    @EnumSource
    void connection_heldUntilContent_thenAccepted(final LockStrategy strategy) {
        final Setting s = setting(strategy);
        final Socket head = s.listener(5);
        assertThat(set(head, new AcceptFilterArg("counting", "3"))).isEqualTo(Errno.OK);
        final Socket slow = client(s);
        final Socket quick = client(s);
        assertThat(accepted(head)).isNull();
        Setting.send(slow, new byte[2], 0);
        Setting.send(quick, new byte[3], 0);
        final Socket first = accepted(head);
        assertThat(accepted(head)).as("two octets are not three").isNull();
        assertThat(Setting.receive(first, 10, 0)).hasSize(3);
        Setting.send(slow, new byte[1], 0);
        final Socket second = accepted(head);
        assertThat(Setting.receive(second, 10, 0)).hasSize(3);
        List.of(first, second, slow, quick, head).forEach(Socket::close);
        assertThat(filter.destroyed).containsExactly(3);
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void connection_ofAnEndedPeer_isNotHeldForEver(final LockStrategy strategy) {
        final Setting s = setting(strategy);
        final Socket head = s.listener(5);
        set(head, new AcceptFilterArg("counting", "3"));
        final Socket c = client(s);
        assertThat(c.shutdown(SocketDefs.SHUT_WR)).isEqualTo(Errno.OK);
        final Socket child = accepted(head);
        assertThat(Setting.receive(child, 10, 0)).isEmpty();
        List.of(child, c, head).forEach(Socket::close);
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void filter_takenAway_letsGoWhoAreHeld(final LockStrategy strategy) {
        final Setting s = setting(strategy);
        final Socket head = s.listener(5);
        set(head, new AcceptFilterArg("counting", "3"));
        final Socket before = client(s);
        assertThat(accepted(head)).isNull();
        assertThat(set(head, strategy == LockStrategy.SPLIT ? null : AcceptFilterArg.of(""))).isEqualTo(Errno.OK);
        assertThat(filter.destroyed).containsExactly(3);
        final Socket one = accepted(head);
        final Socket after = client(s);
        final Socket two = accepted(head);
        assertThat(one).isNotNull();
        assertThat(two).isNotNull();
        List.of(one, two, before, after, head).forEach(Socket::close);
        assertThat(filter.destroyed).hasSize(1);
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void listener_closedWithConnectionsHeld_endsThem(final LockStrategy strategy) {
        final Setting s = setting(strategy);
        final Socket head = s.listener(5);
        set(head, new AcceptFilterArg("counting", "3"));
        final Socket c = client(s);
        head.close();
        s.vnet.netisr().swi();
        assertThat(filter.destroyed).containsExactly(3);
        c.close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void held_moreThanTheBacklog_theOldestIsEnded(final LockStrategy strategy) {
        final Setting s = setting(strategy);
        final Socket head = s.listener(2);
        set(head, new AcceptFilterArg("counting", "1"));
        final List<Socket> clients = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            clients.add(client(s));
        }
        clients.forEach(c -> Setting.send(c, new byte[1], 0));
        int n = 0;
        for (Socket child = accepted(head); child != null; child = accepted(head)) {
            n++;
            child.close();
        }
        assertThat(n).isEqualTo(3);
        clients.forEach(Socket::close);
        head.close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void option_misused_isRefused(final LockStrategy strategy) {
        final Setting s = setting(strategy);
        final Socket head = s.listener(5);
        final Socket plain = s.socket(SocketDefs.SOCK_STREAM);
        final AcceptFilterArg three = new AcceptFilterArg("counting", "3");
        final SockOpt get = SockOpt.get(SOL_SOCKET, SO_ACCEPTFILTER);
        assertThat(head.getOpt(get)).isEqualTo(Errno.EINVAL);
        assertThat(set(plain, three)).isEqualTo(Errno.EINVAL);
        assertThat(set(head, AcceptFilterArg.of("nonsense"))).isEqualTo(Errno.ENOENT);
        assertThat(set(head, new AcceptFilterArg("counting", "many"))).isEqualTo(Errno.EINVAL);
        assertThat(set(head, "counting")).isEqualTo(Errno.EINVAL);
        assertThat(set(head, null)).isEqualTo(Errno.OK);
        assertThat(set(head, three)).isEqualTo(Errno.OK);
        assertThat(set(head, three)).isEqualTo(Errno.EBUSY);
        assertThat(head.getOpt(get)).isEqualTo(Errno.OK);
        assertThat(get.object()).isEqualTo(three);
        final AcceptFilters all = s.vnet.sockets().acceptFilters();
        assertThat(all.add(filter)).isEqualTo(Errno.EEXIST);
        assertThat(all.del("counting")).isEqualTo(Errno.OK);
        assertThat(all.del("counting")).isEqualTo(Errno.ENOENT);
        plain.close();
        head.close();
        assertThat(filter.destroyed).containsExactly(3);
        s.checkWhole();
    }
}
