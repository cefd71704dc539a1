/**
 * Congestion control: the contract {@link io.gatun.netinet.tcp.cc.CcAlgo}, what it sees of a connection, CUBIC and
 * NewReno. An algorithm knows windows, acknowledgments and signals; it knows neither segments nor sockets. Stands for
 * FreeBSD's netinet/cc/. RFC 5681, 6582, 3465, 9438, 9406.
 */
package io.gatun.netinet.tcp.cc;
