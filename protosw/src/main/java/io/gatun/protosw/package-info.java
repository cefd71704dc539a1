/**
 * One stack instance: its domains and protocol switch, interrupts (netisr), callouts, sysctl tree and interfaces.
 * Knows no protocol and no driver by name; both are found by {@link java.util.ServiceLoader}.
 *
 * <p>Stands for FreeBSD's {@code kern/uipc_domain.c}, {@code net/vnet.c}, {@code net/netisr.c},
 * {@code kern/kern_timeout.c} and {@code kern/kern_sysctl.c}.
 */
package io.gatun.protosw;
