/**
 * {@code gatun bench}: the same workloads on Gatun with threads, on Gatun in poll mode, and on the kernel's loopback
 * through Java NIO, interleaved in one run. Figures of one run compare; figures of two runs do not.
 *
 * <p>Each workload on each side has a JVM of its own ({@code BenchJvm}), for the compiler's profiles are those of a
 * program: a lock that both modes and three workloads have shared is compiled as no user's ever is. Three JVMs are
 * there at a time, of which one measures and two wait.
 */
package io.gatun.cli.bench;
