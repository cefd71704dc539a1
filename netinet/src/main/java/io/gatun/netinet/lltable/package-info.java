/**
 * What the neighbours of an Ethernet have in common, whatever protocol finds them: their table, the packets that wait
 * for them, the headers to them. Knows nothing of how a neighbour is asked for, nor of what is believed of it.
 * FreeBSD: {@code net/if_llatbl.c}.
 */
package io.gatun.netinet.lltable;
