package io.gatun.netinet.pcb;

/**
 * Listeners of one address and port that share the load: a flow always meets the same member while the group stays as
 * it is. Immutable; a change makes a new one.
 *
 * @bsd struct inpcblbgroup
 */
final class LbGroup {
    final int family;
    final long lhi;
    final long llo;
    /** IPv6 blocks bound to any address, which take IPv4 packets too. */
    final boolean dual;
    private final Inpcb[] members;

    LbGroup(final PcbNode first) {
        family = first.family();
        lhi = first.lhi;
        llo = first.llo;
        dual = first.dual();
        members = new Inpcb[] {first.inp};
    }

    private LbGroup(final LbGroup like, final Inpcb[] members) {
        family = like.family;
        lhi = like.lhi;
        llo = like.llo;
        dual = like.dual;
        this.members = members;
    }

    /** Whether a block belongs into it. */
    boolean holds(final PcbNode n) {
        return localIs(n.family(), n.lhi, n.llo) && dual == n.dual();
    }

    boolean localIs(final int af, final long hi, final long lo) {
        return llo == lo && lhi == hi && family == af;
    }

    /** The member for a flow: its hash scaled to the size of the group. */
    Inpcb select(final long flowHash) {
        return members[(int) ((flowHash & 0xffff_ffffL) * members.length >>> 32)];
    }

    LbGroup with(final Inpcb inp) {
        final Inpcb[] more = java.util.Arrays.copyOf(members, members.length + 1);
        more[members.length] = inp;
        return new LbGroup(this, more);
    }

    /** Without one member; null when none is left. */
    LbGroup without(final Inpcb inp) {
        int at = 0;
        while (at < members.length && members[at] != inp) {
            at++;
        }
        if (at == members.length) {
            return this;
        }
        if (members.length == 1) {
            return null;
        }
        final Inpcb[] less = new Inpcb[members.length - 1];
        System.arraycopy(members, 0, less, 0, at);
        System.arraycopy(members, at + 1, less, at, less.length - at);
        return new LbGroup(this, less);
    }
}
