/**
 * The stack's face for Java programs: sockets in FreeBSD's words, with Java's errors. Errors are {@link
 * io.gatun.spi.sys.ErrnoException}s; data is in a {@code ByteBuffer}, a {@code MemorySegment}, or, without a copy, in
 * mbufs. Unmodified programs use {@code io.gatun.nio} instead.
 *
 * <p>Stands for FreeBSD's socket system calls and {@code kern/sys_socket.c}.
 */
package io.gatun.uipc.api;
