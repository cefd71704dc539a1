package io.gatun.conformance.netsim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class EventHeapTest {
    @Test
    void set_atRandom_firstIsTheEarliestAndOfEqualsTheLowest() {
        final SplittableRandom r = new SplittableRandom(7);
        final EventHeap heap = new EventHeap();
        final long[] model = new long[100];
        for (int i = 0; i < model.length; i++) {
            assertThat(heap.add()).isEqualTo(i);
            model[i] = EventHeap.NEVER;
        }
        assertThat(heap.firstNs()).isEqualTo(EventHeap.NEVER);
        for (int n = 0; n < 100_000; n++) {
            final int s = r.nextInt(model.length);
            model[s] = r.nextInt(8) == 0 ? EventHeap.NEVER : r.nextInt(200);
            heap.set(s, model[s]);
            int first = 0;
            for (int i = 1; i < model.length; i++) {
                first = model[i] < model[first] ? i : first;
            }
            assertThat(heap.first()).isEqualTo(first);
            assertThat(heap.firstNs()).isEqualTo(model[first]);
        }
    }

    @Test
    void add_none_nothingIsDue() {
        assertThat(new EventHeap().firstNs()).isEqualTo(EventHeap.NEVER);
    }
}
