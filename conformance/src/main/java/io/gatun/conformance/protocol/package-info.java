/**
 * The kit for protocols: {@link io.gatun.conformance.protocol.DatagramKit}, the contract of the protocol switch for
 * datagrams as JUnit tests that a third party extends. Knows a protocol by its sockets alone.
 */
package io.gatun.conformance.protocol;
