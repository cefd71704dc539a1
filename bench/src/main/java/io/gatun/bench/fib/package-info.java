/**
 * Forwarding tables measured against each other: what {@code io.gatun.netinet.route} has, and candidates that it might
 * have instead. The candidates look up and change as the real thing would, but are for one thread: publication to
 * readers costs a store on this side, and none that a benchmark would see.
 */
package io.gatun.bench.fib;
