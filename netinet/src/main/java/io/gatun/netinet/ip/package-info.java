/**
 * The Internet Protocol, version 4 (RFC 791, 1122, 1812): input, forwarding, output, fragments both ways, options and
 * the Internet checksum. Knows the link layer by {@code Ifnet} alone and transports by {@code IpprotoTable}. Stands for
 * FreeBSD's netinet/ip_input, ip_output, ip_reass, ip_options, in_cksum.
 */
package io.gatun.netinet.ip;
