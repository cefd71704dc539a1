package io.gatun.conformance.packetdrill;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.conformance.packetdrill.Result.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** That the runner fails what is wrong, and says what. */
class PacketdrillTest {
    private static final String SCRIPT = """
         0.00 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
        +0.00 fcntl(3, F_SETFL, O_RDWR | O_NONBLOCK) = 0
        +0.00 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
        +0.00 > S  0:0(0) win 65535 <mss 1460,nop,wscale 6,sackOK,TS val 100 ecr 0>
        +0.10 < S. 0:0(0) ack 1 win 32767 <mss 1460,sackOK,eol,eol>
        +0.00 > .  1:1(0) ack 1 win 65535
        +0.10 send(3, ..., 100, 0) = 100
        +0.00 > P. 1:101(100) ack 1 win 65535
        +0.10 < .  1:1(0) ack 101 win 32767
        +0.00 %{ assert tcpi_state == TCPI_ESTABLISHED and not tcpi_options & TCPI_OPT_TIMESTAMPS }%
        +0.00 `sockstat -4 -P tcp -p 8080 -s | grep packetdril | grep -c ESTABLISHED | grep 1`
        +0.00 < P. 1:11(10) ack 101 win 32767
        +0.00 recv(3, ..., 100, 0) = 10
        +0.04 > .  101:101(0) ack 11 win 65535
        +0.10 close(3) = 0
        * > F. 101:101(0) ack 11 win 65535
        """;

    private final Packetdrill drill = new Packetdrill();

    private Result run(final String text) {
        return drill.run("test.pkt", text);
    }

    @Test
    void right_passes() {
        final Result r = run(SCRIPT);
        assertThat(r.outcome()).as(r.message()).isEqualTo(Outcome.PASSED);
        assertThat(r.message()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '#', value = {
        "P. 1:101(100) ack 1 # . 1:101(100) ack 1 # flags: expected ., seen P.",
        "> P. 1:101(100) # > P. 2:102(100) # sequence number: expected 2, seen 1",
        "> .  1:1(0) ack 1 # > .  1:1(0) ack 2 # acknowledgment number: expected 2, seen 1",
        "1:101(100) ack 1 win 65535 # 1:101(100) ack 1 win 65534 # window: expected 65534, seen 65535",
        "> P. 1:101(100) # > P. 1:100(99) # payload length: expected 99, seen 100",
        "sackOK,TS val 100 ecr 0> # TS val 100 ecr 0,sackOK> # option 4: expected TS val 100",
        "mss 1460,nop,wscale 6 # mss 1459,nop,wscale 6 # option 1: expected mss 1459, seen mss 1460",
        "+0.00 > P. # +0.50 > P. # timing: expected at 0.700000 s, seen at 0.200000 s",
        "+0.00 > P. # +0.50~+0.60 > P. # timing: expected at 0.700000..0.800000 s",
        "+0.00 > P. # +0.00 > (tos 0x20) P. # tos: expected 32, seen 0",
        "+0.00 > P. # +0.00 > [ect0] P. # ecn: expected 2, seen 0",
        "+0.00 > P. # +0.00 > (ttl 63) P. # ttl: expected 63, seen 64",
        "65535 <mss 1460,nop # 65535 urg 1 <mss 1460,nop # urgent pointer: expected 1, seen 0",
        "recv(3, ..., 100, 0) = 10 # recv(3, ..., 100, 0) = 11 # result: expected 11, seen 10",
        "-1 EINPROGRESS # -1 EISCONN # error: expected EISCONN, seen EINPROGRESS",
        "TCPI_ESTABLISHED # TCPI_SYN_SENT # assertion failed",
        "grep 1` # grep 2` # the command answers status 1",
        "+0.10 < .  1:1(0) ack 101 # +0.00 > . 101:101(0) # flags: expected ., seen",
    })
    void oneThingWrong_fails(final String right, final String wrong, final String says) {
        assertThat(SCRIPT).contains(right);
        final Result r = run(SCRIPT.replaceFirst(java.util.regex.Pattern.quote(right),
            java.util.regex.Matcher.quoteReplacement(wrong)));
        assertThat(r.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(r.message()).contains(says).contains("test.pkt:").contains("trace:");
    }

    @Test
    void packetThatDoesNotCome_fails() {
        final Result r = run("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n* > S 0:0(0) win 1\n");
        assertThat(r.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(r.summary()).contains("test.pkt:2: no packet came out");
    }

    @Test
    void blockingConnect_returnsWhenTheSynIsAcked() {
        final String script = """
             0.00 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
             0.00...0.10 connect(3, ..., ...) = 0
            +0.00 > S  0:0(0) win 65535 <...>
            +0.10 < S. 0:0(0) ack 1 win 32767 <mss 1460>
            +0.00 > .  1:1(0) ack 1 win 65535
            +0.00 write(3, ..., 10) = 10
            +0.00 > P. 1:11(10) ack 1 win 65535
            """;
        assertThat(run(script).message()).isEmpty();
        final Result late = run(script.replace("0.00...0.10", "0.00...0.30"));
        assertThat(late.message()).contains("timing: the call is to return at 0.300000 s, returned at 0.100000 s");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '#', value = {
        "msg_flags=0 # msg_control=[{cmsg_level=IPPROTO_IP, cmsg_type=IP_RECVTTL, cmsg_data=9}] # ",
        "msg_flags=MSG_TRUNC # msg_control=[{cmsg_level=0, cmsg_type=65, cmsg_data=9}] # msg_flags: expected MSG_TRUNC",
        "msg_flags=0 # msg_control=[{cmsg_level=0, cmsg_type=65, cmsg_data=8}] # expected level 0 type 65 data 8, seen",
        "msg_flags=0 # msg_control=[] # control message 1: expected none, seen level 0 type 65 data 9",
        "msg_flags=0 # msg_control=[{0, 65, 9}, {0, 65, 9}] # control message 2: expected level 0 type 65",
    })
    void controlMessages_areCompared(final String flags, final String control, final String says) {
        final Result r = run("""
             0.00 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3
            +0.00 bind(3, ..., ...) = 0
            +0.00 connect(3, ..., ...) = 0
            +0.00 setsockopt(3, IPPROTO_IP, IP_RECVTTL, [1], 4) = 0
            +0.00 write(3, ..., 10) = 10
            +0.00 > udp (10)
            +0.10 < (ttl 9) udp (50)
            +0.00 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 90}], CONTROL, FLAGS}, 0) = 50
            """.replace("CONTROL", control).replace("FLAGS", flags));
        assertThat(r.message()).contains(says == null ? "" : says);
        assertThat(r.outcome()).isEqualTo(says == null ? Outcome.PASSED : Outcome.FAILED);
    }

    @Test
    void addressOfAnotherNetwork_wantsItsGateway() {
        final String rest = "+0 `true`\n";
        assertThat(run("--local_ip=10.1.1.1\n" + rest).message()).contains("wants a --gateway_ip");
        assertThat(run("--local_ip=10.1.1.1\n--gateway_ip=10.1.1.2\n0 `true`\n").message()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"sysctl -w no.such.node=1", "frobnicate", "false", "true && false",
        "sysctl -w net.inet.tcp.msl=x"})
    void commandThatFails_failsTheScript(final String command) {
        final Result r = run("0.00 `" + command + "`\n");
        assertThat(r.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(r.summary()).contains("the command answers status");
    }

    @ParameterizedTest
    @ValueSource(strings = {"true", "false || true", "echo 'a b' | grep -c 'a b' | grep 1",
        "kldstat -q -m tcpmd5 || kldload tcpmd5",
        "sysctl -w net.inet.tcp.msl=1000 net.inet.tcp.delacktime=50", "sysctl net.inet.tcp.msl | grep 30000",
        "false; true",
        "sockstat -4 -P tcp -s | grep -c 8080 | grep 0", "echo \"x\" >/dev/null 2>&1"})
    void commandThatWorks_passes(final String command) {
        assertThat(run("0.00 `" + command + "`\n").message()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '#', value = {
        "poll([{fd=3, events=POLLIN, revents=0}], 1, 100) = 0 # 0.10",
        "poll([{fd=3, events=POLLIN, revents=POLLIN}], 1, 100) = 1 # 0.05",
    })
    void timeOfACallThatWaits_isChecked(final String call, final String end) {
        final String script = """
             0.00 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3
            +0.00 bind(3, ..., ...) = 0
            +0.00 connect(3, ..., ...) = 0
            +0.00...END CALL
            WHEN < udp (10)
            """.replace("CALL", call).replace("WHEN", end.equals("0.05") ? "0.05" : "0.30");
        assertThat(run(script.replace("END", end)).message()).isEmpty();
        assertThat(run(script.replace("END", "0.20")).message())
            .contains("timing: the call is to return at 0.200000 s, returned at " + end);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '#', value = {
        "tcpi_state=5 # tcpi_state: expected 5, seen 0",
        "tcpi_nothing=5 # TCP_INFO has no tcpi_nothing",
    })
    void tcpInfo_isComparedByMember(final String member, final String says) {
        assertThat(run("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 getsockopt(3, IPPROTO_TCP, TCP_INFO, {"
            + member + "}, ...) = 0\n").message()).contains(says);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '#', value = {
        "--local_ip=999.1.1.1\\n--gateway_ip=10.0.0.1 # `true` # --local_ip: '999.1.1.1' is no value for it",
        "--mtu=0 # `true` # --mtu: '0' is no value for it",
        "--mtu=65536 # `true` # --mtu: '65536' is no value for it",
        "--mtu=67 # `true` # no host can be set up so: mtu 67: Invalid argument",
        "--mtu=1500 # socket(..., SOCK_DGRAM, 0) = 3\\n+0 connect(3, {sa_family=AF_INET, sin_port=htons(1), "
            + "sin_addr=inet_addr(\"1.2.3.x\")}, 16) = 0 # not an address: \"1.2.3.x\"",
        "--mtu=1500 # socket(..., SOCK_DGRAM, 0) = 3\\n+0 poll([{fd=3, events=POLLOUT}], 1, 0) = 1 # revents: expected"
            + " 0, seen 4",
    })
    void valueThatCannotBe_isNamed(final String options, final String event, final String says) {
        assertThat(run((options + "\\n0 " + event + "\\n").replace("\\n", "\n")).message()).contains(says)
            .doesNotContain("broke");
    }

    @ParameterizedTest
    @ValueSource(strings = {"recv(3)", "poll([], 0)", "setsockopt(3, SOL_SOCKET, SO_REUSEADDR)", "close()"})
    void callWithoutAnArgument_saysWhich(final String call) {
        assertThat(run("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 " + call + " = 0\n").message())
            .contains("argument ").contains(" is missing");
    }

    @ParameterizedTest
    @CsvSource({"TCP_RACK_PACE_RATE_SS, 1119", "TCP_BBR_PACE_CROSS, 1090", "TCP_PACING_DND, 1151", "F_SETOWN, 6",
        "O_CLOEXEC, 0x100000", "FIOASYNC, 0x8004667d", "E2BIG, 7", "ECAPMODE, 94", "EWOULDBLOCK, 35", "POLLWRBAND, 256",
        "IPV6_TCLASS, 61", "SO_REUSEPORT, 0x200", "MSG_PEEK, 2", "EVFILT_WRITE, -2", "IPTOS_DSCP_CS7, 0xe0"})
    void nameOfAHeader_isFreeBsdsNumber(final String name, final String number) {
        assertThat(Symbols.find(name)).isEqualTo(Long.decode(number));
    }

    @Test
    void optionOfAnotherStack_isRefusedByTheSocketNotByTheParser() {
        assertThat(run("""
             0.00 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
            +0.00 setsockopt(3, IPPROTO_TCP, TCP_RACK_PACE_RATE_SS, [1250000], 4) = -1 ENOPROTOOPT
            +0.00 setsockopt(3, IPPROTO_TCP, TCP_BBR_PACE_CROSS, [1], 4) = -1 ENOPROTOOPT (Protocol not available)
            """).message()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"recv(3, ..., 2147483647, MSG_DONTWAIT) = -1 ENOTCONN", "recv(3, ..., -1, 0) = -1 EINVAL",
        "send(3, ..., 2147483647, MSG_DONTWAIT) = 0"})
    void hugeCall_breaksNothing(final String call) {
        final Result r = run("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 " + call + "\n");
        assertThat(r.message()).doesNotContain("broke");
        assertThat(run(SCRIPT).message()).isEmpty();
    }

    @Test
    void mbufLeftBehind_failsThatScriptAlone() {
        assertThat(drill.pool().gethdr(0)).isNotNull();
        assertThat(run(SCRIPT).message()).contains("1 mbufs are outstanding");
        assertThat(run(SCRIPT).message()).isEmpty();
    }

    @Test
    void folder_oddNamesAndWhatCannotBeRead_failAlone(@TempDir final Path dir) throws IOException {
        final Path odd = Files.createDirectories(dir.resolve("a b/\u00fc 'q' & <x>"));
        Files.writeString(odd.resolve("#1 ok.pkt"), SCRIPT.replace("\n", "\r\n"));
        Files.write(dir.resolve("latin.pkt"), "// M\u00fcller\n0 `true`\n".getBytes(StandardCharsets.ISO_8859_1));
        Files.writeString(dir.resolve("empty.pkt"), "");
        Files.writeString(dir.resolve("notes.txt"), "no script");
        Files.createDirectories(dir.resolve("folder.pkt"));
        Files.createSymbolicLink(dir.resolve("lost.pkt"), dir.resolve("nowhere"));
        Files.createSymbolicLink(dir.resolve("round"), dir);
        final List<Path> scripts = Suite.scripts(List.of(dir));
        final List<Result> results = Suite.run(scripts, Set.of(), 2, r -> { });
        assertThat(results.stream().map(r -> dir.relativize(Path.of(r.file())) + " " + r.outcome()))
            .containsExactly("a b/\u00fc 'q' & <x>/#1 ok.pkt PASSED", "empty.pkt FAILED", "latin.pkt PASSED",
                "lost.pkt FAILED");
        assertThat(results.get(3).message()).contains("lost.pkt:1:1: cannot be read");
        assertThat(HtmlReport.page(results)).contains("&lt;x&gt;").doesNotContain("<x>");
    }

    @TestFactory
    Stream<DynamicTest> ownScript_passes() throws IOException {
        final List<Path> scripts = Suite.scripts(List.of(Path.of("src", "test", "resources", "packetdrill")));
        assertThat(scripts).hasSizeGreaterThan(5);
        return scripts.stream().map(s -> DynamicTest.dynamicTest(s.getFileName().toString(),
            () -> assertThat(drill.run(s).message()).isEmpty()));
    }
}
