package io.gatun.netinet.tcp;

import io.gatun.spi.sys.Seq;
import java.util.Arrays;

/**
 * What is in flight on a connection that may acknowledge selectively, transmission by transmission: the scoreboard of
 * RFC 6675 and the send times of RFC 8985. Records lie in order of sequence numbers, without gaps, from the oldest
 * unacknowledged octet to the next to be sent; a SACK block that ends within one cuts it in two.
 *
 * <p>Pooled by {@link TcpSendMaps}; a connection has one only while something is in flight. Locking key: (c)
 * constant, (i) the pcb's lock of the connection that has it.
 *
 * @bsd struct rack_sendmap
 */
final class TcpSendMap {
    /** Records at first. */
    static final int FEWEST = 16;
    /** Records at most; then transmissions are merged. */
    static final int MOST = 1 << 14;

    private static final int SACKED = 0x1;
    /** Deemed lost, and not sent again since. */
    private static final int LOST = 0x2;
    /** Sent more than once. */
    private static final int REXMIT = 0x4;
    /** Cut off by a SACK block from what follows it. */
    private static final int CUT = 0x8;
    private static final int DUPTHRESH = 3;
    private static final int NONE = -1;

    private final TcpSendMaps owner; // (c)
    TcpSendMap nextFree;          // (i) or the pool's
    private int cuts;             // (i) records marked CUT

    private int[] ends = new int[FEWEST];    // (i)
    private long[] times = new long[FEWEST]; // (i) last sent
    private byte[] marks = new byte[FEWEST]; // (i)
    private int head;             // (i) first record
    private int tail;             // (i) behind the last
    private int start;            // (i) sequence number of the first octet
    private int hint;             // (i) no record before it is LOST
    private int sacked;           // (i) octets
    private int sackedCnt;        // (i) records
    private int lost;             // (i) octets
    private int fack;             // (i) highest sequence number delivered
    private int timeoutEnd;       // (i) what was in flight at the last timeout ended here

    /** Transmission time, end and round trip of what was sent last of all that was delivered. */
    private long rackXmit;        // (i)
    private int rackEnd;          // (i)
    private long rackRtt;         // (i) 0: nothing delivered yet

    // What the acknowledgment in progress has delivered.
    private long nowNs;           // (i)
    private long minRttNs;        // (i)
    private boolean ecrValid;     // (i)
    private long ecrNs;           // (i) no transmission after it can be what is acknowledged
    private int delivered;        // (i) octets
    private int delivered1;       // (i) of these, octets sent but once
    private int deliveredOld;     // (i) of these, octets sent before the last timeout
    private boolean reordered;    // (i)

    TcpSendMap(TcpSendMaps owner) {
        this.owner = owner;
    }

    /** Records that are there because SACK blocks began or ended within others: two for a hole at most. */
    int cuts() {
        return cuts;
    }

    void reset() {
        head = 0;
        tail = 0;
        hint = 0;
        sacked = 0;
        sackedCnt = 0;
        lost = 0;
        cuts = 0;
        rackXmit = 0;
        rackRtt = 0;
    }

    /** Records there is room for. */
    int capacity() {
        return ends.length;
    }

    boolean isEmpty() {
        return head == tail;
    }

    int start() {
        return start;
    }

    int end() {
        return head == tail ? start : ends[tail - 1];
    }

    /** Octets thought to be in the network. @bsd tcp_compute_pipe */
    int pipe() {
        return end() - start - sacked - lost;
    }

    int sacked() {
        return sacked;
    }

    int lost() {
        return lost;
    }

    /** Nothing lost, nothing out of order: an acknowledgment of new data has nothing else to say. */
    boolean clean() {
        return sacked == 0 && lost == 0;
    }

    int delivered() {
        return delivered;
    }

    int deliveredOnce() {
        return delivered1;
    }

    /** Octets that were sent but once, and before the last timeout. */
    int deliveredOld() {
        return deliveredOld;
    }

    /** Sent out of order arrived in order: the network reorders. */
    boolean reordered() {
        return reordered;
    }

    long rackRtt() {
        return rackRtt;
    }

    // ---- sending ------------------------------------------------------------

    /** Something new was sent, up to {@code end}. */
    void sent(int from, int end, long now) {
        if (head == tail) {
            head = 0;
            tail = 0;
            hint = 0;
            start = from;
            fack = from;
        }
        if (!mayAdd() && (marks[tail - 1] & ~CUT) == 0) {
            ends[tail - 1] = end;
            times[tail - 1] = now;
            return;
        }
        room();
        ends[tail] = end;
        times[tail] = now;
        marks[tail] = 0;
        tail++;
    }

    /** The first octet to be sent again. Only while {@link #lost} is not 0. */
    int nextLost() {
        while ((marks[hint] & LOST) == 0) {
            hint++;
        }
        return first(hint);
    }

    /** Octets that are lost in one piece from {@link #nextLost} on. */
    int nextLostLen() {
        int i = hint;
        while (i < tail && (marks[i] & LOST) != 0) {
            i++;
        }
        return ends[i - 1] - first(hint);
    }

    /**
     * The last octets, at most {@code most}, begin here: what a probe repeats. A FIN that was sent alone takes what is
     * before it along, for its arrival is nothing that a peer acknowledges selectively.
     */
    int lastFrom(int most, boolean finAlone) {
        final int last = tail - 1;
        final boolean more = finAlone && last > head && ends[last] - ends[last - 1] == 1
            && (marks[last - 1] & SACKED) == 0;
        return more ? Seq.max(first(last - 1), ends[last - 1] - most) : Seq.max(first(last), ends[last] - most);
    }

    /** [from, to) was sent again. */
    void sentAgain(int from, int to, long now) {
        int i = find(from);
        if (i < tail && Seq.lt(first(i), from)) {
            final int left = split(i, from, 0);
            i = left == NONE ? i : left + 1;
        }
        for (; i < tail && Seq.lt(first(i), to); i++) {
            if (Seq.gt(ends[i], to)) {
                final int left = split(i, to, 0);
                i = left == NONE ? i : left;
            }
            if ((marks[i] & SACKED) == 0) {
                unlose(i);
                marks[i] = (byte) (marks[i] & CUT | REXMIT);
                times[i] = now;
            }
        }
    }

    // ---- acknowledgments ------------------------------------------------------------

    /** An acknowledgment begins. {@code ecr}: the time its echoed timestamp stands for, if it has one. */
    void begin(long now, long minRtt, boolean hasEcr, long ecr) {
        nowNs = now;
        minRttNs = minRtt;
        ecrValid = hasEcr;
        ecrNs = ecr;
        delivered = 0;
        delivered1 = 0;
        deliveredOld = 0;
        reordered = false;
    }

    /** Everything before {@code una} was received. */
    void ack(int una) {
        while (head < tail && Seq.leq(ends[head], una)) {
            deliver(head, ends[head] - start);
            if ((marks[head] & SACKED) != 0) {
                sacked -= ends[head] - start;
                sackedCnt--;
            }
            if ((marks[head] & CUT) != 0) {
                cut(-1);
            }
            start = ends[head];
            head++;
        }
        hint = Math.max(hint, head);
        if (head < tail && Seq.lt(start, una)) {
            deliver(head, una - start);
            if ((marks[head] & SACKED) != 0) {
                sacked -= una - start;
            }
            start = una;
        }
        fack = Seq.max(fack, una);
        if (head == tail) {
            start = una;
        }
    }

    /**
     * A block was received; the caller has seen to it that it lies within what is in flight.
     *
     * @param maySplit whether records may be cut for it
     * @return false when a part of it could not be noted
     */
    boolean sack(int from, int to, boolean maySplit) {
        int i = find(from);
        if (i < tail && Seq.lt(first(i), from) && (marks[i] & SACKED) == 0) {
            final int left = maySplit ? split(i, from, CUT) : NONE;
            if (left == NONE) {
                return false;
            }
            i = left + 1;
        }
        for (; i < tail && Seq.lt(first(i), to); i++) {
            if ((marks[i] & SACKED) != 0) {
                continue;
            }
            if (Seq.gt(ends[i], to) && i > head && (marks[i - 1] & SACKED) != 0) {
                extend(i, to);
                return true;
            }
            if (Seq.gt(ends[i], to)) {
                i = maySplit ? split(i, to, CUT) : NONE;
                if (i == NONE) {
                    return false;
                }
            }
            final int n = ends[i] - first(i);
            deliver(i, n);
            marks[i] |= SACKED;
            sacked += n;
            sackedCnt++;
        }
        return true;
    }

    /** What was received before record i now reaches into it, to {@code to}: no more records, for all of a window. */
    private void extend(int i, int to) {
        final int n = to - first(i);
        deliver(i, n);
        sacked += n;
        ends[i - 1] = to;
    }

    /** Counts a record, or the first {@code n} octets of one, as delivered. RFC 8985 section 6.2 steps 1 - 3. */
    private void deliver(int i, int n) {
        if ((marks[i] & SACKED) != 0) {
            return;
        }
        delivered += n;
        final int end = first(i) + n;
        final boolean again = (marks[i] & REXMIT) != 0;
        if (!again) {
            delivered1 += n;
            deliveredOld += Seq.leq(end, timeoutEnd) ? n : 0;
            reordered |= Seq.lt(end, fack);
        }
        if ((marks[i] & LOST) != 0) {
            lost -= n;
            if (end == ends[i]) {
                marks[i] &= ~LOST;
            }
        }
        fack = Seq.max(fack, end);
        final long rtt = nowNs - times[i];
        if (again && (ecrValid && ecrNs - times[i] < 0 || rtt < minRttNs)) {
            return; // it was the earlier transmission that arrived
        }
        if (rackRtt == 0 || later(times[i], end, rackXmit, rackEnd)) {
            rackXmit = times[i];
            rackEnd = end;
            rackRtt = Math.max(rtt, 1);
        }
    }

    private static boolean later(long t1, int end1, long t2, int end2) {
        return t1 > t2 || t1 == t2 && Seq.gt(end1, end2);
    }

    /** The peer acknowledges up to text that it said it had: it has it no more. */
    boolean reneged() {
        return head < tail && (marks[head] & SACKED) != 0;
    }

    /** Nothing counts as received selectively any more (RFC 2018 section 8); all of it is lost. */
    void renege() {
        for (int i = head; i < tail; i++) {
            marks[i] &= ~SACKED;
        }
        sacked = 0;
        sackedCnt = 0;
        loseAll();
    }

    // ---- losses ------------------------------------------------------------

    /** DupThresh records, or as much as that, were received out of order. */
    boolean dupThresh(int mss) {
        return sackedCnt >= DUPTHRESH || sacked > (DUPTHRESH - 1) * mss;
    }

    /**
     * RFC 8985 section 6.2 step 5: what was sent before something that has arrived, by a round trip and the window
     * of reordering, is lost.
     *
     * @return ns until something else will be; 0 when nothing will
     */
    long detectLoss(long now, long reoWnd) {
        long timeout = 0;
        if (rackRtt == 0) {
            return 0;
        }
        for (int i = head; i < tail; i++) {
            if ((marks[i] & (SACKED | LOST)) != 0) {
                continue;
            }
            if (!later(rackXmit, rackEnd, times[i], ends[i])) {
                if ((marks[i] & REXMIT) == 0) {
                    break; // what follows was sent later still
                }
                continue;
            }
            final long remaining = times[i] + rackRtt + reoWnd - now;
            if (remaining <= 0) {
                lose(i);
            } else {
                timeout = Math.max(timeout, remaining);
            }
        }
        return timeout;
    }

    /**
     * RFC 6675 section 4, IsLost: DupThresh records, or as much, received above it; and, if wanted, what was sent
     * again before something that has arrived.
     */
    void detectLoss6675(int mss, boolean rexmitsToo) {
        int above = 0;
        int cnt = 0;
        for (int i = tail - 1; i >= head; i--) {
            final int n = ends[i] - first(i);
            if ((marks[i] & SACKED) != 0) {
                above += n;
                cnt++;
            } else if ((marks[i] & LOST) == 0 && (cnt >= DUPTHRESH || above > (DUPTHRESH - 1) * mss)
                && ((marks[i] & REXMIT) == 0 || rexmitsToo && later(rackXmit, rackEnd, times[i], ends[i]))) {
                lose(i);
            }
        }
    }

    /** A timeout has come: what is sent from here on is no sign of what became of the rest. */
    void markTimeout() {
        timeoutEnd = end();
    }

    /** The oldest segment is lost. */
    void loseFirst(int mss) {
        if (head == tail || (marks[head] & (SACKED | LOST)) != 0) {
            return;
        }
        if (ends[head] - start > mss) {
            split(head, start + mss, 0); // which may move the records
        }
        lose(head);
    }

    /** All that was not received is lost. */
    void loseAll() {
        for (int i = head; i < tail; i++) {
            if ((marks[i] & (SACKED | LOST)) == 0) {
                lose(i);
            }
        }
    }

    /** Whether all that is lost lies in [from, to). */
    boolean lostWithin(int from, int to) {
        int left = lost;
        for (int i = hint; left > 0; i++) {
            if ((marks[i] & LOST) != 0) {
                if (Seq.lt(first(i), from) || Seq.gt(ends[i], to)) {
                    return false;
                }
                left -= ends[i] - first(i);
            }
        }
        return true;
    }

    /** It was a mistake: nothing is lost, and what was sent again is not what has arrived since. */
    void loseNone() {
        rackRtt = 0;
        for (int i = head; i < tail; i++) {
            unlose(i);
        }
    }

    private void lose(int i) {
        marks[i] |= LOST;
        lost += ends[i] - first(i);
        hint = Math.min(hint, i);
    }

    private void unlose(int i) {
        if ((marks[i] & LOST) != 0) {
            marks[i] &= ~LOST;
            lost -= ends[i] - first(i);
        }
    }

    // ---- records ------------------------------------------------------------

    private int first(int i) {
        return i == head ? start : ends[i - 1];
    }

    /** The record that has octet {@code seq}. */
    private int find(int seq) {
        int lo = head;
        int hi = tail;
        while (lo < hi) {
            final int mid = lo + hi >>> 1;
            if (Seq.leq(ends[mid], seq)) {
                lo = mid + 1;
            } else {
                hi = mid;
            }
        }
        return lo;
    }

    /** Cuts record i at {@code at}; answers where its first part is now, marked, NONE when there is no room. */
    private int split(int i, int at, int mark) {
        if (!mayAdd()) {
            return NONE;
        }
        final int k = i - head;
        room();
        final int j = head + k;
        System.arraycopy(ends, j, ends, j + 1, tail - j);
        System.arraycopy(times, j, times, j + 1, tail - j);
        System.arraycopy(marks, j, marks, j + 1, tail - j);
        ends[j] = at;
        tail++;
        marks[j] = (byte) (marks[j] & ~CUT | mark);
        if (mark == CUT) {
            cut(1);
        }
        if ((marks[j] & SACKED) != 0) {
            sackedCnt++;
        }
        if (hint > j) {
            hint++;
        }
        return j;
    }

    private void cut(int more) {
        cuts += more;
        owner.cut(more);
    }

    private boolean mayAdd() {
        return tail < ends.length || head >= ends.length / 4
            || tail - head < MOST && owner.mayGrow(ends.length);
    }

    /** Room for one more at the end: moves the records to the front, or doubles it. May change indexes. */
    private void room() {
        if (tail < ends.length) {
            return;
        }
        final int n = tail - head;
        if (head < ends.length / 4) {
            owner.grown(ends.length);
            ends = Arrays.copyOf(ends, 2 * ends.length);
            times = Arrays.copyOf(times, ends.length);
            marks = Arrays.copyOf(marks, ends.length);
            return;
        }
        System.arraycopy(ends, head, ends, 0, n);
        System.arraycopy(times, head, times, 0, n);
        System.arraycopy(marks, head, marks, 0, n);
        hint = Math.max(hint - head, 0);
        head = 0;
        tail = n;
    }

    /** Recounts and fails on a difference; for assertions. */
    boolean check() {
        int s = 0;
        int c = 0;
        int l = 0;
        int k = 0;
        for (int i = head; i < tail; i++) {
            final int n = ends[i] - first(i);
            assert n > 0 : "empty record";
            k += (marks[i] & CUT) != 0 ? 1 : 0;
            if ((marks[i] & SACKED) != 0) {
                s += n;
                c++;
                assert (marks[i] & LOST) == 0 : "received and lost";
            }
            if ((marks[i] & LOST) != 0) {
                l += n;
                assert i >= hint : "lost before the hint";
            }
        }
        assert s == sacked && c == sackedCnt && l == lost && k == cuts
            : s + " " + c + " " + l + " " + k + " counted as " + sacked + " " + sackedCnt + " " + lost + " " + cuts;
        return true;
    }

    /** Octets from the start of what is in flight, one letter each: for tests. A acknowledged, L lost, R sent again. */
    String describe() {
        final StringBuilder b = new StringBuilder();
        for (int i = head; i < tail; i++) {
            final String c = (marks[i] & SACKED) != 0 ? "A" : (marks[i] & LOST) != 0 ? "L"
                : (marks[i] & REXMIT) != 0 ? "R" : ".";
            b.append(c.repeat(ends[i] - first(i)));
        }
        return b.toString();
    }
}
