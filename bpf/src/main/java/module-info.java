/** The place of the packet filter; nothing is exported yet. */
module io.gatun.bpf {
    requires transitive io.gatun.spi;
}
