package io.gatun.spi.vnet;

/**
 * One timer, made once by {@link VnetSide#callout} and armed as often as its owner likes. A callout made with a lock
 * runs its handler with that lock held, and a {@link #stop} by a thread that holds the lock is exact: the handler will
 * not run afterwards.
 *
 * <p>Typical sequence: made at attach, {@code reset} and {@code stop} under the owner's lock while it lives, {@code
 * drain} without the lock before its memory is given up.
 *
 * @bsd struct callout
 * @see <a href="https://man.freebsd.org/callout/9">callout(9)</a>
 */
public interface Callout {
    /**
     * Arms the timer, or moves it when it is armed. Cheap when the deadline only moves later.
     *
     * @param delayNs nanoseconds from now; 0 or less runs it at the next opportunity, never before this returns
     * @return true when it was armed before
     * @bsd callout_reset
     */
    boolean reset(long delayNs);

    /**
     * Arms the timer for an instant of the vnet's clock.
     *
     * @bsd callout_reset_sbt
     */
    boolean resetAt(long deadlineNs);

    /**
     * Disarms. Does not wait for a handler that runs already, unless the caller holds the callout's lock.
     *
     * @return true when it was armed and now will not run
     * @bsd callout_stop
     */
    boolean stop();

    /**
     * Disarms and waits until no handler of this callout runs. The caller must not hold the callout's lock. Called
     * from the handler itself it only disarms.
     *
     * @return true when it was armed
     * @bsd callout_drain
     */
    boolean drain();

    /** Armed, not yet started to run. @bsd callout_pending */
    boolean pending();

    /** Armed, or running and not stopped since. @bsd callout_active */
    boolean active();

    /** The instant it is armed for, in ns of the vnet's clock; meaningless when not {@link #pending}. */
    long deadlineNs();
}
