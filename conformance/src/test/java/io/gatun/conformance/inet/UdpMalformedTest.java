package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.Netisr;
import io.gatun.uipc.api.SocketFile;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Datagrams that are not what they say: counted, dropped, nothing thrown, nothing leaked. */
class UdpMalformedTest {
    private static final int IP = 20;
    private static final int UDP = 8;
    private static final int PORT = 5353;

    /** An IPv4 datagram 127.0.0.1:9 to 127.0.0.1:5353 whose UDP length field says {@code ulen}; good checksums. */
    static byte[] datagram(final int payload, final int ulen) {
        final byte[] b = new byte[IP + UDP + payload];
        b[0] = 0x45;
        put16(b, 2, b.length);
        b[8] = 64;
        b[9] = 17;
        put16(b, 12, 0x7f00);
        put16(b, 14, 1);
        put16(b, 16, 0x7f00);
        put16(b, 18, 1);
        put16(b, 10, ~sum(b, 0, IP, 0) & 0xffff);
        put16(b, 20, 9);
        put16(b, 22, PORT);
        put16(b, 24, ulen);
        for (int i = 0; i < payload; i++) {
            b[IP + UDP + i] = (byte) i;
        }
        final int covered = Math.min(Math.max(ulen, UDP), UDP + payload);
        final int s = ~sum(b, IP, covered, sum(b, 12, 8, 17 + ulen)) & 0xffff;
        put16(b, 26, s == 0 ? 0xffff : s);
        return b;
    }

    private static void put16(final byte[] b, final int at, final int v) {
        b[at] = (byte) (v >>> 8);
        b[at + 1] = (byte) v;
    }

    private static int sum(final byte[] b, final int from, final int n, final int start) {
        int s = start;
        for (int i = 0; i < n; i++) {
            s += (b[from + i] & 0xff) << ((i & 1) == 0 ? 8 : 0);
        }
        while (s >>> 16 != 0) {
            s = (s & 0xffff) + (s >>> 16);
        }
        return s;
    }

    /** As from a device that checks nothing; {@code cut} is where the chain's first mbuf ends. */
    private static void inject(final Host host, final byte[] b, final int cut) {
        final Mbuf m = host.vnet.pool().getm2(null, b.length, Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        assertThat(m.copyBack(0, b.length, b, 0)).isTrue();
        Mbuf head = m;
        if (cut > 0 && cut < b.length) {
            final Mbuf rest = m.split(cut);
            m.cat(rest);
            m.fixHdr();
        }
        head.rcvif(host.lo);
        assertThat(host.vnet.netisr().dispatch(Netisr.NETISR_IP, head)).isNotNull();
        host.run();
    }

    private static SocketFile server(final Host host) throws Exception {
        final SocketFile f = host.udp();
        f.bind(SockAddr.of("127.0.0.1", PORT));
        f.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, 100_000);
        return f;
    }

    @Test
    void good_isDelivered() throws Exception {
        try (Host host = new Host(LockStrategy.SPLIT)) {
            final SocketFile server = server(host);
            for (final int cut : new int[] {0, 1, 19, 20, 21, 27, 28, 29}) {
                inject(host, datagram(40, UDP + 40), cut);
                assertThat(Host.read(server)).hasSize(40);
            }
        }
    }

    @Test
    void linkPadding_isTrimmed() throws Exception {
        try (Host host = new Host(LockStrategy.SPLIT)) {
            final SocketFile server = server(host);
            inject(host, datagram(40, UDP + 4), 0);
            assertThat(Host.read(server)).hasSize(4);
        }
    }

    @ParameterizedTest
    @CsvSource({"40, 49, UDP_BADLEN", "40, 7, UDP_BADLEN", "40, 0, UDP_BADLEN", "0, 65535, UDP_BADLEN"})
    void length_thatCannotBe_isDropped(final int payload, final int ulen, final DropReason reason) throws Exception {
        try (Host host = new Host(LockStrategy.SPLIT)) {
            final SocketFile server = server(host);
            inject(host, datagram(payload, ulen), 0);
            assertThat(Host.read(server)).isEqualTo("-");
            assertThat(host.vnet.drops(reason)).isOne();
        }
    }

    @Test
    void tooShortForAHeader_isDropped() throws Exception {
        try (Host host = new Host(LockStrategy.SPLIT)) {
            server(host);
            final byte[] b = java.util.Arrays.copyOf(datagram(0, UDP), IP + UDP - 1);
            put16(b, 2, b.length);
            put16(b, 10, 0);
            put16(b, 10, ~sum(b, 0, IP, 0) & 0xffff);
            inject(host, b, 0);
            assertThat(host.vnet.drops(DropReason.UDP_TOOSHORT)).isOne();
        }
    }

    @Test
    @Tag("RFC1122-4.1.3.4-MUST")
    void checksum_wrongIsDroppedAndNoneIsTaken() throws Exception {
        try (Host host = new Host(LockStrategy.SPLIT)) {
            final SocketFile server = server(host);
            final byte[] bad = datagram(40, UDP + 40);
            bad[30] ^= 1;
            inject(host, bad, 0);
            assertThat(Host.read(server)).isEqualTo("-");
            assertThat(host.vnet.drops(DropReason.UDP_BADSUM)).isOne();
            put16(bad, 26, 0);
            inject(host, bad, 0);
            assertThat(Host.read(server)).hasSize(40);
            assertThat(host.vnet.counters().get("udp.nosum")).isOne();
        }
    }

    @Test
    void destinationPortZero_isDropped() throws Exception {
        try (Host host = new Host(LockStrategy.SPLIT)) {
            server(host);
            final byte[] b = datagram(4, UDP + 4);
            put16(b, 22, 0);
            inject(host, b, 0);
            assertThat(host.vnet.drops(DropReason.UDP_BADPORT)).isOne();
        }
    }

    /** Every datagram that is sent in comes to exactly one end: a reader, or one drop. */
    @Property(tries = 60)
    void random_accountsForEveryDatagram(
        @ForAll final long seed, @ForAll @IntRange(min = 1, max = 40) final int count) throws Exception {
        final Random random = new Random(seed);
        try (Host host = new Host(LockStrategy.values()[random.nextInt(3)])) {
            host.vnet.sysctl().set("net.inet.icmp.icmplim", "0");
            final SocketFile server = server(host);
            for (int i = 0; i < count; i++) {
                final int payload = random.nextInt(300);
                final byte[] b = datagram(payload, UDP + payload);
                for (int flips = random.nextInt(4); flips > 0; flips--) {
                    b[IP + random.nextInt(b.length - IP)] ^= (byte) (1 << random.nextInt(8));
                }
                final long before = drops(host);
                inject(host, b, random.nextInt(b.length));
                final boolean delivered = !"-".equals(Host.read(server));
                // A port unreachable comes back to the sender that is not there: it is counted as well.
                assertThat(delivered ? 1 : drops(host) - before).as("seed %d, datagram %d", seed, i).isPositive();
            }
        }
    }

    private static long drops(final Host host) {
        long n = 0;
        for (final DropReason r : DropReason.values()) {
            n += host.vnet.drops(r);
        }
        return n;
    }
}
