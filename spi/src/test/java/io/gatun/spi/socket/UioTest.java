package io.gatun.spi.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
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

    @Test
    void addedAfterSomeMoved_goesOn_andAllComesBack() {
        final byte[] a = {1, 2, 3};
        final Uio uio = new Uio().set(MemorySegment.ofArray(a), 0, 3);
        uio.moveFrom(MemorySegment.ofArray(new byte[] {7, 8}), 0, 2);
        assertThat(a).containsExactly(7, 8, 3);
        uio.add(MemorySegment.ofArray(new byte[] {4, 5}), 0, 2);
        assertThat(uio.resid()).isEqualTo(3);
        final byte[] out = new byte[5];
        uio.moveTo(MemorySegment.ofArray(out), 0, 3);
        assertThat(Arrays.copyOf(out, 3)).containsExactly(3, 4, 5);
        uio.back(5);
        uio.moveTo(MemorySegment.ofArray(out), 0, 5);
        assertThat(out).containsExactly(7, 8, 3, 4, 5);
        assertThat(uio.resid()).isZero();
    }

    @Test
    void setAgain_forgetsThePiecesBefore() {
        final Uio uio = new Uio();
        for (int pieces = 1; pieces < 6; pieces++) {
            uio.set(MemorySegment.ofArray(new byte[] {1}), 0, 1);
            for (int i = 1; i < pieces; i++) {
                uio.add(MemorySegment.ofArray(new byte[] {(byte) (i + 1)}), 0, 1);
            }
            assertThat(uio.resid()).isEqualTo(pieces);
            uio.skip(pieces - 1);
            final byte[] last = new byte[1];
            uio.moveTo(MemorySegment.ofArray(last), 0, 1);
            assertThat(last).containsExactly(pieces);
        }
        uio.set(MemorySegment.ofArray(new byte[] {9}), 0, 1);
        assertThat(uio.resid()).isEqualTo(1);
        uio.clear();
        assertThat(uio.resid()).isZero();
        uio.moveTo(MemorySegment.ofArray(new byte[1]), 0, 0);
        uio.add(MemorySegment.ofArray(new byte[] {3}), 0, 1);
        assertThat(uio.resid()).isEqualTo(1);
    }

    @Test
    void piecesBeyondTheirSegment_areRefused_andLeaveItAsItWas() {
        final MemorySegment two = MemorySegment.ofArray(new byte[2]);
        final Uio uio = new Uio().set(two, 1, 1);
        final long most = Long.MAX_VALUE;
        for (final long[] bad : new long[][] {{-1, 1}, {0, -1}, {0, 3}, {2, 1}, {most, 2}, {1, most}}) {
            assertThatThrownBy(() -> uio.add(two, bad[0], bad[1])).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> uio.set(two, bad[0], bad[1])).isInstanceOf(IndexOutOfBoundsException.class);
        }
        assertThat(uio.resid()).isEqualTo(1);
    }

    @Test
    void memoryThatIsGone_isFoundInPiecesAhead_andNotInThoseBehind() {
        final Uio uio = new Uio();
        try (Arena arena = Arena.ofConfined()) {
            uio.set(arena.allocate(2), 0, 2);
            uio.add(MemorySegment.ofArray(new byte[2]), 0, 2);
            uio.skip(3);
        }
        uio.access();
        uio.back(3);
        assertThatThrownBy(uio::access).isInstanceOf(IllegalStateException.class);
        final Uio later = new Uio().set(MemorySegment.ofArray(new byte[2]), 0, 2);
        try (Arena arena = Arena.ofConfined()) {
            later.add(arena.allocate(2), 0, 2);
            later.access();
        }
        assertThatThrownBy(later::access).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void limit_countsWithoutMemory() {
        final Uio uio = new Uio().limit(10);
        uio.access();
        uio.skip(4);
        uio.back(1);
        assertThat(uio.resid()).isEqualTo(7);
    }

    /** Whatever is set, added, moved and given back: it is what one array of all octets would hold. */
    @Test
    void anyCalls_areAsOneArray() {
        final long seed = System.nanoTime();
        System.out.println("UioTest seed " + seed);
        final SplittableRandom r = new SplittableRandom(seed);
        final Uio uio = new Uio();
        for (int round = 0; round < 2000; round++) {
            final int pieces = 1 + r.nextInt(5);
            final byte[] all = new byte[pieces * 8];
            int n = 0;
            uio.clear();
            for (int i = 0; i < pieces; i++) {
                final byte[] piece = new byte[8];
                r.nextBytes(piece);
                final int off = r.nextInt(8);
                final int len = r.nextInt(9 - off);
                System.arraycopy(piece, off, all, n, len);
                n += len;
                if (i == 0) {
                    uio.set(MemorySegment.ofArray(piece), off, len);
                } else {
                    uio.add(MemorySegment.ofArray(piece), off, len);
                }
            }
            int at = 0;
            for (int k = 0; k < 20; k++) {
                if (r.nextBoolean()) {
                    final int move = r.nextInt(n - at + 1);
                    final byte[] out = new byte[move];
                    uio.moveTo(MemorySegment.ofArray(out), 0, move);
                    assertThat(out).isEqualTo(Arrays.copyOfRange(all, at, at + move));
                    at += move;
                } else {
                    final int back = r.nextInt(at + 1);
                    uio.back(back);
                    at -= back;
                }
                assertThat(uio.resid()).isEqualTo(n - at);
            }
        }
    }
}
