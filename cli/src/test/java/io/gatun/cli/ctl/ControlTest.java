package io.gatun.cli.ctl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.MbufPool;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands over the control socket, and who may bring them. */
@Timeout(60)
class ControlTest {
    @TempDir
    private Path temp;
    private final Vnet vnet = Vnet.builder().name("t").pool(MbufPool.builder().small()).build();
    private ControlDir dir;

    @BeforeEach
    void start() throws Exception {
        dir = new ControlDir(temp.resolve("run"));
        vnet.ifnets().create("lo0");
    }

    @AfterEach
    void stop() {
        vnet.close();
    }

    private String run(final String stack, final String... words) throws IOException {
        final StringWriter out = new StringWriter();
        ControlClient.run(dir, stack, List.of(words), new PrintWriter(out));
        return out.toString();
    }

    @Test
    void command_answered_errorIsOneLine() throws IOException {
        try (ControlServer one = ControlServer.start(vnet, dir, "one")) {
            assertThat(one).isNotNull();
            assertThat(run(null, "ifconfig", "-l")).isEqualTo("lo0\n");
            assertThat(run("one", "ifconfig", "lo0", "127.0.0.1/8", "up")).isEmpty();
            assertThat(run("one", "ifconfig", "lo0")).contains("inet 127.0.0.1 netmask 0xff000000");
            assertThatThrownBy(() -> run(null, "ifconfig", "nope0")).isInstanceOf(IOException.class)
                .hasMessage("ifconfig: interface nope0 does not exist");
            assertThatThrownBy(() -> run("two", "ifconfig")).hasMessage("no stack two; there is one");
        }
        assertThatThrownBy(() -> run(null, "ifconfig")).hasMessageContaining("no stack runs here");
        assertThat(temp.resolve("run")).isEmptyDirectory();
    }

    @Test
    void twoStacks_oneMustBeNamed_nameIsTakenOnce() throws IOException {
        try (ControlServer one = ControlServer.start(vnet, dir, "one");
             ControlServer two = ControlServer.start(vnet, dir, "two")) {
            assertThat(one).isNotSameAs(two);
            assertThatThrownBy(() -> run(null, "ifconfig")).hasMessage("which stack? --stack one or --stack two");
            assertThat(run("two", "ifconfig", "-l")).isEqualTo("lo0\n");
            assertThatThrownBy(() -> ControlServer.start(vnet, dir, "two"))
                .hasMessage("a stack named two runs already");
        }
    }

    @Test
    void socketOfADeadProcess_isReplaced() throws IOException {
        dir.prepare();
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(dir.socket("one")));
        }
        assertThat(dir.socket("one")).exists();
        try (ControlServer one = ControlServer.start(vnet, dir, "one")) {
            assertThat(one).isNotNull();
            assertThat(run("one", "ifconfig", "-l")).isEqualTo("lo0\n");
        }
    }

    @Test
    void directory_isTheOwnersAlone() throws IOException {
        dir.prepare();
        final Path run = temp.resolve("run");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(run))).isEqualTo("rwx------");
        Files.setPosixFilePermissions(run, PosixFilePermissions.fromString("rwxrwx---"));
        assertThatThrownBy(() -> ControlServer.start(vnet, dir, "one")).isInstanceOf(IOException.class)
            .hasMessageContaining("with the rights rwx------");
        assertThatThrownBy(() -> run(null, "ifconfig")).hasMessageContaining("rwx------");
        final Path link = temp.resolve("link");
        Files.createSymbolicLink(link, run);
        assertThatThrownBy(() -> ControlServer.start(vnet, new ControlDir(link), "one"))
            .hasMessageContaining("is not a directory");
        assertThatThrownBy(() -> dir.socket("../x")).isInstanceOf(IllegalArgumentException.class);
    }

    /** Half a question, nonsense and a client that says nothing keep nobody else from being served. */
    @Test
    void badClients_othersAreServed() throws IOException {
        try (ControlServer one = ControlServer.start(vnet, dir, "one");
             SocketChannel silent = SocketChannel.open(UnixDomainSocketAddress.of(dir.socket("one")));
             SocketChannel half = SocketChannel.open(UnixDomainSocketAddress.of(dir.socket("one")));
             SocketChannel many = SocketChannel.open(UnixDomainSocketAddress.of(dir.socket("one")))) {
            assertThat(one).isNotNull();
            half.write(ByteBuffer.wrap(new byte[] {0, 2, 0}));
            half.shutdownOutput();
            final ByteBuffer lots = ByteBuffer.allocate(2 + 2 * 0xffff);
            lots.putShort((short) 0xffff).position(lots.capacity()).flip();
            while (lots.hasRemaining()) {
                many.write(lots);
            }
            assertThat(run("one", "ifconfig", "-l")).isEqualTo("lo0\n");
            assertThat(silent.isConnected()).isTrue();
        }
    }
}
