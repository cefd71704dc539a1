/**
 * JMH benchmarks of single paths through the stack. Whole-program comparisons with the kernel are {@code gatun bench}.
 */
package io.gatun.bench;
