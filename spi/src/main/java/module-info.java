/** What a device, a protocol and a socket consumer see of each other. Depends on nothing. */
module io.gatun.spi {
    requires static com.google.errorprone.annotations;

    exports io.gatun.spi.ifnet;
    exports io.gatun.spi.mbuf;
    exports io.gatun.spi.socket;
    exports io.gatun.spi.sys;
    exports io.gatun.spi.vnet;
}
