package io.gatun.netinet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class InetConfigTest {
    private final TestNet net = new TestNet();
    private final InetConfig config = net.config;

    @AfterEach
    void close() {
        net.close();
    }

    private static void fails(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(ErrnoException.class,
            e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void addresses_thatNoHostCanHave_areRefused() {
        for (String a : new String[] {"10.3.0.0/24", "10.3.0.255/24", "224.0.0.1/4", "0.0.0.0/0", "255.255.255.255"}) {
            fails(Errno.EINVAL, () -> config.addAddress(net.wire0.ifp, a));
        }
        fails(Errno.EEXIST, () -> config.addAddress(net.wire1.ifp, "10.0.0.1/24"));
        fails(Errno.EADDRNOTAVAIL, () -> config.removeAddress(net.wire0.ifp, "10.0.0.77"));
    }

    @Test
    void texts_thatAreNoAddress_areRefused() {
        for (String a : new String[] {"", "10.0.0", "host", "10.0.0.9/33", "10.0.0.9/-1", "10.0.0.9/x", "::g/64",
            "::1/129"}) {
            assertThatThrownBy(() -> config.addAddress(net.wire0.ifp, a)).isInstanceOf(IllegalArgumentException.class);
        }
        for (String a : new String[] {"", "02:00", "02:00:00:00:00:0g", "03:00:00:00:00:01"}) {
            assertThatThrownBy(() -> config.setArp(net.wire0.ifp, "10.0.0.9", a))
                .isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> config.setArp(net.wire0.ifp, "::9", "02:00:00:00:00:01"))
            .isInstanceOf(IllegalArgumentException.class);
        fails(Errno.EAFNOSUPPORT, () -> config.addAddress(net.wire0.ifp, "::1/64")); // a vnet without IPv6
        fails(Errno.EINVAL, () -> config.setArp(net.lo, "127.0.0.9", "02:00:00:00:00:01"));
    }

    @Test
    void pointToPointPrefixes_areAddresses() throws ErrnoException {
        config.addAddress(net.wire0.ifp, "10.3.0.0/31");
        config.addAddress(net.wire0.ifp, "10.3.0.9/32");
        assertThat(config.addresses()).hasSize(5);
        assertThat(config.addresses().get(3).broadcast).isZero();
    }

    @Test
    void routes_areAddedAndDeleted() throws ErrnoException {
        int before = config.routes().size();
        config.addRoute("172.16.0.0/12", "10.0.0.2", null);
        config.addRoute("172.31.0.1", "10.0.1.2", null, 1400);
        config.addRoute("198.51.100.0/24", null, net.wire1.ifp);
        assertThat(config.routes()).hasSize(before + 3);
        assertThat(net.inet.fibs[0].lookup(Packets.addr("172.31.0.1")).mtu()).isEqualTo(1400);
        assertThat(net.inet.fibs[0].lookup(Packets.addr("172.31.0.2")).gateway.in4()).isEqualTo(TestNet.PEER0);
        fails(Errno.EEXIST, () -> config.addRoute("172.16.0.0/12", "10.0.0.3", null));
        fails(Errno.ENETUNREACH, () -> config.addDefault("192.0.2.1"));
        fails(Errno.ENETUNREACH, () -> config.addRoute("192.0.2.0/24", null, null));
        config.deleteRoute("172.16.0.0/12");
        fails(Errno.ENOENT, () -> config.deleteRoute("172.16.0.0/12"));
    }

    @Test
    void interfaceGoes_itsRoutesAndAddressesGo() throws ErrnoException {
        config.addDefault("10.0.1.2");
        net.vnet.ifnets().detach(net.wire1.ifp);
        assertThat(config.addresses()).hasSize(2);
        assertThat(config.routes()).noneMatch(r -> r.nextHop().ifp == net.wire1.ifp);
        assertThat(net.inet.addrs.isLocal(TestNet.US1)).isFalse();
    }

    @Test
    void sharedNetwork_oneAddressGoes_theOtherKeepsTheRoute() throws ErrnoException {
        config.addAddress(net.wire0.ifp, "10.0.0.5/24");
        config.removeAddress(net.wire0.ifp, "10.0.0.1");
        assertThat(net.inet.fibs[0].lookup(TestNet.PEER0).src.in4()).isEqualTo(Packets.addr("10.0.0.5"));
        assertThat(net.inet.fibs[0].lookup(Packets.addr("10.0.0.5")).ifp).isSameAs(net.lo);
    }
}
