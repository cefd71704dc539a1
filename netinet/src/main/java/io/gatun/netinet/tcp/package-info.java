/**
 * TCP after RFC 9293, split as the RFC is: {@code TcpInput} finds the connection; {@code ListenArrives}, {@code
 * SynSentArrives}, {@code SegmentArrives} (with {@code AckArrives}, {@code SegmentText}, {@code TcpReass}) and {@code
 * TimeWaitArrives} are section 3.10.7; {@code SendDecision}, {@code SegmentBuilder} and {@code TcpOutput} send; {@code
 * TcpTimers} is section 3.10.8. State is in {@link io.gatun.netinet.tcp.Tcpcb}, all of it under its pcb's lock; the
 * root of a vnet is {@link io.gatun.netinet.tcp.Tcp}. Knows sockets by {@code SocketSide}, the network layer by {@code
 * TcpNet}. Stands for FreeBSD's netinet/tcp_*.c.
 *
 * <p>Room kept for what is not here. {@code Syncache} (half-open connections without a socket) takes the place of
 * {@code ListenArrives.open} and makes the child on the third segment. {@code TcpSack} (RFC 2018, 6675) keeps its
 * scoreboard in {@code Tcpcb}, reads the blocks that {@code Seg.sackOff} and {@code Seg.nsacks} already show, decides
 * in {@code AckArrives.duplicate} and {@code newAck}, and chooses what {@code SendDecision.plan} sends again; until
 * then SACK is neither offered nor accepted. RACK-TLP is a timer beside TT_REXMT and a rule in {@code
 * AckArrives.duplicate}. Congestion control is {@link io.gatun.netinet.tcp.cc.CcAlgo}.
 *
 * <p>RFC 9293, 1122, 5681, 6582, 3042, 3465, 6298, 7323, 5961, 6528, 6191, 1337, 6093, 1191, 5461, 5927, 6928.
 */
package io.gatun.netinet.tcp;
