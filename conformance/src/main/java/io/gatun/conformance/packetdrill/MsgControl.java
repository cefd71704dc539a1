package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Values.DrillException;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.Cmsg;
import io.gatun.spi.socket.InDefs;
import java.util.List;

/**
 * Control messages that are numbers, of sendmsg and recvmsg: {@code msg_control=[{cmsg_level=IPPROTO_IP,
 * cmsg_type=IP_TTL, cmsg_data=3}]}.
 */
final class MsgControl {
    private MsgControl() {
    }

    /** Those of a msghdr; null when it says nothing of them. */
    static List<Expr> of(final Expr msg) throws DrillException {
        final Expr e = msg instanceof Expr.Struct s ? s.members().get("msg_control") : null;
        if (e == null || e.isEllipsis()) {
            return null;
        }
        if (e instanceof Expr.Array a) {
            return a.items();
        }
        throw new DrillException("msg_control is no array of control messages: " + e);
    }

    /** A chain of them; null for none. */
    static Mbuf make(final MbufPool pool, final List<Expr> messages) throws DrillException {
        Mbuf chain = null;
        for (final Expr e : messages == null ? List.<Expr>of() : messages) {
            final int level = (int) Values.number(Values.member(e, "cmsg_level", 0));
            final int type = (int) Values.number(Values.member(e, "cmsg_type", 1));
            final int data = (int) Values.number(Values.member(e, "cmsg_data", 2));
            final boolean octet = level == InDefs.IPPROTO_IP && (type == InDefs.IP_TOS || type == InDefs.IP_TTL);
            chain = octet ? Cmsg.addOctet(pool, chain, level, type, data)
                : Cmsg.addInt(pool, chain, level, type, data);
        }
        return chain;
    }

    /** Null when a chain is what was expected, else what differs. Consumes chain. */
    static String compare(final Mbuf chain, final List<Expr> expected) throws DrillException {
        try {
            int n = 0;
            for (Mbuf m = chain; m != null; m = m.next()) {
                for (int at = 0; Cmsg.check(m, at); at = Cmsg.next(m, at)) {
                    final String seen = shown(m, at);
                    final String want = n < expected.size() ? shown(expected.get(n)) : "none";
                    if (!want.equals(seen)) {
                        return "control message " + (n + 1) + ": expected " + want + ", seen " + seen;
                    }
                    n++;
                }
            }
            return n == expected.size() ? null
                : "control message " + (n + 1) + ": expected " + shown(expected.get(n)) + ", seen none";
        } finally {
            if (chain != null) {
                chain.freeChain();
            }
        }
    }

    private static String shown(final Expr e) throws DrillException {
        return text(Values.number(Values.member(e, "cmsg_level", 0)), Values.number(Values.member(e, "cmsg_type", 1)),
            Integer.toString((int) Values.number(Values.member(e, "cmsg_data", 2))));
    }

    private static String shown(final Mbuf m, final int at) {
        final int length = Cmsg.length(m, at);
        final String data = length == 1 ? Integer.toString(m.getU8(Cmsg.data(at)))
            : length == Integer.BYTES ? Integer.toString(m.getInt(Cmsg.data(at))) : length + " octets";
        return text(Cmsg.level(m, at), Cmsg.type(m, at), data);
    }

    private static String text(final long level, final long type, final String data) {
        return "level " + level + " type " + type + " data " + data;
    }
}
