/**
 * The place of the packet filter machine, its compiler to bytecode, capture buffers and pcapng files. Nothing of it is
 * written yet: an interface can be tapped through {@code io.gatun.spi.ifnet}, and this module will be what taps it.
 *
 * <p>Will stand for FreeBSD's {@code net/bpf.c}, {@code net/bpf_filter.c} and {@code net/bpf_buffer.c}.
 */
package io.gatun.bpf;
