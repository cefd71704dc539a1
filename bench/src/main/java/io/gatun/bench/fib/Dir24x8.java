package io.gatun.bench.fib;

import io.gatun.netinet.route.NextHop;
import java.util.Arrays;

/**
 * DIR-24-8: a direct table of the first 24 bits, and below it blocks of 256 entries for 8 bits each, as many levels as
 * there are longer prefixes. IPv4 needs one level, IPv6 up to /48 three.
 *
 * <pre>
 *   entry   bit 31: leads on; bits 30..24: length of the prefix; bits 23..0: number of the next hop or of the block
 * </pre>
 */
final class Dir24x8 implements Lpm {
    private static final int TOP_BITS = 24;
    private static final int STEP = 8;
    private static final int BLOCK = 1 << STEP;
    private static final int NUMBER = (1 << 24) - 1;
    private static final int LENGTH = 0x7f;

    private final Radix rib = new Radix();
    private final Hops hops = new Hops();
    private final int[] top = new int[1 << TOP_BITS];
    private int[] blocks = new int[BLOCK << 10];
    private int[] unused = new int[1 << 10]; // numbers of blocks given back
    private int unusedCount;
    private int blockCount;

    @Override
    public NextHop lookup(final long addr) {
        int e = top[(int) (addr >>> Long.SIZE - TOP_BITS)];
        long rest = addr << TOP_BITS;
        while (e < 0) {
            e = blocks[(e & NUMBER) << STEP | (int) (rest >>> Long.SIZE - STEP)];
            rest <<= STEP;
        }
        return hops.hops[e & NUMBER];
    }

    @Override
    public void put(final long prefix, final int bits, final NextHop nh) {
        rib.put(prefix, bits, nh);
        int entry = bits << TOP_BITS | hops.number(nh);
        if (nh == null) {
            final Radix.Node cover = rib.cover(prefix, bits);
            entry = cover == null ? 0 : cover.bits << TOP_BITS | hops.number(cover.nh);
        }
        final int i = (int) (prefix >>> Long.SIZE - TOP_BITS);
        if (bits <= TOP_BITS) {
            for (int k = i; k < i + (1 << TOP_BITS - bits); k++) {
                top[k] = replaced(top[k], entry, bits);
            }
        } else {
            top[i] = deeper(top[i], prefix << TOP_BITS, bits - TOP_BITS, entry, bits);
        }
    }

    /** An entry after the change, if it is not of a longer prefix. */
    private int replaced(final int old, final int entry, final int bits) {
        if (old < 0) {
            final int base = (old & NUMBER) << STEP;
            for (int k = base; k < base + BLOCK; k++) {
                blocks[k] = replaced(blocks[k], entry, bits);
            }
            return collapsed(old);
        }
        return (old >>> TOP_BITS & LENGTH) <= bits ? entry : old;
    }

    /** An entry after a change further down. */
    private int deeper(final int old, final long rest, final int restBits, final int entry, final int bits) {
        final int e = old < 0 ? old : 1 << 31 | block(old);
        final int base = (e & NUMBER) << STEP;
        final int i = base + (int) (rest >>> Long.SIZE - STEP);
        if (restBits > STEP) {
            final int now = deeper(blocks[i], rest << STEP, restBits - STEP, entry, bits);
            blocks[i] = now;
        } else {
            for (int k = i; k < i + (1 << STEP - restBits); k++) {
                blocks[k] = replaced(blocks[k], entry, bits);
            }
        }
        return collapsed(e);
    }

    /** The entry that all of a block are, or the block. */
    private int collapsed(final int e) {
        final int base = (e & NUMBER) << STEP;
        final int first = blocks[base];
        if (first < 0) {
            return e;
        }
        for (int k = base + 1; k < base + BLOCK; k++) {
            if (blocks[k] != first) {
                return e;
            }
        }
        if (unusedCount == unused.length) {
            unused = Arrays.copyOf(unused, 2 * unusedCount);
        }
        unused[unusedCount++] = e & NUMBER;
        return first;
    }

    private int block(final int fill) {
        final int b = unusedCount > 0 ? unused[--unusedCount] : blockCount++;
        if ((b + 1) << STEP > blocks.length) {
            blocks = Arrays.copyOf(blocks, blocks.length + (blocks.length >> 1));
        }
        Arrays.fill(blocks, b << STEP, b + 1 << STEP, fill);
        return b;
    }
}
