/** The socket layer. */
module io.gatun.uipc {
    requires transitive io.gatun.protosw;
    requires transitive io.gatun.spi;
    requires static com.google.errorprone.annotations;

    exports io.gatun.uipc;
    exports io.gatun.uipc.api;

    uses io.gatun.spi.socket.AcceptFilter;
}
