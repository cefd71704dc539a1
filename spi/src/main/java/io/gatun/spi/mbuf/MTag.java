package io.gatun.spi.mbuf;

/**
 * A remark attached to a packet header: a cookie that names who defines the tag, a type that is the definer's
 * business, and whatever fields the subclass adds. Tags are looked up by {@link Mbuf#tagLocate}.
 *
 * <p>A tag belongs to one packet at a time. It is released by the packet's {@code free}, or by {@link Mbuf#tagDelete}.
 *
 * @bsd m_tag
 */
public abstract class MTag {
    /** Cookie of the tag types listed here. */
    public static final int MTAG_ABI_COMPAT = 0;
    /** Type bit: the tag survives {@link Mbuf#tagDeleteNonpersistent}. */
    public static final int MTAG_PERSISTENT = 0x800;
    public static final int PACKET_TAG_NONE = 0;
    public static final int PACKET_TAG_DIVERT = 17;
    public static final int PACKET_TAG_IPFORWARD = 18;
    public static final int PACKET_TAG_MACLABEL = 19 | MTAG_PERSISTENT;
    public static final int PACKET_TAG_PF = 21 | MTAG_PERSISTENT;
    public static final int PACKET_TAG_IPOPTIONS = 27;
    public static final int PACKET_TAG_CARP = 28;

    MTag next;
    private final int cookie;
    private final int type;

    /** A tag of no packet yet. @bsd m_tag_alloc */
    protected MTag(int cookie, int type) {
        this.cookie = cookie;
        this.type = type;
    }

    public final int cookie() {
        return cookie;
    }

    public final int type() {
        return type;
    }

    /** Following tag of the same packet, or null. @bsd m_tag_next */
    public final MTag nextTag() {
        return next;
    }

    /** An equal tag of no packet, or null when there is no memory for it. @bsd m_tag_copy */
    protected abstract MTag copy();

    /** Called once when the tag is dropped with or from its packet; a pooled tag goes back here. @bsd m_tag_free */
    protected void free() {
    }
}
