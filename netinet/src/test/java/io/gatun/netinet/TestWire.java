package io.gatun.netinet;

import io.gatun.netinet.ether.EtherHeader;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.VnetSide;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;

/** An Ethernet whose other end is the test: what is sent is kept as octets, what the test writes is received. */
public final class TestWire {
    public final Ifnet ifp;
    public final Deque<byte[]> sent = new ArrayDeque<>();
    /** What transmit answers; anything but OK drops the frame. */
    public Errno outcome = Errno.OK;
    /** Whether frames are kept; else they are freed, without garbage. */
    public boolean keep = true;
    public long frames;

    public TestWire(VnetSide vnet, int unit, int flags, int caps) {
        ifp = Ifnet.alloc(vnet, Ifnet.IFT_ETHER, "wire", unit, this);
        ifp.setFlagBits(Ifnet.IFF_BROADCAST | Ifnet.IFF_SIMPLEX | Ifnet.IFF_MULTICAST | flags, 0);
        ifp.setLladdr(EtherHeader.octets(mac(unit)));
        ifp.setCapabilities(caps);
        ifp.setTransmitFn((i, m) -> transmit(m));
        ifp.setQflushFn(i -> { });
        ifp.setIoctlFn((i, r) -> r instanceof IfReq.DriverSpecific ? Errno.EOPNOTSUPP : Errno.OK);
    }

    public static long mac(int unit) {
        return 0x020000000000L | unit;
    }

    private Errno transmit(Mbuf m) {
        frames++;
        if (keep && outcome == Errno.OK) {
            m.sanity();
            byte[] b = new byte[m.pktLen()];
            m.copyData(0, b.length, b, 0);
            sent.add(b);
        }
        m.freeChain();
        return outcome;
    }

    /** Receives a frame given as octets, in one mbuf chain as a driver would make. */
    public void receive(byte[] frame) {
        Mbuf m = ifp.vnet().pool().devget(MemorySegment.ofArray(frame), 0, frame.length, ifp);
        ifp.input(m);
        ifp.vnet().netisr().swi();
    }

    /** Receives an IPv4 packet sent to this interface by {@code from}. */
    public void receiveIp(long from, byte[] packet) {
        receive(Packets.ether(EtherHeader.addr(ifp.lladdr()), from, EtherHeader.ETHERTYPE_IP, packet));
    }

    /** The next frame sent, or null. */
    public byte[] next() {
        return sent.poll();
    }

    /** The next frame sent that is no ARP, without its Ethernet header; null when there is none. */
    public byte[] nextIp() {
        byte[] f = sent.poll();
        while (f != null && Packets.u16(f, 12) != EtherHeader.ETHERTYPE_IP) {
            f = sent.poll();
        }
        return f == null ? null : java.util.Arrays.copyOfRange(f, 14, f.length);
    }
}
