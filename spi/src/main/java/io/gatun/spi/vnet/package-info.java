/**
 * What a driver or a protocol sees of the stack instance it lives in: time, timers, dispatch of inbound packets,
 * tunables. The implementation is {@code io.gatun.protosw}. Stands for FreeBSD's net/vnet.h, sys/callout.h,
 * net/netisr.h, sys/sysctl.h.
 */
package io.gatun.spi.vnet;
