package io.gatun.spi.mbuf;

/** Lists of packet tags. */
final class MbufTags {
    private MbufTags() {
    }

    static MTag locate(MTag from, int cookie, int type) {
        MTag t = from;
        while (t != null && (t.cookie() != cookie || t.type() != type)) {
            t = t.next;
        }
        return t;
    }

    @SuppressWarnings("ReferenceEquality") // this tag, not one like it
    static void unlink(Pkthdr m, MTag t) {
        if (m.tags == t) {
            m.tags = t.next;
        } else {
            MTag p = m.tags;
            while (p != null && p.next != t) {
                p = p.next;
            }
            if (p == null) {
                throw new IllegalStateException("tag " + t.type() + " is not of " + m.describe());
            }
            p.next = t.next;
        }
        t.next = null;
    }

    static void deleteChain(Pkthdr m) {
        MTag t = m.tags;
        m.tags = null;
        while (t != null) {
            MTag n = t.next;
            t.next = null;
            t.free();
            t = n;
        }
    }

    static void deleteNonpersistent(Pkthdr m) {
        MTag t = m.tags;
        while (t != null) {
            MTag n = t.next;
            if ((t.type() & MTag.MTAG_PERSISTENT) == 0) {
                m.tagDelete(t);
            }
            t = n;
        }
    }

    /**
     * Gives {@code to}, which has none, copies of all tags in the same order. False, with none, when a copy failed.
     *
     * @bsd m_tag_copy_chain
     */
    static boolean copyChain(Pkthdr to, Pkthdr from) {
        MTag tail = null;
        for (MTag t = from.tags; t != null; t = t.next) {
            MTag c = t.copy();
            if (c == null) {
                deleteChain(to);
                return false;
            }
            if (tail == null) {
                to.tags = c;
            } else {
                tail.next = c;
            }
            tail = c;
        }
        return true;
    }
}
