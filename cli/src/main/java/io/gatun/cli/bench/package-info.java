/**
 * {@code gatun bench}: the same workloads on Gatun with threads, on Gatun in poll mode, and on the kernel's loopback
 * through Java NIO, interleaved in one run. Figures of one run compare; figures of two runs do not.
 */
package io.gatun.cli.bench;
