package io.gatun.conformance.driver;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;

/** The frames that the kit sends: each can be told from all others, and from those that are not the kit's. */
public final class KitFrames {
    /** Octets of the shortest network-layer packet of the kit: no Ethernet pads it. */
    public static final int MIN_PACKET = 46;

    private static final int ETHER_HDR_LEN = 14;
    private static final int TYPE_OFF = 12;
    /** For local experiments. */
    private static final short ETHERTYPE_EXPERIMENT = (short) 0x88b5;
    private static final short ETHERTYPE_IP = 0x0800;
    private static final byte[] PEER_MAC = {0x02, 'k', 'i', 't', 0, 1};
    private static final int MARK = 0x4b69_7421;
    private static final int MARK_OFF = 12;
    private static final int IP_VHL = 0x45;
    private static final int IP_HDR = 20;
    private static final int TCP_HDR = 20;
    private static final int IPPROTO_TCP = 6;
    private static final int TTL = 64;
    private static final byte TCP_HLEN = 0x50;
    private static final byte TH_ACK = 0x10;
    private static final int U16 = 0xffff;

    private KitFrames() {
    }

    /** The link address that frames to the interface come from. */
    public static byte[] peerMac() {
        return PEER_MAC.clone();
    }

    /** A frame to the interface. */
    public static byte[] to(final Ifnet ifp, final int number, final int packetOctets) {
        return frame(ifp, ifp.lladdr(), PEER_MAC, number, packetOctets);
    }

    /** A frame from the interface. */
    public static byte[] from(final Ifnet ifp, final int number, final int packetOctets) {
        return frame(ifp, PEER_MAC, ifp.lladdr(), number, packetOctets);
    }

    private static byte[] frame(
            final Ifnet ifp, final byte[] dst, final byte[] src, final int number, final int packetOctets) {
        final int hdr = ifp.hdrlen();
        final byte[] out = new byte[hdr + packetOctets];
        for (int i = 0; i < packetOctets; i++) {
            out[hdr + i] = (byte) (number * 31 + i);
        }
        final ByteBuffer b = ByteBuffer.wrap(out);
        if (hdr == ETHER_HDR_LEN) {
            b.put(dst).put(src).putShort(ETHERTYPE_EXPERIMENT);
        }
        ipHeader(b, hdr, packetOctets);
        b.putInt(hdr + MARK_OFF, MARK).putInt(hdr + MARK_OFF + Integer.BYTES, number);
        return out;
    }

    private static void ipHeader(final ByteBuffer b, final int at, final int octets) {
        b.put(at, (byte) IP_VHL).put(at + 1, (byte) 0).putShort(at + 2, (short) octets).putInt(at + 4, 0);
        b.put(at + 8, (byte) TTL).put(at + 9, (byte) IPPROTO_TCP).putShort(at + 10, (short) 0);
    }

    /** Whether a frame, with its link header of {@code hdrlen} octets, is the kit's. */
    public static boolean isKit(final byte[] frame, final int hdrlen) {
        return frame.length >= hdrlen + MIN_PACKET && ByteBuffer.wrap(frame).getInt(hdrlen + MARK_OFF) == MARK;
    }

    /** The number a frame of the kit was made with. */
    public static int number(final byte[] frame, final int hdrlen) {
        return ByteBuffer.wrap(frame).getInt(hdrlen + MARK_OFF + Integer.BYTES);
    }

    /** A packet of these octets, in as few mbufs as it takes; null when out of mbufs. */
    public static Mbuf mbuf(final MbufPool pool, final byte[] octets) {
        final Mbuf m = pool.gethdr(Mbuf.MT_DATA);
        if (m == null || m.append(octets, 0, octets.length)) {
            if (m != null) {
                m.pktLen(octets.length);
            }
            return m;
        }
        m.freeChain();
        return null;
    }

    /** A packet of these octets in pieces of random length up to {@code most}, some of them empty; null likewise. */
    public static Mbuf pieces(final MbufPool pool, final byte[] octets, final int most, final SplittableRandom random) {
        final Mbuf head = pool.gethdr(Mbuf.MT_DATA);
        Mbuf last = head;
        int done = 0;
        while (last != null && done < octets.length) {
            final int n = Math.min(octets.length - done, random.nextInt(most + 1));
            for (int i = 0; i < n; i++) {
                last.len(i + 1);
                last.put8(i, octets[done + i]);
            }
            done += n;
            if (done < octets.length) {
                last.next(pool.get(Mbuf.MT_DATA));
                last = last.next();
            }
        }
        if (head != null && last == null) {
            head.freeChain();
            return null;
        }
        if (head != null) {
            head.pktLen(octets.length);
        }
        return head;
    }

    /** A TCP super-segment from the interface that asks the device to cut it into segments of {@code segsz}. */
    public static Mbuf superSegment(final Ifnet ifp, final int packetOctets, final int segsz) {
        final byte[] out = from(ifp, 0, packetOctets);
        final int ip = ifp.hdrlen();
        final ByteBuffer b = ByteBuffer.wrap(out);
        if (ip == ETHER_HDR_LEN) {
            b.putShort(TYPE_OFF, ETHERTYPE_IP);
        }
        final int tcp = ip + IP_HDR;
        b.putShort(tcp, (short) 5001).putShort(tcp + 2, (short) 5002).putInt(tcp + 4, 1).putInt(tcp + 8, 1);
        b.put(tcp + 12, TCP_HLEN).put(tcp + 13, TH_ACK).putShort(tcp + 14, (short) U16).putShort(tcp + 18, (short) 0);
        final int tcpOctets = packetOctets - IP_HDR;
        b.putShort(tcp + 16, (short) sum(out, ip + MARK_OFF, 2 * Integer.BYTES, IPPROTO_TCP + tcpOctets));
        b.putShort(ip + 10, (short) ~sum(out, ip, IP_HDR, 0));
        final Mbuf m = mbuf(ifp.vnet().pool(), out);
        if (m != null) {
            m.csumFlags(Csum.CSUM_IP_TCP | Csum.CSUM_IP_TSO);
            m.csumData(16);
            m.tsoSegsz(segsz);
        }
        return m;
    }

    /** The payload of a TCP packet in a frame. */
    public static byte[] tcpPayload(final byte[] frame, final int hdrlen) {
        return Arrays.copyOfRange(frame, hdrlen + IP_HDR + TCP_HDR, frame.length);
    }

    private static int sum(final byte[] octets, final int off, final int n, final int initial) {
        int sum = initial;
        for (int i = off; i < off + n; i += 2) {
            sum += (octets[i] & 0xff) << Byte.SIZE | octets[i + 1] & 0xff;
        }
        sum = (sum >>> Short.SIZE) + (sum & U16);
        return (sum >>> Short.SIZE) + sum & U16;
    }
}
