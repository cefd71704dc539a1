package io.gatun.netinet.gmp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class InMfilterTest {
    private static final int SENDERS = 12;

    private static SourceSet random(final SplittableRandom r) {
        SourceSet s = SourceSet.EMPTY;
        for (int i = r.nextInt(6); i > 0; i--) {
            final int n = r.nextInt(SENDERS);
            s = s.union(SourceSet.of(n % 3 - 1, n)); // -1 is the greatest high word
        }
        return s;
    }

    /** The sum lets a sender in exactly when one of the filters does. */
    @Test
    void merge_randomFilters_letsInWhomOneLetsIn() {
        final long seed = Long.getLong("gatun.seed", 3);
        System.out.println("seed=" + seed);
        final SplittableRandom r = new SplittableRandom(seed);
        for (int turn = 0; turn < 5000; turn++) {
            final List<InMfilter> all = new ArrayList<>();
            for (int i = r.nextInt(5); i > 0; i--) {
                all.add(new InMfilter(r.nextBoolean(), random(r)));
            }
            final InMfilter sum = InMfilter.merge(all);
            for (int n = 0; n < SENDERS; n++) {
                final int lo = n;
                assertThat(sum.allows(n % 3 - 1, n)).as("%s of %s", sum, all)
                    .isEqualTo(all.stream().anyMatch(f -> f.allows(lo % 3 - 1, lo)));
            }
        }
    }

    @Test
    void sets_randomOnes_keepOrderAndMembers() {
        final SplittableRandom r = new SplittableRandom(4);
        for (int turn = 0; turn < 5000; turn++) {
            final SourceSet a = random(r);
            final SourceSet b = random(r);
            for (int n = 0; n < SENDERS; n++) {
                final long hi = n % 3 - 1L;
                final boolean inA = a.contains(hi, n);
                final boolean inB = b.contains(hi, n);
                assertThat(a.union(b).contains(hi, n)).isEqualTo(inA || inB);
                assertThat(a.intersection(b).contains(hi, n)).isEqualTo(inA && inB);
                assertThat(a.minus(b).contains(hi, n)).isEqualTo(inA && !inB);
            }
            assertThat(a.union(b)).isEqualTo(b.union(a)).hasSameHashCodeAs(b.union(a));
            assertThat(a.union(b).size()).isEqualTo(a.size() + b.size() - a.intersection(b).size());
        }
    }
}
