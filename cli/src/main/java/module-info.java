/** The {@code gatun} command. */
module io.gatun.cli {
    requires io.gatun.conformance;
    requires io.gatun.drivers;
    requires io.gatun.netinet;
    requires transitive io.gatun.protosw;
    requires io.gatun.uipc;
    requires info.picocli;
    requires java.management;
    requires HdrHistogram;
    requires static com.google.errorprone.annotations;

    exports io.gatun.cli.ctl;

    opens io.gatun.cli to info.picocli;
    opens io.gatun.cli.bench to info.picocli;
}
