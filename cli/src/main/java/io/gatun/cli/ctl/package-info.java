/**
 * Commands on the stack of a running process: {@code ifconfig}, {@code route}, {@code arp} and others with FreeBSD's
 * words and output, and the control socket over which {@code gatun} brings them to the process that runs the stack.
 *
 * <p>A command is a {@link io.gatun.cli.ctl.StackCommand}, listed in {@link io.gatun.cli.ctl.StackCommands}. It knows a
 * vnet and words, nothing of sockets or of the terminal; embedding programs may run one directly.
 */
package io.gatun.cli.ctl;
