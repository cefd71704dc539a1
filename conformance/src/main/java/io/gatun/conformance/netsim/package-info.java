/**
 * Simulated networks: hosts, each a whole vnet of the production stack in poll mode, joined by links with rate, delay,
 * queue, loss, reordering, duplication and congestion marks, on one virtual clock. One thread drives it all, and the
 * same seed gives the same octets at the same instants. A network knows interfaces and frames; of TCP it knows only
 * what a bulk transfer through the socket layer needs. Beside it stands a generator of routing tables of the internet's
 * size and shape.
 */
package io.gatun.conformance.netsim;
