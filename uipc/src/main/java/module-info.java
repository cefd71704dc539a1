/** The socket layer. */
module io.gatun.uipc {
    requires transitive io.gatun.protosw;
    requires static com.google.errorprone.annotations;
}
