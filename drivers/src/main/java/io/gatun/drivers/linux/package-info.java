/**
 * Linux as the drivers see it: system calls through the foreign function interface, and the devices of the machine
 * as plain objects below the {@code Ifnet} contract.
 *
 * <p>{@link io.gatun.drivers.linux.Linux} and the classes named like C structures are written by jextract from
 * {@code src/main/jextract/linux.h} and {@code linux.symbols}; {@code generate.sh} beside them writes them anew.
 * {@link io.gatun.drivers.linux.LibC} adds what jextract leaves out, errno.
 *
 * <p>Every error here is a negative errno <em>in the numbers of Linux</em>, which are not those of FreeBSD
 * ({@code EAGAIN} is 11 here and 35 there). Whoever calls from the stack translates. Nothing here knows an mbuf, a
 * vnet or an ifnet, and nothing here throws for what the machine answers; exceptions are for wrong arguments.
 */
package io.gatun.drivers.linux;
