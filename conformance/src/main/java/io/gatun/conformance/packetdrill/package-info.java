/**
 * Runs packetdrill scripts against the stack, in process: a script's system calls are made on sockets of a fresh vnet,
 * its inbound packets are put into an interface of that vnet, and what the stack transmits there is compared with its
 * outbound packets. Time is the vnet's virtual clock, so that a script of minutes runs in milliseconds, and always the
 * same way.
 *
 * <p>{@link io.gatun.conformance.packetdrill.Packetdrill} runs one script, {@link
 * io.gatun.conformance.packetdrill.Suite} a folder of them on all processors. The shell commands that scripts use
 * (sysctl, sockstat, tcpdrop, setkey) are carried out by a small interpreter, on the vnet.
 *
 * <p>The language is packetdrill's, with FreeBSD as the system: {@code #ifdef FreeBSD} is taken, the numbers of flags
 * and errors are FreeBSD's.
 */
package io.gatun.conformance.packetdrill;
