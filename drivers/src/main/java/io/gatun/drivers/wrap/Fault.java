package io.gatun.drivers.wrap;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetSlots;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import java.util.SplittableRandom;

/**
 * Bad weather on the way out of an interface. Wraps its transmit and qflush slots: each frame may be lost, sent twice,
 * held back behind later ones, delayed, or have one bit flipped (in a copy, since the sender still owns the octets).
 * The same seed and the same frames give the same faults.
 *
 * <p>Wrap before the interface is brought up. An interface whose frames may be corrupted must compute checksums (for an
 * epair: {@code checksums=true}), or nobody can notice.
 *
 * <p>Locking key: (c) constant, (q) {@code qlock}. Frames are sent with no lock of this class held.
 */
public final class Fault {
    private final Mtx qlock = new Mtx(LockClass.LEAF, "fault");
    private final Ifnet ifp;
    private final Config config;
    private final IfnetSlots.TransmitFn below;   // (c)
    private final IfnetSlots.QflushFn flushBelow; // (c)
    private final Callout callout;
    private final Counter lost;
    private final Counter duplicated;
    private final Counter reordered;
    private final Counter corrupted;
    private final Counter delayed;
    @GuardedBy("qlock")
    private final SplittableRandom random; // (q)
    @GuardedBy("qlock")
    private Mbuf head;                     // (q) frames held back, by due time (phPer64), then by arrival
    @GuardedBy("qlock")
    private int held;                      // (q) frames

    /**
     * What goes wrong and how often. Probabilities are 0 to 1 and independent.
     *
     * @param seed of the choice
     * @param loss probability that a frame is lost
     * @param duplicate probability that it is sent twice
     * @param reorder probability that it is held back for {@code reorderNs}, so that later frames overtake it
     * @param corrupt probability that one bit of a copy of it is flipped
     * @param delayNs delay of every frame, ns; 0 sends at once
     * @param jitterNs further delay, uniform in 0..jitterNs, ns; frames may overtake each other by it
     * @param reorderNs how long a reordered frame is held back, ns
     * @param limit frames that may be held back; more are dropped under IF_OQFULL
     */
    public record Config(
        long seed, double loss, double duplicate, double reorder, double corrupt, long delayNs, long jitterNs,
        long reorderNs, int limit) {
        private static final int DEFAULT_LIMIT = 10_000;
        private static final long DEFAULT_REORDER_NS = 1_000_000;

        /** Fails on a value out of range. */
        public Config {
            if (!probability(loss) || !probability(duplicate) || !probability(reorder) || !probability(corrupt)) {
                throw new IllegalArgumentException("a probability is not in 0..1");
            }
            if (delayNs < 0 || jitterNs < 0 || reorderNs < 0 || limit < 1) {
                throw new IllegalArgumentException("a delay is negative or the limit is not positive");
            }
        }

        private static boolean probability(final double p) {
            return p >= 0 && p <= 1;
        }

        /** Loss and reordering only; a reordered frame is held back for 1 ms. */
        public static Config lossAndReorder(final long seed, final double loss, final double reorder) {
            return new Config(seed, loss, 0, reorder, 0, 0, 0, DEFAULT_REORDER_NS, DEFAULT_LIMIT);
        }

        /** A fixed delay and nothing else. */
        public static Config delay(final long delayNs) {
            return new Config(0, 0, 0, 0, 0, delayNs, 0, 0, DEFAULT_LIMIT);
        }
    }

    private Fault(final Ifnet ifp, final Config config) {
        this.ifp = ifp;
        this.config = config;
        below = ifp.transmitFn();
        flushBelow = ifp.qflushFn();
        random = new SplittableRandom(config.seed());
        callout = ifp.vnet().callout("fault " + ifp.xname(), null, this::release);
        final CounterSet counters = ifp.vnet().counters();
        final String prefix = "fault." + ifp.xname() + ".";
        lost = counters.counter(prefix + "lost");
        duplicated = counters.counter(prefix + "duplicated");
        reordered = counters.counter(prefix + "reordered");
        corrupted = counters.counter(prefix + "corrupted");
        delayed = counters.counter(prefix + "delayed");
    }

    /** Puts bad weather around an interface that is down. */
    public static Fault wrap(final Ifnet ifp, final Config config) {
        final Fault fault = new Fault(ifp, config);
        ifp.setTransmitFn((i, m) -> fault.transmit(m));
        ifp.setQflushFn(i -> fault.qflush());
        return fault;
    }

    /** Frames lost on purpose so far. */
    public long lost() {
        return lost.get();
    }

    /** Frames that were held back so far so that others overtake them. */
    public long reordered() {
        return reordered.get();
    }

    private Errno transmit(final Mbuf first) {
        Errno result = Errno.OK;
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            final Errno e = one(m);
            result = e == Errno.OK ? result : e;
            m = next;
        }
        return result;
    }

    /** One frame's fate: drawn in a fixed order, so that a seed repeats. */
    private Errno one(final Mbuf m) {
        final boolean lose;
        final boolean twice;
        final boolean late;
        final boolean spoil;
        final long extraNs;
        final long where;
        qlock.lock();
        try {
            lose = random.nextDouble() < config.loss();
            twice = random.nextDouble() < config.duplicate();
            late = random.nextDouble() < config.reorder();
            spoil = random.nextDouble() < config.corrupt();
            extraNs = config.jitterNs() == 0 ? 0 : random.nextLong(config.jitterNs() + 1);
            where = random.nextLong() >>> 1;
        } finally {
            qlock.unlock();
        }
        if (lose) {
            lost.increment();
            ifp.vnet().drop(m, DropReason.IF_FAULT_INJECTED);
            return Errno.OK;
        }
        final Mbuf frame = spoil && m.pktLen() > 0 ? spoil(m, where) : m;
        if (frame == null) {
            return Errno.ENOBUFS;
        }
        if (late) {
            reordered.increment();
        }
        final long waitNs = config.delayNs() + extraNs + (late ? config.reorderNs() : 0);
        if (twice) {
            again(frame, waitNs);
        }
        return later(frame, waitNs);
    }

    private void again(final Mbuf frame, final long waitNs) {
        final Mbuf copy = frame.dup();
        if (copy != null) {
            duplicated.increment();
            final Errno ignored = later(copy, waitNs);
        }
    }

    /** Flips one bit of a private copy. Consumes m; null when out of mbufs. */
    private Mbuf spoil(final Mbuf m, final long where) {
        final Mbuf copy = m.dup();
        if (copy == null) {
            ifp.vnet().drop(m, DropReason.MBUF_NOMEM);
            return null;
        }
        m.freeChain();
        int bit = (int) (where % ((long) copy.pktLen() * Byte.SIZE));
        Mbuf n = copy;
        while (bit >= n.len() * Byte.SIZE) {
            bit -= n.len() * Byte.SIZE;
            n = n.next();
        }
        n.put8(bit / Byte.SIZE, n.getU8(bit / Byte.SIZE) ^ 1 << bit % Byte.SIZE);
        corrupted.increment();
        return copy;
    }

    private Errno later(final Mbuf m, final long waitNs) {
        if (waitNs == 0) {
            return below.transmit(ifp, m);
        }
        final long dueNs = ifp.vnet().clock().nanoTime() + waitNs;
        m.phPer64(dueNs);
        final boolean taken;
        final boolean earliest;
        qlock.lock();
        try {
            taken = held < config.limit();
            earliest = taken && insert(m, dueNs);
        } finally {
            qlock.unlock();
        }
        if (!taken) {
            ifp.count(IfCounter.OQDROPS, 1);
            ifp.vnet().drop(m, DropReason.IF_OQFULL);
            return Errno.ENOBUFS;
        }
        delayed.increment();
        if (earliest) {
            callout.resetAt(dueNs);
        }
        return Errno.OK;
    }

    /** Sorted insertion; true when the frame is the first to go. */
    @GuardedBy("qlock")
    private boolean insert(final Mbuf m, final long dueNs) {
        held++;
        if (head == null || dueNs - head.phPer64() < 0) {
            m.nextPkt(head);
            head = m;
            return true;
        }
        Mbuf at = head;
        while (at.nextPkt() != null && at.nextPkt().phPer64() - dueNs <= 0) {
            at = at.nextPkt();
        }
        m.nextPkt(at.nextPkt());
        at.nextPkt(m);
        return false;
    }

    /** The callout: sends what is due, unless the interface has gone down meanwhile. */
    private void release() {
        if ((ifp.flags() & (Ifnet.IFF_UP | Ifnet.IFF_DYING)) != Ifnet.IFF_UP) {
            freeHeld();
            return;
        }
        Mbuf m = takeDue();
        while (m != null) {
            final Errno ignored = below.transmit(ifp, m);
            m = takeDue();
        }
        final long nextNs;
        qlock.lock();
        try {
            if (head == null) {
                return;
            }
            nextNs = head.phPer64();
        } finally {
            qlock.unlock();
        }
        callout.resetAt(nextNs);
    }

    private Mbuf takeDue() {
        final long nowNs = ifp.vnet().clock().nanoTime();
        qlock.lock();
        try {
            if (head == null || head.phPer64() - nowNs > 0) {
                return null;
            }
            final Mbuf m = head;
            head = m.nextPkt();
            m.nextPkt(null);
            held--;
            return m;
        } finally {
            qlock.unlock();
        }
    }

    private void qflush() {
        callout.drain();
        freeHeld();
        flushBelow.qflush(ifp);
    }

    private void freeHeld() {
        Mbuf m;
        qlock.lock();
        try {
            m = head;
            head = null;
            held = 0;
        } finally {
            qlock.unlock();
        }
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            ifp.count(IfCounter.OQDROPS, 1);
            ifp.vnet().drop(m, DropReason.IF_DETACHED);
            m = next;
        }
    }
}
