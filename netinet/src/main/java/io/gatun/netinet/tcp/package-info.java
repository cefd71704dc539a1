/**
 * TCP after RFC 9293, split as the RFC is: {@code TcpInput} finds the connection; {@code ListenArrives}, {@code
 * SynSentArrives}, {@code SegmentArrives} (with {@code AckArrives}, {@code SegmentText}, {@code TcpReass}) and {@code
 * TimeWaitArrives} are section 3.10.7; {@code SendDecision}, {@code SegmentBuilder} and {@code TcpOutput} send; {@code
 * TcpTimers} is section 3.10.8. State is in {@link io.gatun.netinet.tcp.Tcpcb}, all of it under its pcb's lock; the
 * root of a vnet is {@link io.gatun.netinet.tcp.Tcp}. Knows sockets by {@code SocketSide}, the network layer by {@code
 * TcpNet}. Stands for FreeBSD's netinet/tcp_*.c.
 *
 * <p>Loss recovery: with selective acknowledgments {@code TcpSack} reads and writes the blocks, {@code TcpSendMap}
 * keeps every transmission in flight, {@code TcpRack} finds what is lost and decides what is sent again; without them
 * {@code AckArrives} does by counting duplicates. Congestion control is {@link io.gatun.netinet.tcp.cc.CcAlgo}.
 *
 * <p>Room kept for what is not here: {@code Syncache} (half-open connections without a socket) takes the place of
 * {@code ListenArrives.open} and makes the child on the third segment.
 *
 * <p>RFC 9293, 1122, 5681, 6582, 3042, 3465, 6298, 7323, 5961, 6528, 6191, 1337, 6093, 1191, 5461, 5927, 6928, 2018,
 * 2883, 6675, 6937, 8985, 5682.
 */
package io.gatun.netinet.tcp;
