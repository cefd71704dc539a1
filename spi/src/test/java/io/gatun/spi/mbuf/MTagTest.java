package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class MTagTest extends MbufTestBase {
    private static final int COOKIE = 0x1234;

    private int made;
    private int freed;
    private int copies = Integer.MAX_VALUE;

    private final class Tag extends MTag {
        Tag(int type) {
            super(COOKIE, type);
            made++;
        }

        @Override
        protected MTag copy() {
            return copies-- > 0 ? new Tag(type()) : null;
        }

        @Override
        protected void free() {
            freed++;
        }
    }

    private Mbuf tagged(int... types) {
        Mbuf m = chain(10);
        for (int i = types.length - 1; i >= 0; i--) {
            m.tagPrepend(new Tag(types[i]));
        }
        return m;
    }

    private static String types(Mbuf m) {
        StringBuilder sb = new StringBuilder();
        for (MTag t = m.tagFirst(); t != null; t = t.nextTag()) {
            sb.append(t.type()).append(' ');
        }
        return sb.toString().trim();
    }

    @Test
    void locate_byCookieAndType_firstMatch() {
        Mbuf m = tagged(1, 2, 3, 2);
        assertThat(m.tagLocate(COOKIE, 2)).isSameAs(m.tagFirst().nextTag());
        assertThat(m.tagLocate(COOKIE, 4)).isNull();
        assertThat(m.tagLocate(COOKIE + 1, 2)).isNull();
        m.free();
        assertThat(freed).isEqualTo(4);
    }

    @Test
    void unlinkAndDelete_anyPlace_othersStay() {
        Mbuf m = tagged(1, 2, 3);
        MTag two = m.tagLocate(COOKIE, 2);
        m.tagUnlink(two);
        assertThat(types(m)).isEqualTo("1 3");
        assertThat(freed).isZero();
        assertThatThrownBy(() -> m.tagUnlink(two)).isInstanceOf(IllegalStateException.class);
        m.tagDelete(m.tagFirst());
        assertThat(types(m)).isEqualTo("3");
        assertThat(freed).isEqualTo(1);
        m.tagDeleteChain();
        assertThat(freed).isEqualTo(2);
        m.free();
        assertThat(freed).isEqualTo(2);
    }

    @Test
    void deleteNonpersistent_keepsTheOthers() {
        Mbuf m = tagged(1, 2 | MTag.MTAG_PERSISTENT, 3);
        m.tagDeleteNonpersistent();
        assertThat(types(m)).isEqualTo(Integer.toString(2 | MTag.MTAG_PERSISTENT));
        m.free();
        assertThat(freed).isEqualTo(3);
    }

    @Test
    void copyM_wholePacket_copiesTagsInOrder() {
        Mbuf m = tagged(1, 2, 3);
        Mbuf c = m.copyM(0, Mbuf.M_COPYALL);
        assertThat(types(c)).isEqualTo("1 2 3");
        assertThat(c.tagFirst()).isNotSameAs(m.tagFirst());
        c.free();
        m.free();
        assertThat(freed).isEqualTo(made);
    }

    @Test
    void copies_tagCannotBeCopied_nothingLost() {
        Mbuf m = tagged(1, 2, 3);
        copies = 2;
        assertThat(m.copyM(0, Mbuf.M_COPYALL)).isNull();
        assertThat(freed).isEqualTo(2);
        copies = 1;
        assertThat(m.dup()).isNull();
        copies = 0;
        Mbuf to = pool.get(MT_DATA);
        assertThat(to.dupHdrFrom(m)).isFalse();
        assertThat(to.has(Mbuf.M_PKTHDR)).isFalse();
        to.free();
        assertThat(types(m)).isEqualTo("1 2 3");
        m.free();
        assertThat(freed).isEqualTo(made);
    }

    @Test
    void headerMoves_tagsGoAlong() {
        Mbuf m = tagged(1, 2).prepend(100);
        assertThat(types(m)).isEqualTo("1 2");
        m = m.pullup(110);
        assertThat(types(m)).isEqualTo("1 2");
        assertThat(freed).isZero();
        m.freeChain();
        assertThat(freed).isEqualTo(2);
    }

    @Test
    void chainWithTaggedHead_freed_tagsAndAllMbufsGo() {
        Mbuf m = tagged(1);
        m.last().next(chain(5));
        m.next().demote(true, 0);
        m.freeChain();
        assertThat(freed).isEqualTo(1);
    }
}
