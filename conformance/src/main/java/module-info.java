/** The published test kit. */
module io.gatun.conformance {
    requires transitive io.gatun.drivers;
    requires transitive io.gatun.netinet;
    requires transitive io.gatun.uipc;
    requires static transitive org.assertj.core;
    requires static transitive org.junit.jupiter.api;
    requires transitive io.gatun.protosw;
    requires static com.google.errorprone.annotations;

    exports io.gatun.conformance.driver;
    exports io.gatun.conformance.netsim;
    exports io.gatun.conformance.packetdrill;
    exports io.gatun.conformance.protocol;
}
