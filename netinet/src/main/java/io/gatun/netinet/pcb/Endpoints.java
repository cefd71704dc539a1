package io.gatun.netinet.pcb;

/** Scratch for endpoints being worked out, before they are committed. One for a table, under its hash lock. */
final class Endpoints {
    long fhi;
    long flo;
    long lhi;
    long llo;
    int fport;
}
