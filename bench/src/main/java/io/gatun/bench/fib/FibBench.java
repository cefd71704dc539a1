package io.gatun.bench.fib;

import io.gatun.netinet.route.NextHop;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Look-ups in, and changes of, forwarding tables of the internet's size: 1,000,000 IPv4 and 200,000 IPv6 prefixes. Each
 * structure is first held against a plain trie under random changes. {@link FibCompare} has what they take, and is for
 * a busy machine.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = {"-Xms3g", "-Xmx3g"})
@State(Scope.Benchmark)
public class FibBench {
    private static final int BATCH = 1 << 10;
    private static final int MASK = FibTable.QUESTIONS - 1;

    /** One of FibTable.Kind. */
    @Param({"RADIX", "TREE_BITMAP", "DXR", "DIR24", "POPTRIE"})
    public String structure;

    /** IP version. */
    @Param({"4", "6"})
    public int family;

    private FibTable table;
    private Lpm lpm;
    private long[] random;
    private long[] skewed;
    private int[] victims;
    private int at;

    /** Fills the table. */
    @Setup
    public void fill() {
        table = new FibTable(FibTable.Kind.valueOf(structure), family == 6);
        table.check();
        lpm = table.lpm;
        random = table.random();
        skewed = table.skewed();
        victims = new Random(1).ints(FibTable.QUESTIONS, 0, table.prefixes.length).toArray();
    }

    private int lookUp(final long[] asked) {
        int sum = 0;
        final int from = at;
        for (int i = from; i < from + BATCH; i++) {
            final NextHop nh = lpm.lookup(asked[i]);
            if (nh != null) {
                sum += nh.flags;
            }
        }
        at = from + BATCH & MASK;
        return sum;
    }

    /** Each address below a prefix drawn evenly. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int lookupRandom() {
        return lookUp(random);
    }

    /** A few destinations often, many seldom. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int lookupSkewed() {
        return lookUp(skewed);
    }

    /** A route goes, and comes back: two changes. */
    @Benchmark
    @OperationsPerInvocation(2)
    public void update() {
        final int i = victims[at];
        at = at + 1 & MASK;
        lpm.put(table.prefixes[i], table.lengths[i], null);
        lpm.put(table.prefixes[i], table.lengths[i], table.hop(i));
    }
}
