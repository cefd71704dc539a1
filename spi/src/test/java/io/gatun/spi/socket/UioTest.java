package io.gatun.spi.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class UioTest {
    @Test
    void severalPieces_movedAndGivenBack_moveAgain() {
        final byte[] a = {1, 2, 3, 4};
        final byte[] b = {5};
        final byte[] c = {6, 7};
        final Uio uio = new Uio().set(MemorySegment.ofArray(a), 1, 3);
        uio.add(MemorySegment.ofArray(a), 0, 0);
        uio.add(MemorySegment.ofArray(b), 0, 1);
        uio.add(MemorySegment.ofArray(c), 0, 2);
        for (final int n : List.of(6, 1, 3, 4, 5)) {
            final byte[] out = new byte[6];
            uio.moveTo(MemorySegment.ofArray(out), 0, n);
            assertThat(uio.resid()).isEqualTo(6 - n);
            assertThat(Arrays.copyOf(out, n)).isEqualTo(Arrays.copyOf(new byte[] {2, 3, 4, 5, 6, 7}, n));
            uio.back(n);
            assertThat(uio.resid()).isEqualTo(6);
        }
        uio.skip(4);
        uio.back(1);
        final byte[] rest = new byte[3];
        uio.moveTo(MemorySegment.ofArray(rest), 0, 3);
        assertThat(rest).containsExactly(5, 6, 7);
    }
}
