package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.conformance.Steady;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.Socket;
import io.gatun.uipc.api.MsgControl;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A datagram costs no heap, on its way down and up, connected or not. */
class UdpAllocationTest {
    private static final int OCTETS = 64;
    private static final int[] RECV4 = {InDefs.IP_RECVDSTADDR, InDefs.IP_RECVIF, InDefs.IP_RECVTTL,
        InDefs.IP_RECVTOS, InDefs.IP_ORIGDSTADDR};
    private static final int[] RECV6 = {InDefs.IPV6_RECVPKTINFO, InDefs.IPV6_RECVHOPLIMIT, InDefs.IPV6_RECVTCLASS,
        InDefs.IPV6_RECVDSTOPTS, InDefs.IPV6_ORIGDSTADDR};

    @ParameterizedTest
    @CsvSource({"SPLIT,true", "SPLIT,false", "COALESCED,true", "VERTICAL,true"})
    void steadyState_sendAndReceive_allocateNothing(final LockStrategy locks, final boolean connected)
            throws Exception {
        final SockAddr to = SockAddr.of("127.0.0.1", 5353);
        try (Host host = new Host(locks); Arena arena = Arena.ofConfined()) {
            final Socket server = host.socket(SocketDefs.SOCK_DGRAM, Ucred.ROOT);
            final Socket client = host.socket(SocketDefs.SOCK_DGRAM, Ucred.ROOT);
            assertThat(server.bind(to, Ucred.ROOT)).isEqualTo(Errno.OK);
            if (connected) {
                assertThat(client.connect(to, Ucred.ROOT)).isEqualTo(Errno.OK);
            }
            final MemorySegment data = arena.allocate(OCTETS);
            final Uio uio = new Uio();
            final RecvMsg msg = new RecvMsg();
            final SockAddr from = new SockAddr();
            assertThat(Steady.octets(2000, () -> {
                uio.set(data, 0, OCTETS);
                final Errno out = client.send(connected ? null : to, uio, null, null, 0);
                msg.clear();
                msg.uio.set(data, 0, OCTETS);
                msg.from = from;
                final Errno in = server.receive(msg);
                if (out != Errno.OK || in != Errno.OK || msg.uio.resid() != 0) {
                    throw new AssertionError(out + " " + in + " left " + msg.uio.resid());
                }
            })).as("octets in 2000 datagrams").isZero();
            client.close();
            server.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"SPLIT,127.0.0.1", "SPLIT,::1", "COALESCED,::1", "VERTICAL,127.0.0.1"})
    void steadyState_withControlMessages_allocatesNothing(final LockStrategy locks, final String server)
            throws Exception {
        final SockAddr to = SockAddr.of(server, 5353);
        final boolean six = to.family() == SockAddr.AF_INET6;
        try (Host host = new Host(locks).dual(); Arena arena = Arena.ofConfined()) {
            final SocketFile in = six ? host.udp6() : host.udp();
            final SocketFile out = six ? host.udp6() : host.udp();
            in.bind(to);
            out.bind(six ? SockAddr.in6(0, 0, 7000) : SockAddr.in(0, 7000));
            in.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_TIMESTAMP, 1);
            for (final int name : six ? RECV6 : RECV4) {
                in.setOption(six ? InDefs.IPPROTO_IPV6 : InDefs.IPPROTO_IP, name, 1);
            }
            final MsgControl sent = new MsgControl();
            if (six) {
                sent.addPktinfo(InDefs.IPPROTO_IPV6, InDefs.IPV6_PKTINFO, to, 0)
                    .add(InDefs.IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT, 4, 9)
                    .add(InDefs.IPPROTO_IPV6, InDefs.IPV6_DSTOPTS, new byte[] {0, 0, 1, 4, 0, 0, 0, 0});
            } else {
                sent.add(InDefs.IPPROTO_IP, InDefs.IP_SENDSRCADDR, 4, to.in4())
                    .add(InDefs.IPPROTO_IP, InDefs.IP_TOS, 1, 0xb8);
            }
            assertThat(leastAllocated(out, in, to, sent, arena.allocate(OCTETS).asByteBuffer()))
                .as("octets in 2000 datagrams").isZero();
        }
    }

    private static long leastAllocated(final SocketFile out, final SocketFile in, final SockAddr to,
        final MsgControl sent, final ByteBuffer buf) throws Exception {
        final MsgControl got = new MsgControl();
        final SockAddr from = new SockAddr();
        return Steady.octets(2000, () -> {
            final int n = out.sendmsg(buf.clear(), 0, to, sent);
            final int m = in.recvmsg(buf.clear(), 0, from, got);
            if (n != OCTETS || m != OCTETS || !got.next()) {
                throw new AssertionError("sent " + n + ", got " + m);
            }
        });
    }
}
