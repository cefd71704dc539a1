/** Network interfaces, each on the contract of {@code Ifnet} alone. */
module io.gatun.drivers {
    requires transitive io.gatun.spi;
    requires org.agrona;
    requires static com.google.errorprone.annotations;
}
