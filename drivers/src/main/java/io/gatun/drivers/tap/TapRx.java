package io.gatun.drivers.tap;

import io.gatun.drivers.linux.IoVec;
import io.gatun.drivers.linux.Linux;
import io.gatun.drivers.linux.TapDevice;
import io.gatun.drivers.linux.TapOptions;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The receiving half: reads frames straight into clusters. Empty mbufs of growing size stand ready for the longest
 * frame there can be; a frame takes those it filled, and only they are replaced.
 *
 * <p>Locking key: (o) the one thread that reads: the agent, or whoever polls; after it has ended, who destroys.
 */
final class TapRx {
    private static final int ETHER_HDR_LEN = 14;
    private static final int VLAN_ENCAP_LEN = 4;
    /** So that the network header is aligned to 4 octets. */
    private static final int ETHER_ALIGN = 2;
    private static final int IP_MAXPACKET = 65_535;
    private static final int[] SIZES =
        {Mbuf.MCLBYTES, Mbuf.MJUMPAGESIZE, Mbuf.MJUM9BYTES, Mbuf.MJUM16BYTES};
    /** Enough for 64 KiB in the smallest clusters, when the large ones are used up. */
    private static final int MAX_SLOTS = 40;
    /** More than this is not held back for the rest of a batch: the mbufs are needed. */
    private static final int MOST_HELD = 64 * 1024;

    private final Ifnet ifp;
    private final TapDevice device;
    private final boolean offload;
    private final MemorySegment hdr = Arena.ofAuto().allocate(TapOptions.VNET_HDR, Long.BYTES);
    private final MemorySegment waste = Arena.ofAuto().allocate(Mbuf.MSIZE, Long.BYTES);
    private final IoVec iov = new IoVec(1 + MAX_SLOTS);
    private final Mbuf[] slots = new Mbuf[MAX_SLOTS]; // (o) empty, the first with a packet header
    private int ready;                                // (o) slots in iov; 0 when it has to be filled anew
    private int room;                                 // (o) octets of frame they take
    private Mbuf head;                                // (o) frames of the present batch
    private Mbuf tail;                                // (o)
    private int held;                                 // (o) their octets

    TapRx(final Ifnet ifp, final TapDevice device, final boolean offload) {
        this.ifp = ifp;
        this.device = device;
        this.offload = offload;
    }

    /**
     * Takes up to {@code budget} frames and hands them up. No lock is held. The caller runs the netisr afterwards.
     *
     * @return frames taken, dropped ones included; negative when the device is gone
     */
    int batch(final int budget) {
        int frames = 0;
        int n = 0;
        while (frames < budget && n >= 0) {
            n = one();
            if (n >= 0) {
                frames++;
            }
        }
        handUp();
        return frames == 0 && n < 0 && n != -Linux.EAGAIN() ? n : frames;
    }

    private void handUp() {
        final Mbuf all = head;
        if (all != null) {
            head = null;
            tail = null;
            held = 0;
            ifp.input(all);
        }
    }

    /** Reads one frame; its octets with the header, or a negative errno of Linux. */
    private int one() {
        final int longest = offload ? IP_MAXPACKET : ifp.mtu();
        if (!prepare(longest + ETHER_HDR_LEN + VLAN_ENCAP_LEN)) {
            return wasted();
        }
        final int n = device.readv(iov);
        if (n >= 0) {
            arrived(n - (offload ? TapOptions.VNET_HDR : 0));
        }
        return n;
    }

    /** Has mbufs in {@code iov} for {@code octets} and one more, which tells a longer frame. False if out of mbufs. */
    private boolean prepare(final int octets) {
        if (ready > 0 && room > octets) {
            return true;
        }
        iov.clear();
        ready = 0;
        room = 0;
        if (offload) {
            iov.add(hdr, 0, TapOptions.VNET_HDR);
        }
        int i = 0;
        while (room <= octets && i < MAX_SLOTS) {
            if (slots[i] == null) {
                slots[i] = empty(i);
                if (slots[i] == null) {
                    return false;
                }
            }
            final Mbuf m = slots[i];
            final int size = m.trailingSpace();
            iov.add(m.seg(), m.data(), size);
            room += size;
            i++;
        }
        ready = i;
        return true;
    }

    private Mbuf empty(final int slot) {
        final int size = SIZES[Math.min(slot, SIZES.length - 1)];
        final int flags = slot == 0 ? Mbuf.M_PKTHDR : 0;
        Mbuf m = ifp.vnet().pool().getjcl(Mbuf.MT_DATA, flags, size);
        if (m == null && size != Mbuf.MCLBYTES) {
            m = ifp.vnet().pool().getcl(Mbuf.MT_DATA, flags);
        }
        if (m != null && slot == 0) {
            m.data(m.data() + ETHER_ALIGN);
        }
        return m;
    }

    /** Out of mbufs: takes the frame off the device all the same, and drops it. */
    private int wasted() {
        final int n = device.read(waste, 0, (int) waste.byteSize());
        if (n >= 0) {
            ifp.count(IfCounter.IQDROPS, 1);
            ifp.vnet().drop(null, DropReason.MBUF_NOMEM);
        }
        return n;
    }

    private void arrived(final int octets) {
        if (octets < ETHER_HDR_LEN) {
            ifp.count(IfCounter.IERRORS, 1);
            ifp.vnet().drop(null, DropReason.IF_TOOSHORT);
            return;
        }
        final int gso = offload ? VnetHdr.gsoType(hdr) : 0;
        if (octets >= room || gso == 0 && octets > ifp.mtu() + ETHER_HDR_LEN + VLAN_ENCAP_LEN) {
            ifp.count(IfCounter.IERRORS, 1);
            ifp.vnet().drop(null, DropReason.IF_TOOBIG);
            return;
        }
        final Mbuf m = take(octets);
        m.rcvif(ifp);
        if (offload && !VnetHdr.decode(hdr, m)) {
            ifp.count(IfCounter.IERRORS, 1);
            ifp.vnet().drop(m, DropReason.IF_ERROR);
            return;
        }
        ifp.count(IfCounter.IPACKETS, 1);
        ifp.count(IfCounter.IBYTES, octets);
        if (tail == null) {
            head = m;
        } else {
            tail.nextPkt(m);
        }
        tail = m;
        held += octets;
        if (held >= MOST_HELD) {
            handUp();
        }
    }

    /** Makes a packet of the slots that {@code octets} fill. */
    private Mbuf take(final int octets) {
        final Mbuf head = slots[0];
        Mbuf last = null;
        int left = octets;
        for (int i = 0; left > 0; i++) {
            final Mbuf m = slots[i];
            slots[i] = null;
            m.len(Math.min(left, m.trailingSpace()));
            left -= m.len();
            if (last != null) {
                last.next(m);
            }
            last = m;
        }
        head.pktLen(octets);
        ready = 0;
        return head;
    }

    /** Frees what stood ready. The reader has ended. */
    void free() {
        iov.clear();
        ready = 0;
        for (int i = 0; i < MAX_SLOTS; i++) {
            if (slots[i] != null) {
                slots[i].freeChain();
                slots[i] = null;
            }
        }
    }
}
