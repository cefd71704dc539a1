package io.gatun.conformance.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.VirtualClock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What the tests of {@link IfnetDriverKit} stand on: a vnet, the interface in it, and the other end of its wire. */
abstract class KitBed {
    private static final long PATIENCE_NS = 60_000_000_000L;

    final List<Vnet> vnets = new ArrayList<>();
    final List<KitPeer> peers = new ArrayList<>();
    Vnet vnet;
    KitLink link;
    Ifnet ifp;
    KitPeer peer;

    KitBed() {
        // everything is made by the tests
    }

    // ---- what the author of a driver answers ------------------------------------------------------------

    /** The driver under test, and behind it those whose interfaces it stands on. Made anew for each vnet. */
    protected abstract List<IfnetDriver> drivers();

    /** Parameters of the interface under test. A short transmit queue makes the test of back-pressure mean more. */
    protected Map<String, String> params() {
        return Map.of();
    }

    /** Makes what the interface stands on; called before it is created. */
    protected void prepare(final Vnet theVnet) throws Exception {
        // nothing, for most
    }

    /** The other end of the wire of an interface that has just been made and is down. */
    protected abstract KitPeer peer(Vnet theVnet, KitLink theLink, Ifnet theIfp) throws Exception;

    /** Whether the tests run in a vnet with threads, for a driver with threads of its own. */
    protected boolean threaded() {
        return false;
    }

    // ---- the frame of a test ------------------------------------------------------------

    final void device() throws Exception {
        device(threaded());
    }

    /** A vnet and the interface in it, up. */
    final void up() throws Exception {
        device();
        assertThat(ifp.up()).isEqualTo(Errno.OK);
    }

    final void device(final boolean withThreads) throws Exception {
        makeVnet(withThreads);
        ifp = create();
        peer = peer(vnet, link, ifp);
        peers.add(peer);
    }

    final void makeVnet(final boolean withThreads) throws Exception {
        final var b = Vnet.builder().name("kit").services(false).strict(true).seed(1).threads(withThreads)
            .clock(withThreads ? Clock.SYSTEM : new VirtualClock())
            .pool(MbufPool.builder().nmbufs(8192).nmbclusters(1024).nmbjumbop(64).nmbjumbo9(16).nmbjumbo16(32));
        drivers().forEach(b::driver);
        vnet = b.build();
        vnets.add(vnet);
        link = KitLink.install(vnet);
        prepare(vnet);
    }

    final String dname() {
        return drivers().getFirst().name();
    }

    final Ifnet create() throws ErrnoException {
        return vnet.ifnets().create(dname() + "0", params());
    }

    /** The end of a test. */
    final void giveBack() {
        peers.forEach(KitPeer::close);
        vnets.forEach(Vnet::close);
        for (final Vnet v : vnets) {
            assertThat(v.pool().outstanding()).as(v.pool().leakReport()).isZero();
            assertThat(v.pool().clustersOutstanding()).isZero();
            assertThat(v.calloutsArmed()).isZero();
            v.pool().check();
        }
        assertThat(link == null ? List.of() : link.complaints()).isEmpty();
    }

    final void settle() {
        if (vnet.threaded()) {
            vnet.netisr().swi();
        } else {
            vnet.runUntilIdle();
        }
    }

    /** The next frame, for which it waits a while; null when none comes. */
    final byte[] await(final Supplier<byte[]> source) {
        final long end = System.nanoTime() + PATIENCE_NS;
        while (true) {
            settle();
            final byte[] frame = source.get();
            if (frame != null || System.nanoTime() - end > 0) {
                return frame;
            }
            Thread.yield();
        }
    }

    final byte[] seen() {
        return await(peer::next);
    }

    final byte[] received() {
        return await(() -> link.next(ifp));
    }

    final Errno send(final byte[] frame) {
        return link.transmit(ifp, KitFrames.mbuf(vnet.pool(), frame));
    }

    final byte[] from(final int number) {
        return KitFrames.from(ifp, number, KitFrames.MIN_PACKET);
    }

    final byte[] to(final int number) {
        return KitFrames.to(ifp, number, KitFrames.MIN_PACKET);
    }

    /** That the next frame out is a fresh one: whatever was sent before has been seen or will never be. */
    final void sendsNext(final int number) {
        assertThat(send(from(number))).isEqualTo(Errno.OK);
        assertThat(seen()).as("frame " + number).isEqualTo(from(number));
    }

    final long drops() {
        long n = 0;
        for (final DropReason r : DropReason.values()) {
            n += vnet.drops(r);
        }
        return n;
    }

    final Mbuf hoard() {
        Mbuf all = null;
        for (Mbuf m = vnet.pool().gethdr(Mbuf.MT_DATA); m != null; m = vnet.pool().gethdr(Mbuf.MT_DATA)) {
            m.nextPkt(all);
            all = m;
        }
        return all;
    }

    final void drain() {
        while (link.next(ifp) != null) {
            settle();
        }
    }
}
