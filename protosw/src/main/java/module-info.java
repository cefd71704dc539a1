/** One stack instance: domains and the protocol switch, netisr, callouts, sysctl. */
module io.gatun.protosw {
    requires transitive io.gatun.spi;
    requires org.agrona;
    requires org.jctools.core;
    requires static com.google.errorprone.annotations;

    exports io.gatun.protosw;

    uses io.gatun.spi.ifnet.IfnetDriver;
    uses io.gatun.spi.socket.Domain;
    uses io.gatun.spi.vnet.VnetModule;
}
