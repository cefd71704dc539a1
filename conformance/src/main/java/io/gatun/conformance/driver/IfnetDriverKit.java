package io.gatun.conformance.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The contract of {@link Ifnet} and {@link IfnetDriver} as tests. Extend it, answer {@link #drivers}, {@link #params}
 * and {@link #peer}, and run it; nothing else of the driver is touched.
 *
 * <p>Each test makes a vnet of its own without domains, with {@link KitLink} under its interfaces, and in it unit 0 of
 * the driver. After each test the vnet is closed and its pool recounted: a leaked mbuf or an armed callout fails it.
 * Most tests run without threads; {@link #threaded} has all of them run with.
 */
public abstract class IfnetDriverKit extends KitBed {
    private static final int BURST = 64;
    private static final int FLOOD = 6000;
    private static final int UNKNOWN_CAP = 1 << 30;
    private static final int IP_TCP_HDRS = 40;

    /** For subclasses. */
    protected IfnetDriverKit() {
        // everything is made by the tests
    }

    @AfterEach
    public final void everything_isGivenBack() {
        giveBack();
    }

    // ---- life ------------------------------------------------------------

    @Test
    public final void created_interface_isAttachedAndDown() throws Exception {
        device();
        assertThat(ifp.xname()).startsWith(dname());
        assertThat(ifp.dname()).isEqualTo(dname());
        assertThat(ifp.dunit()).isZero();
        assertThat(ifp.index()).isPositive();
        assertThat(vnet.ifnets().byName(ifp.xname())).isSameAs(ifp);
        assertThat(vnet.ifnets().byIndex(ifp.index())).isSameAs(ifp);
        assertThat(ifp.flags() & Ifnet.IFF_UP).isZero();
        assertThat(ifp.mtu()).isGreaterThanOrEqualTo(KitFrames.MIN_PACKET);
        assertThat(ifp.capenable() & ~ifp.capabilities()).isZero();
        assertThat(ifp.outputFn()).isNotNull();
    }

    @Test
    public final void upAndDown_again_runsAndStops() throws Exception {
        up();
        for (int i = 0; i < 3; i++) {
            assertThat(ifp.drvFlags() & Ifnet.IFF_DRV_RUNNING).isNotZero();
            sendsNext(i);
            assertThat(ifp.down()).isEqualTo(Errno.OK);
            assertThat(ifp.drvFlags() & Ifnet.IFF_DRV_RUNNING).isZero();
            final long before = vnet.drops(DropReason.IF_DOWN);
            final long refused = ifp.counter(IfCounter.OQDROPS);
            assertThat(send(from(100 + i))).isEqualTo(Errno.ENETDOWN);
            assertThat(ifp.counter(IfCounter.OQDROPS)).isEqualTo(refused + 1);
            // the vnet's count is of both ways, and a machine at the other end may send something of its own
            assertThat(vnet.drops(DropReason.IF_DOWN)).isGreaterThan(before);
            assertThat(ifp.up()).isEqualTo(Errno.OK);
        }
        sendsNext(1000);
    }

    @Test
    public final void destroyed_interface_isGone_andItsNameFree() throws Exception {
        device();
        for (int i = 0; i < 3; i++) {
            assertThat(ifp.up()).isEqualTo(Errno.OK);
            sendsNext(i);
            final Ifnet old = ifp;
            assertThat(send(from(100 + i))).isEqualTo(Errno.OK);
            peer.close();
            assertThat(vnet.ifnets().destroy(old)).isEqualTo(Errno.OK);
            assertThat(old.index()).isZero();
            assertThat(vnet.ifnets().all()).doesNotContain(old);
            assertThat(vnet.ifnets().destroy(old)).isEqualTo(Errno.ENODEV);
            assertThat(link.transmit(old, KitFrames.mbuf(vnet.pool(), new byte[100]))).isEqualTo(Errno.ENETDOWN);
            clearPeers();
            ifp = create();
            peer = peer(vnet, link, ifp);
            peers.add(peer);
        }
    }

    /** Tears down what {@link #prepare} and {@link #peer} made, and makes the first anew. */
    private void clearPeers() throws Exception {
        peers.clear();
        for (final Ifnet other : vnet.ifnets().all().reversed()) {
            vnet.ifnets().destroy(other);
        }
        settle();
        assertThat(vnet.pool().outstanding()).as(vnet.pool().leakReport()).isZero();
        prepare(vnet);
    }

    @Test
    public final void sameUnitTwice_isRefused_andTheFirstGoesOn() throws Exception {
        up();
        final List<Ifnet> before = vnet.ifnets().all();
        assertThatThrownBy(this::create).isInstanceOfSatisfying(ErrnoException.class,
            e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST));
        final IfnetDriver driver = vnet.ifnets().drivers().get(dname());
        assertThatThrownBy(() -> driver.create(vnet, 0, params())).isInstanceOf(ErrnoException.class);
        assertThat(vnet.ifnets().all()).isEqualTo(before);
        sendsNext(1);
    }

    @Test
    public final void unknownParameter_isRefusedByName_andNothingIsLeft() throws Exception {
        makeVnet(threaded());
        final List<Ifnet> before = vnet.ifnets().all();
        final int held = vnet.pool().outstanding();
        final Map<String, String> wrong = new HashMap<>(params());
        wrong.put("no-such-parameter", "1");
        assertThatThrownBy(() -> vnet.ifnets().create(dname() + "0", wrong))
            .isInstanceOfSatisfying(ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
            .hasMessageContaining("no-such-parameter");
        assertThat(vnet.ifnets().all()).isEqualTo(before);
        assertThat(vnet.pool().outstanding()).isEqualTo(held);
    }

    // ---- requests ------------------------------------------------------------

    @Test
    public final void unknownRequest_isNotSupported() throws Exception {
        up();
        assertThat(ifp.ioctl(new IfReq.DriverSpecific("no such request", null))).isEqualTo(Errno.EOPNOTSUPP);
        sendsNext(1);
    }

    @Test
    public final void mtu_outOfRange_isRefusedAndKept() throws Exception {
        up();
        final int mtu = ifp.mtu();
        for (final int wrong : new int[] {Integer.MIN_VALUE, -1, 0, 1, Integer.MAX_VALUE}) {
            assertThat(ifp.ioctl(new IfReq.SetMtu(wrong))).as("MTU " + wrong).isIn(Errno.EINVAL, Errno.EOPNOTSUPP);
            assertThat(ifp.mtu()).isEqualTo(mtu);
        }
        assertThat(ifp.ioctl(new IfReq.SetMtu(mtu))).isIn(Errno.OK, Errno.EOPNOTSUPP);
        sendsNext(1);
    }

    @Test
    public final void linkAddress_ofWrongLength_isRefused() throws Exception {
        device();
        final byte[] addr = ifp.lladdr();
        assertThat(ifp.ioctl(new IfReq.SetLladdr(new byte[5]))).isIn(Errno.EINVAL, Errno.EOPNOTSUPP);
        assertThat(ifp.lladdr()).isEqualTo(addr);
        if (addr != null) {
            final byte[] other = {0x02, 1, 2, 3, 4, 5};
            final Errno e = ifp.ioctl(new IfReq.SetLladdr(other));
            assertThat(e).isIn(Errno.OK, Errno.EOPNOTSUPP);
            assertThat(ifp.lladdr()).isEqualTo(e == Errno.OK ? other : addr);
        }
    }

    @Test
    public final void capability_turnedOff_isHonouredOrRefused() throws Exception {
        up();
        final int all = ifp.capabilities();
        assertThat(ifp.ioctl(new IfReq.SetCap(all | UNKNOWN_CAP))).isIn(Errno.EINVAL, Errno.EOPNOTSUPP);
        for (int bit = Integer.lowestOneBit(all); bit != 0; bit = Integer.lowestOneBit(all & -(bit << 1))) {
            final Errno e = ifp.ioctl(new IfReq.SetCap(all & ~bit));
            assertThat(e).isIn(Errno.OK, Errno.EINVAL, Errno.EOPNOTSUPP);
            assertThat(ifp.capenable()).isEqualTo(e == Errno.OK ? all & ~bit : all);
            sendsNext(bit & 0xffff);
            if (e == Errno.OK) {
                assertThat(ifp.ioctl(new IfReq.SetCap(all))).isEqualTo(Errno.OK);
            }
        }
        assertThat(ifp.capabilities()).isEqualTo(all);
    }

    // ---- out ------------------------------------------------------------

    @Test
    public final void frame_sent_arrivesWholeAndIsCounted() throws Exception {
        up();
        final byte[] frame = KitFrames.from(ifp, 7, 100);
        assertThat(send(frame)).isEqualTo(Errno.OK);
        assertThat(seen()).isEqualTo(frame);
        assertThat(ifp.counter(IfCounter.OPACKETS)).isEqualTo(1);
        assertThat(ifp.counter(IfCounter.OBYTES)).isEqualTo(frame.length);
        assertThat(ifp.counter(IfCounter.OERRORS)).isZero();
        assertThat(ifp.counter(IfCounter.OQDROPS)).isZero();
    }

    @Test
    public final void frames_sentOneByOne_keepTheirOrder() throws Exception {
        up();
        for (int round = 0; round < 4; round++) {
            for (int i = 0; i < BURST; i++) {
                assertThat(send(from(i))).isEqualTo(Errno.OK);
            }
            for (int i = 0; i < BURST; i++) {
                assertThat(seen()).as("frame " + i).isEqualTo(from(i));
            }
        }
    }

    @Test
    public final void frames_sentAsAList_keepTheirOrder() throws Exception {
        up();
        final Mbuf first = KitFrames.mbuf(vnet.pool(), from(0));
        Mbuf last = first;
        for (int i = 1; i < 10; i++) {
            last.nextPkt(KitFrames.mbuf(vnet.pool(), from(i)));
            last = last.nextPkt();
        }
        assertThat(link.transmit(ifp, first)).isEqualTo(Errno.OK);
        for (int i = 0; i < 10; i++) {
            assertThat(seen()).as("frame " + i).isEqualTo(from(i));
        }
    }

    @Test
    public final void frame_ofManyAndEmptyMbufs_arrivesWhole() throws Exception {
        up();
        final SplittableRandom random = new SplittableRandom(2);
        for (int most = 1; most <= 200; most = 2 * most + 1) {
            final int octets = KitFrames.MIN_PACKET + random.nextInt(ifp.mtu() - KitFrames.MIN_PACKET + 1);
            final byte[] frame = KitFrames.from(ifp, most, Math.min(octets, 2000));
            final Mbuf m = KitFrames.pieces(vnet.pool(), frame, most, random);
            assertThat(link.transmit(ifp, m)).as("pieces of up to " + most).isEqualTo(Errno.OK);
            assertThat(seen()).as("pieces of up to " + most).isEqualTo(frame);
        }
    }

    @Test
    public final void frame_whoseClustersAreShared_leavesTheOthersOctetsAlone() throws Exception {
        up();
        final byte[] frame = KitFrames.from(ifp, 5, Math.min(ifp.mtu(), 1400));
        final Mbuf mine = KitFrames.mbuf(vnet.pool(), frame);
        final Mbuf sent = mine.copyM(0, Mbuf.M_COPYALL);
        assertThat(link.transmit(ifp, sent)).isEqualTo(Errno.OK);
        assertThat(seen()).isEqualTo(frame);
        final byte[] after = new byte[frame.length];
        mine.copyData(0, after.length, after, 0);
        mine.freeChain();
        assertThat(after).isEqualTo(frame);
    }

    @Test
    public final void frame_ofTheMtu_passes_andALongerOneIsNeverCut() throws Exception {
        up();
        final byte[] full = KitFrames.from(ifp, 1, ifp.mtu());
        assertThat(send(full)).isEqualTo(Errno.OK);
        assertThat(seen()).isEqualTo(full);
        final byte[] longer = KitFrames.from(ifp, 2, ifp.mtu() + 1);
        final long drops = drops();
        if (send(longer) == Errno.OK) {
            assertThat(seen()).isEqualTo(longer);
        } else {
            assertThat(drops()).isEqualTo(drops + 1);
        }
        if (ifp.hdrlen() > 0) {
            final long before = drops();
            assertThat(send(KitFrames.from(ifp, 3, ifp.mtu() + 100))).isEqualTo(Errno.EMSGSIZE);
            assertThat(drops()).isEqualTo(before + 1);
            assertThat(ifp.counter(IfCounter.OERRORS)).isPositive();
        }
        sendsNext(4);
    }

    @Test
    public final void runt_isFreedWhateverBecomesOfIt() throws Exception {
        up();
        for (int octets = 0; octets <= ifp.hdrlen(); octets++) {
            final Mbuf m = KitFrames.mbuf(vnet.pool(), new byte[octets]);
            final Errno unused = link.transmit(ifp, m);
            assertThat(unused).isNotNull();
        }
        sendsNext(1);
    }

    @Test
    public final void superSegment_whereTheDeviceTakesThem_arrivesWhole() throws Exception {
        up();
        assumeTrue((ifp.capabilities() & Ifnet.IFCAP_TSO4) != 0, "the device has no TSO");
        for (final int octets : new int[] {3000, 20_000, ifp.tsoMax()}) {
            final Mbuf m = KitFrames.superSegment(ifp, octets, 1448);
            final byte[] want = new byte[octets - IP_TCP_HDRS];
            m.copyData(ifp.hdrlen() + IP_TCP_HDRS, want.length, want, 0);
            assertThat(link.transmit(ifp, m)).isEqualTo(Errno.OK);
            final ByteArrayOutputStream got = new ByteArrayOutputStream();
            while (got.size() < want.length) {
                final byte[] frame = seen();
                assertThat(frame).as(got.size() + " octets of " + want.length).isNotNull();
                got.writeBytes(KitFrames.tcpPayload(frame, ifp.hdrlen()));
            }
            assertThat(Arrays.equals(got.toByteArray(), want)).as("payload of " + octets).isTrue();
        }
    }

    @Test
    public final void transmit_neverCallsUp_norMindsLocks() throws Exception {
        up();
        final Mtx pcb = new Mtx(LockClass.INPCB, "kit");
        pcb.lock();
        try {
            for (int i = 0; i < 5; i++) {
                assertThat(send(from(i))).isEqualTo(Errno.OK);
            }
        } finally {
            pcb.unlock();
        }
        for (int i = 0; i < 5; i++) {
            assertThat(seen()).isEqualTo(from(i));
        }
    }

    /** Nobody takes anything off the wire: what does not fit is refused, freed and counted, and no more than that. */
    @Test
    public final void flood_unread_isRefusedAndCounted() throws Exception {
        up();
        final long drops = drops();
        int refused = 0;
        for (int i = 0; i < FLOOD; i++) {
            final Errno e = send(from(i));
            assertThat(e).isIn(Errno.OK, Errno.ENOBUFS);
            refused += e == Errno.OK ? 0 : 1;
        }
        assertThat(drops() - drops).isEqualTo(refused);
        settle();
        int last = -1;
        byte[] frame = peer.next();
        while (frame != null) {
            final int number = KitFrames.number(frame, ifp.hdrlen());
            assertThat(number).isGreaterThan(last);
            last = number;
            settle();
            frame = peer.next();
        }
    }

    @Test
    public final void flood_thenDown_freesTheQueue() throws Exception {
        up();
        final int held = vnet.pool().outstanding();
        for (int i = 0; i < FLOOD; i++) {
            assertThat(send(from(i))).isIn(Errno.OK, Errno.ENOBUFS);
        }
        assertThat(ifp.down()).isEqualTo(Errno.OK);
        ifp.qflush();
        settle();
        // a device may by now hold empty mbufs to receive into
        assertThat(vnet.pool().outstanding()).isLessThanOrEqualTo(held + BURST);
        assertThat(ifp.up()).isEqualTo(Errno.OK);
    }

    @Test
    public final void outOfMbufs_sendsOrRefuses_andRecovers() throws Exception {
        up();
        sendsNext(1);
        final Mbuf m = KitFrames.mbuf(vnet.pool(), from(2));
        final Mbuf hoard = hoard();
        assertThat(link.transmit(ifp, m)).isIn(Errno.OK, Errno.ENOBUFS);
        for (int i = 0; i < 5; i++) {
            peer.inject(to(3));
            settle();
        }
        hoard.freePkts();
        settle();
        drain();
        assertThat(send(from(4))).isEqualTo(Errno.OK);
        byte[] frame = seen();
        while (frame != null && KitFrames.number(frame, ifp.hdrlen()) < 4) {
            frame = seen();
        }
        assertThat(frame).isEqualTo(from(4));
    }

    // ---- in ------------------------------------------------------------

    @Test
    public final void frames_comingIn_areHandedUpInOrderAndCounted() throws Exception {
        up();
        int octets = 0;
        for (int i = 0; i < BURST; i++) {
            final byte[] frame = KitFrames.to(ifp, i, KitFrames.MIN_PACKET + i);
            peer.inject(frame);
            octets += frame.length;
        }
        for (int i = 0; i < BURST; i++) {
            assertThat(received()).as("frame " + i).isEqualTo(KitFrames.to(ifp, i, KitFrames.MIN_PACKET + i));
        }
        assertThat(ifp.counter(IfCounter.IPACKETS)).isGreaterThanOrEqualTo(BURST);
        assertThat(ifp.counter(IfCounter.IBYTES)).isGreaterThanOrEqualTo(octets);
        assertThat(ifp.counter(IfCounter.IERRORS)).isZero();
    }

    @Test
    public final void frame_comingInOfTheMtu_isWhole() throws Exception {
        up();
        for (final int octets : new int[] {KitFrames.MIN_PACKET, ifp.mtu() / 2, ifp.mtu() - 1, ifp.mtu()}) {
            final byte[] frame = KitFrames.to(ifp, octets, octets);
            peer.inject(frame);
            assertThat(received()).as(octets + " octets").isEqualTo(frame);
        }
    }

    @Test
    public final void down_framesComingIn_areDropped() throws Exception {
        up();
        peer.inject(to(1));
        assertThat(received()).isEqualTo(to(1));
        assertThat(ifp.down()).isEqualTo(Errno.OK);
        peer.inject(to(2));
        settle();
        assertThat(link.next(ifp)).isNull();
        assertThat(ifp.up()).isEqualTo(Errno.OK);
        peer.inject(to(3));
        byte[] frame = received();
        // a device with a queue of its own may have kept it until now
        if (Arrays.equals(frame, to(2))) {
            frame = received();
        }
        assertThat(frame).isEqualTo(to(3));
    }

    // ---- both ways, for long ------------------------------------------------------------

    @Test
    public final void traffic_ofRandomShapes_isWholeBothWays() throws Exception {
        up();
        final long seed = System.nanoTime();
        final SplittableRandom random = new SplittableRandom(seed);
        final int most = Math.min(ifp.mtu(), 4000);
        for (int i = 0; i < 500; i++) {
            final int octets = KitFrames.MIN_PACKET + random.nextInt(most - KitFrames.MIN_PACKET + 1);
            if (random.nextBoolean()) {
                final byte[] frame = KitFrames.from(ifp, i, octets);
                final Mbuf m = KitFrames.pieces(vnet.pool(), frame, 1 + random.nextInt(256), random);
                assertThat(link.transmit(ifp, m)).as("seed " + seed).isEqualTo(Errno.OK);
                assertThat(seen()).as("seed " + seed + ", frame " + i).isEqualTo(frame);
            } else {
                final byte[] frame = KitFrames.to(ifp, i, octets);
                peer.inject(frame);
                assertThat(received()).as("seed " + seed + ", frame " + i).isEqualTo(frame);
            }
        }
    }

    @Test
    public final void destroyed_underLoadOfOtherThreads_leavesNothing() throws Exception {
        for (int round = 0; round < 5; round++) {
            device(true);
            assertThat(ifp.up()).isEqualTo(Errno.OK);
            final AtomicLong sent = new AtomicLong();
            final List<Throwable> failures = new ArrayList<>();
            final List<Thread> threads = new ArrayList<>();
            threads.add(load(failures, () -> sendUntilGone(sent)));
            threads.add(load(failures, () -> sendUntilGone(sent)));
            threads.add(load(failures, () -> injectUntilGone(sent)));
            while (sent.get() < 200) {
                Thread.yield();
            }
            assertThat(vnet.ifnets().destroy(ifp)).isEqualTo(Errno.OK);
            for (final Thread t : threads) {
                t.join();
            }
            assertThat(failures).isEmpty();
            assertThat(send(new byte[100])).isEqualTo(Errno.ENETDOWN);
            everything_isGivenBack();
            vnets.clear();
            peers.clear();
        }
    }

    private static Thread load(final List<Throwable> failures, final Runnable work) {
        return Thread.ofPlatform().start(() -> {
            try {
                work.run();
            } catch (final Throwable t) {
                synchronized (failures) {
                    failures.add(t);
                }
            }
        });
    }

    private void sendUntilGone(final AtomicLong sent) {
        final Ifnet to = ifp;
        Errno e = Errno.OK;
        while (e != Errno.ENETDOWN) {
            final Mbuf m = KitFrames.mbuf(vnet.pool(), new byte[100]);
            if (m != null) {
                e = to.transmit(m);
                assertThat(e).isIn(Errno.OK, Errno.ENOBUFS, Errno.ENETDOWN, Errno.EAFNOSUPPORT);
                sent.incrementAndGet();
            }
            vnet.netisr().swi();
        }
    }

    private void injectUntilGone(final AtomicLong sent) {
        final byte[] frame = to(1);
        while ((ifp.flags() & Ifnet.IFF_DYING) == 0) {
            peer.inject(frame);
            while (peer.next() != null) {
                Thread.onSpinWait();
            }
        }
    }
}
