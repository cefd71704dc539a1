package io.gatun.netinet;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.mbuf.Mbuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The data path allocates nothing on the heap in steady state. */
class ZeroAllocationTest {
    private static final int WARM = 60_000;
    private static final long PATIENCE_NS = 40_000_000_000L;
    private static final int ROUNDS = 20_000;
    private static final ThreadMXBean BEAN = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final TestNet net = new TestNet().resolved();
    private final MemorySegment frame = Arena.ofAuto().allocate(2048);

    @AfterEach
    void close() {
        net.close();
    }

    private void measure(Runnable step) {
        net.keep = false;
        net.wire0.keep = false;
        net.wire1.keep = false;
        for (int i = 0; i < WARM; i++) {
            step.run();
        }
        long id = Thread.currentThread().threadId();
        long best = Long.MAX_VALUE;
        long start = System.nanoTime();
        while (best != 0 && System.nanoTime() - start < PATIENCE_NS) {
            long before = BEAN.getThreadAllocatedBytes(id);
            for (int i = 0; i < ROUNDS; i++) {
                step.run();
            }
            best = Math.min(best, BEAN.getThreadAllocatedBytes(id) - before);
        }
        assertThat(best).as("octets in %d rounds", ROUNDS).isLessThan(ROUNDS / 10);
    }

    private void load(byte[] f) {
        MemorySegment.copy(MemorySegment.ofArray(f), 0, frame, 0, f.length);
    }

    private void receive(int len) {
        net.wire0.ifp.input(net.vnet.pool().devget(frame, 0, len, net.wire0.ifp));
    }

    @Test
    void input_deliver() {
        byte[] f = Packets.ether(TestWire.mac(0), TestNet.PEER0_MAC, 0x800,
            Packets.ip(TestNet.PEER0, TestNet.US0, TestNet.PROTO, 1, 0, new byte[1000]));
        load(f);
        measure(() -> receive(f.length));
        assertThat(net.count).isGreaterThanOrEqualTo(WARM + ROUNDS);
    }

    @Test
    void forward() {
        net.config.setForwarding(true);
        byte[] f = Packets.ether(TestWire.mac(0), TestNet.PEER0_MAC, 0x800,
            Packets.ip(TestNet.PEER0, TestNet.PEER1, TestNet.PROTO, 1, 0, new byte[1000]));
        load(f);
        measure(() -> receive(f.length));
        assertThat(net.wire1.frames).isGreaterThanOrEqualTo(WARM + ROUNDS);
    }

    @Test
    void echoReply() {
        byte[] f = Packets.ether(TestWire.mac(0), TestNet.PEER0_MAC, 0x800,
            Packets.ip(TestNet.PEER0, TestNet.US0, 1, 1, 0, Packets.icmp(8, 0, 1, new byte[56])));
        load(f);
        measure(() -> receive(f.length));
        assertThat(net.wire0.frames).isGreaterThanOrEqualTo(WARM + ROUNDS);
    }

    @Test
    void output_and_fragments() {
        RouteCache ro = new RouteCache();
        measure(() -> {
            Mbuf m = net.vnet.pool().getjcl(Mbuf.MT_DATA, Mbuf.M_PKTHDR, Mbuf.MJUMPAGESIZE);
            m.data(m.data() + 64);
            m.len(3000);
            m.pktLen(3000);
            IpHeader.init(m, 0, 3000, 0);
            IpHeader.addr(m, 0, IpHeader.ttlAndProto(64, TestNet.PROTO), 0, TestNet.PEER0);
            net.inet.ipOutput.output(m, ro, 0);
        });
        assertThat(net.wire0.frames).isGreaterThanOrEqualTo(3L * (WARM + ROUNDS));
    }

    @Test
    void reassembly() {
        byte[] a = Packets.ether(TestWire.mac(0), TestNet.PEER0_MAC, 0x800,
            Packets.ip(TestNet.PEER0, TestNet.US0, TestNet.PROTO, 1, 0x2000, new byte[800]));
        byte[] b = Packets.ether(TestWire.mac(0), TestNet.PEER0_MAC, 0x800,
            Packets.ip(TestNet.PEER0, TestNet.US0, TestNet.PROTO, 1, 100, new byte[800]));
        MemorySegment second = Arena.ofAuto().allocate(2048);
        MemorySegment.copy(MemorySegment.ofArray(b), 0, second, 0, b.length);
        load(a);
        measure(() -> {
            receive(a.length);
            net.wire0.ifp.input(net.vnet.pool().devget(second, 0, b.length, net.wire0.ifp));
        });
        assertThat(net.count).isGreaterThanOrEqualTo(WARM + ROUNDS);
    }
}
