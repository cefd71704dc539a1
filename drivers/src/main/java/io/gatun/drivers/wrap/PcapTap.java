package io.gatun.drivers.wrap;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.ifnet.BpfTap;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Records the packets of an interface as a pcap file (nanosecond form) that tcpdump and Wireshark read. Set it with
 * {@code ifp.setBpf}. The times are those of the vnet's clock, so a deterministic run gives the same file, octet for
 * octet.
 *
 * <pre>
 *  file header, 24 octets: magic a1b23c4d, version 2.4, zone 0, accuracy 0, snap length, link type
 *  each packet, 16 octets: seconds, nanoseconds, octets here, octets on the wire; then the octets
 * </pre>
 */
public final class PcapTap implements BpfTap, AutoCloseable {
    private static final int MAGIC_NS = 0xa1b23c4d;
    private static final short VERSION_MAJOR = 2;
    private static final short VERSION_MINOR = 4;
    private static final int SNAPLEN = 262_144;
    private static final int LINKTYPE_ETHERNET = 1;
    private static final int LINKTYPE_RAW = 101;
    private static final int FILE_HEADER = 24;
    private static final int RECORD_HEADER = 16;
    private static final long NS_PER_S = 1_000_000_000L;

    private final Object lock = new Object();
    private final OutputStream out;
    @GuardedBy("lock")
    private byte[] octets = new byte[2048];
    @GuardedBy("lock")
    private IOException failure;

    /** @param out takes the file; written packet by packet, so hand in a buffered one */
    public PcapTap(final OutputStream out, final Ifnet ifp) throws IOException {
        this.out = out;
        final ByteBuffer b = ByteBuffer.allocate(FILE_HEADER).order(ByteOrder.LITTLE_ENDIAN);
        b.putInt(MAGIC_NS).putShort(VERSION_MAJOR).putShort(VERSION_MINOR).putInt(0).putInt(0).putInt(SNAPLEN);
        b.putInt(ifp.type() == Ifnet.IFT_LOOP || ifp.type() == Ifnet.IFT_TUNNEL ? LINKTYPE_RAW : LINKTYPE_ETHERNET);
        out.write(b.array());
    }

    /** Writes one packet. An I/O error ends the recording; {@link #close} reports it. */
    @Override
    public void mtap(final Ifnet ifp, final Mbuf m, final boolean outbound) {
        final long nowNs = ifp.vnet().clock().nanoTime();
        synchronized (lock) {
            if (failure != null) {
                return;
            }
            final int length = Math.min(m.pktLen(), SNAPLEN);
            if (octets.length < RECORD_HEADER + length) {
                octets = new byte[RECORD_HEADER + length];
            }
            final ByteBuffer b = ByteBuffer.wrap(octets).order(ByteOrder.LITTLE_ENDIAN);
            b.putInt((int) (nowNs / NS_PER_S)).putInt((int) (nowNs % NS_PER_S)).putInt(length).putInt(m.pktLen());
            m.copyData(0, length, octets, RECORD_HEADER);
            try {
                out.write(octets, 0, RECORD_HEADER + length);
            } catch (final IOException e) {
                failure = e;
            }
        }
    }

    /** Flushes and closes the file; throws what went wrong while recording. */
    @Override
    public void close() throws IOException {
        synchronized (lock) {
            out.close();
            if (failure != null) {
                throw failure;
            }
        }
    }
}
