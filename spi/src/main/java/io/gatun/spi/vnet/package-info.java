/**
 * What a device or a protocol may ask of the stack instance it lives in: the clock, callouts, sysctl, netisr.
 * The instance itself is made in module {@code io.gatun.protosw}; here stand only its contracts.
 *
 * <p>Stands for parts of FreeBSD's {@code net/vnet.h}, {@code sys/callout.h}, {@code sys/sysctl.h} and
 * {@code net/netisr.h}.
 */
package io.gatun.spi.vnet;
