package io.gatun.netinet.ip;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class InCksumTest {
    private final MbufPool pool = MbufPool.builder().small().threads(1).build();

    @Property(tries = 3000)
    void randomChain_anyPart_equalsOctetByOctet(@ForAll long seed, @ForAll @IntRange(max = 6) int pieces) {
        Random r = new Random(seed);
        byte[] all = new byte[0];
        Mbuf head = pool.gethdr(Mbuf.MT_DATA);
        Mbuf tail = head;
        for (int i = 0; i <= pieces; i++) {
            byte[] b = new byte[r.nextInt(5) == 0 ? 0 : r.nextInt(300)];
            r.nextBytes(b);
            if (r.nextInt(4) == 0) {
                java.util.Arrays.fill(b, (byte) 0xff);
            }
            Mbuf m = pool.getcl(Mbuf.MT_DATA, 0);
            m.data(m.data() + r.nextInt(9));
            m.len(b.length);
            for (int k = 0; k < b.length; k++) {
                m.put8(k, b[k]);
            }
            tail.next(m);
            tail = m;
            byte[] more = java.util.Arrays.copyOf(all, all.length + b.length);
            System.arraycopy(b, 0, more, all.length, b.length);
            all = more;
        }
        head.fixHdr();
        int skip = all.length == 0 ? 0 : r.nextInt(all.length + 1);
        int len = skip + (all.length == skip ? 0 : r.nextInt(all.length - skip + 1));
        assertThat(InCksum.cksumSkip(head, len, skip)).isEqualTo(Packets.cksum(all, skip, len - skip));
        assertThat(InCksum.cksum(head, all.length)).isEqualTo(Packets.cksum(all, 0, all.length));
        head.freeChain();
        assertThat(pool.outstanding()).isZero();
    }

    @Property(tries = 2000)
    void changedWord_update_equalsNewSum(@ForAll long seed) {
        Random r = new Random(seed);
        byte[] b = new byte[40];
        r.nextBytes(b);
        int before = Packets.cksum(b, 0, b.length);
        int at = r.nextInt(19) * 2;
        int old = Packets.i32(b, at);
        int now = r.nextInt();
        Packets.put(b, at, now & 0xffffffffL, 4);
        int after = Packets.cksum(b, 0, b.length);
        assertThat(InCksum.updateInt(before, old, now)).isEqualTo(after);
    }

    @Property(tries = 500)
    void header_anyLength_verifiesAsZero(@ForAll long seed, @ForAll @IntRange(max = 10) int words) {
        byte[] ip = Packets.withOptions(Packets.ip((int) seed, (int) (seed >>> 32), 6, 7, 0, new byte[0]),
            new byte[words * 4]);
        Mbuf m = pool.gethdr(Mbuf.MT_DATA);
        assertThat(m.copyBack(0, ip.length, ip, 0)).isTrue();
        assertThat(InCksum.hdr(m, ip.length)).isZero();
        m.put8(9, m.getU8(9) ^ 1);
        assertThat(InCksum.hdr(m, ip.length)).isNotZero();
        m.freeChain();
    }

    @Property(tries = 500)
    void pseudoHeader_equalsOctetByOctet(@ForAll int src, @ForAll int dst, @ForAll @IntRange(max = 65_515) int len) {
        byte[] b = new byte[12];
        Packets.put(b, 0, src & 0xffffffffL, 4);
        Packets.put(b, 4, dst & 0xffffffffL, 4);
        b[9] = 17;
        Packets.put(b, 10, len, 2);
        assertThat(~InCksum.pseudo(src, dst, 17 + len) & 0xffff).isEqualTo(Packets.cksum(b, 0, 12));
    }
}
