package io.gatun.conformance.packetdrill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The language: what is read, and how what cannot be read is reported. */
class ParserTest {
    private static final String HEAD = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n";

    private static Event event(final String line) throws SyntaxException {
        return Parser.parse("t.pkt", HEAD + line + "\n").events().get(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "+0.000000 > S 0:0(0) win 65535 <mss 1460,nop,wscale 6,sackOK,TS val 100 ecr 0>",
        "+0.100000 < S. 0:0(0) ack 1 win 32767 <mss 1460,sackOK,eol,eol>",
        "* > S 0:0(0) win 65535 <...>",
        "+0.000000 > R. 0:0(0)! ack 2 win 0 <nop,nop,md5 valid>/udp(9811 > 1)",
        "+0.000000 > S. ...(0) ack 65538 win 65535 <mss 1460,sackOK,eol,eol>",
        "1.000000~1.500000 > . 1:1(0) ack 1",
        "+0.100000~+0.200000 > . 1:1(0) ack 1 win 5 <nop,nop,sack 200:300 400:500>",
        "+0.000000 < (tos 0x20, ttl 4) . 1:1(0) ack 1 win 5",
        "+0.000000 > (ect0) P. 1:2(1) ack 1",
        "+0.000000 < 1000 > 2000 SEW 0:0(0) win 5 <FO 0102>",
        "+0.000000 > PU. 1:2(1) ack 1 win 7 urg 1",
        "+0.000000 < icmp unreachable frag_needed mtu 1300 [1453:2905(1452)/udp(9811 > 1)]",
        "+0.000000 > udp (100)",
        "+0.000000 fcntl(3, F_GETFL) = 0x02 (flags O_RDWR)",
        "+0.000000 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)",
        "+0.000000 writev(3, [{..., 10}, {iov_base=..., iov_len=20}], 2) = 30",
        "+0.000000 poll([{fd=3, events=POLLIN, revents=0}], 1, 0) = 0",
        "+0.000000 setsockopt(3, IPPROTO_TCP, TCP_FUNCTION_BLK, {function_set_name=\"freebsd\", pcbcnt=0}, 36) = 0",
        "+0.000000 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0",
        "+0.000000 `sysctl -w net.inet.tcp.rfc1323=1`",
    })
    void whatIsRead_isShownAsWritten(final String line) throws SyntaxException {
        assertThat(event(line).toString()).isEqualTo(line);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '#', value = {
        "+0 > X 0:0(0) win 5 # 2:6: unknown TCP flag 'X'",
        "+0 < . 1:1(0) ack 1 # 3:1: a packet that goes in needs its window",
        "+0 > . 1:2(0) ack 1 # 2:8: 1:2 is not 0 octets",
        "+0 > S 0:0(0) <mss 70000> # 2:20: mss 70000 is not in 0..65535",
        "+0 > S 0:0(0) <nop> # 2:15: the options are not a multiple of 4 octets: 1",
        "+0 > S 0:0(0) <bogus 1> # 2:16: unknown TCP option bogus",
        "+0 frob(3) = 0 # 2:4: unknown system call frob",
        "+0 close(3) = BOGUS # 2:15: unknown name BOGUS",
        "* close(3) = 0 # 2:1: only a packet that comes out may have the time *",
        "+0 < icmp bogus # 2:11: unknown ICMP type bogus",
        "+0 > gre: . 1:1(0) # 2:6: gre is not supported",
        "+0.2~+0.1 > . 1:1(0) # 2:2: the range of time ends before it begins",
        "+0 %{ import os }% # 2:4: only assert, print and assignments are supported",
        "s# 2:1: expected a time, found 's'",
    })
    void whatIsWrong_isOneLineWithItsPlace(final String line, final String says) {
        assertThatThrownBy(() -> event(line)).isInstanceOf(SyntaxException.class).message().startsWith("t.pkt:" + says)
            .doesNotContain("\n");
    }

    @Test
    void ifdef_knowsFreeBsdAlone() throws SyntaxException {
        final Script s = Parser.parse("t.pkt", HEAD + """
            #ifdef STANDARD
            +0 nonsense
            #endif
            #ifdef FreeBSD
            +0 close(3) = 0
            #endif
            """);
        assertThat(s.events()).hasSize(2);
        assertThat(s.events().get(1).line()).isEqualTo(6);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--mtu=1400", "--mtu =1400", "--mtu= 1400", "--mtu\t=\t1400 // of the path",
        "--verbose --mtu = 1400"})
    void option_mayHaveBlanksAroundItsSign(final String option) throws SyntaxException {
        assertThat(Parser.parse("t.pkt", option + "\n0 `true`\n").config().mtu()).isEqualTo(1400);
    }

    @Test
    void options_initAndCleanup() throws SyntaxException {
        final Script s = Parser.parse("t.pkt", """
            --ip_version=ipv6
            --tolerance_usecs=75000
            --define=FD=3
            `true`
            0 socket(..., SOCK_STREAM, IPPROTO_TCP) = FD
            +0 close(FD) = 0
            `false`
            """);
        assertThat(s.config().v6()).isTrue();
        assertThat(s.config().toleranceUs()).isEqualTo(75_000);
        assertThat(s.init()).isEqualTo("true");
        assertThat(s.cleanup()).isEqualTo("false");
        assertThat(s.events().get(1).action()).hasToString("close(3) = 0");
    }

    /** Mutations of a script are read or refused with a line; nothing else happens. */
    @Test
    void anyInput_isReadOrRefused() {
        final long seed = Long.getLong("gatun.seed", System.nanoTime());
        System.out.println("seed=" + seed);
        final Random random = new Random(seed);
        final String good = HEAD + """
            --mtu=9
            +0.1 < S. 0:0(0) ack 1 win 3 <mss 1460,sackOK,TS val 1 ecr 2,FO 0102,eol,eol>/udp(1 > 2)
            +0~+1 > [ect0] P. 1:2(1) ack 1 <nop,nop,sack 1:2 3:4>
            1...2 connect(3, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("1.2.3.4")}, 16) = -1 EINVAL (x)
            +0 %{ assert (tcpi_state == 4 or not 1 < 2) and -1 | ~3 }%
            +0 < icmp unreachable code_3 mtu 5 [1:2(1)]
            `x` /* y */ // z
            """;
        final String signs = "<>()[]{}.,:=+-*/~`\"'%#|&;! \n0123456789abcxSFRP.";
        for (int i = 0; i < 20_000; i++) {
            final StringBuilder b = new StringBuilder(good);
            for (int n = random.nextInt(6); n >= 0; n--) {
                final int at = random.nextInt(b.length());
                switch (random.nextInt(3)) {
                    case 0 -> b.deleteCharAt(at);
                    case 1 -> b.insert(at, signs.charAt(random.nextInt(signs.length())));
                    default -> b.setCharAt(at, (char) random.nextInt(0x180));
                }
            }
            try {
                assertThat(Parser.parse("f", b.toString()).toString()).isNotEmpty();
            } catch (final SyntaxException e) {
                assertThat(e.getMessage()).as("seed %d", seed).matches("(?s)f:\\d+:\\d+: .+");
            }
        }
    }
}
