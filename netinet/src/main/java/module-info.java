/** The internet domain. */
module io.gatun.netinet {
    requires transitive io.gatun.protosw;
    requires static com.google.errorprone.annotations;

    exports io.gatun.netinet.pcb;
}
