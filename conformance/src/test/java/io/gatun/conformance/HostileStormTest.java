package io.gatun.conformance;

import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.vnet.LockStrategy;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Two hosts whose users do what they like, a neighbour that wishes them ill, and a pool that at times has nothing:
 * fragments, neighbour discovery, ARP, groups, datagrams, vlans, DHCP. After each event nothing was thrown and each
 * table is within its bounds. In the end either a vnet is closed in the middle of it all, or there is peace: then the
 * hosts hear each other again over both families. Nothing is left.
 *
 * <p>{@code -Dgatun.fuzz.rounds=N} storms, a few by default, with seeds from {@code -Dgatun.fuzz.first} on; {@code
 * -Dgatun.seed=N} runs one.
 */
class HostileStormTest {
    private static final int ROUNDS = Integer.getInteger("gatun.fuzz.rounds", 12);
    private static final int FIRST = Integer.getInteger("gatun.fuzz.first", 0);

    private static void run(final long seed) {
        final LockStrategy strategy = LockStrategy.values()[(int) (seed % LockStrategy.values().length)];
        final SplittableRandom r = new SplittableRandom(seed);
        final MbufPool pool = MbufPool.builder().name("hostile").nmbufs(8192).nmbclusters(4096).nmbjumbop(256)
            .nmbjumbo16(64).threads(1).build();
        HostileNet scene = null;
        try (Bed bed = new Bed(strategy, false, seed, pool)) {
            scene = new HostileNet(bed, r);
            scene.begin();
            for (int i = r.nextInt(50, 600); i > 0; i--) {
                scene.step();
            }
            if (r.nextInt(3) == 0) {
                scene.closeInTheMiddle();
            } else {
                scene.peace();
            }
        } catch (final Exception | AssertionError e) {
            throw new AssertionError("-Dgatun.seed=" + seed + (scene == null ? "" : scene.describe()), e);
        }
    }

    private static void runThreads(final long seed) {
        final LockStrategy strategy = LockStrategy.values()[(int) (seed % LockStrategy.values().length)];
        final SplittableRandom r = new SplittableRandom(seed);
        try (Bed bed = new Bed(strategy, true, seed)) {
            final HostileNet scene = new HostileNet(bed, r);
            scene.begin();
            scene.together(r.nextInt(20, 400));
        } catch (final Exception | AssertionError e) {
            throw new AssertionError("threads seed=" + seed, e);
        }
    }

    @Test
    void hostilePacketsAndUsers_nothingIsThrown_peaceFollows_nothingIsLeft() {
        final Long given = Long.getLong("gatun.seed");
        if (given != null) {
            run(given);
            return;
        }
        for (int seed = FIRST; seed < FIRST + ROUNDS; seed++) {
            run(seed);
        }
        System.out.println("hostile storms: seeds " + FIRST + " to " + (FIRST + ROUNDS - 1));
    }

    /** Each run is another one: threads do as they like. */
    @Test
    void hostilePacketsAndUsers_onThreads_vnetsCloseAmongThem_nothingIsThrownOrLeft() {
        for (int seed = FIRST; seed < FIRST + ROUNDS / 2; seed++) {
            runThreads(seed);
        }
    }
}
