/**
 * The network interface as the stack sees it and as a driver fills it: life cycle, transmit and input, flags,
 * capabilities, addresses, counters, and the cloner that a driver is found by.
 *
 * <p>Stands for FreeBSD's {@code net/if.h}, {@code net/if_var.h}, {@code net/if_clone.h} and {@code ifnet(9)}.
 */
package io.gatun.spi.ifnet;
