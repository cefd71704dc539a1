package io.gatun.conformance.packetdrill;

import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;

/** The numbers behind the names of scripts: the stack's own constants, and those of FreeBSD that it has no use for. */
final class Symbols {
    static final int O_RDWR = 2;
    static final int O_NONBLOCK = 4;
    static final int F_GETFD = 1;
    static final int F_SETFD = 2;
    static final int F_GETFL = 3;
    static final int F_SETFL = 4;
    static final long FIONREAD = 0x4004667fL;
    static final long FIONWRITE = 0x40046677L;
    static final long FIONSPACE = 0x40046676L;
    static final long FIONBIO = 0x8004667eL;
    static final long SIOCATMARK = 0x40047307L;
    static final int EVFILT_READ = -1;
    static final int EVFILT_WRITE = -2;
    static final int EV_ADD = 0x1;
    static final int EV_DELETE = 0x2;
    static final int EV_ENABLE = 0x4;
    static final int EV_DISABLE = 0x8;
    static final int EV_ONESHOT = 0x10;
    static final int EV_CLEAR = 0x20;
    static final int EV_EOF = 0x8000;
    static final int TCP_FASTOPEN = 1025;
    static final int TCP_FUNCTION_BLK = 8192;

    private static final Map<String, Long> ALL = all();

    private Symbols() {
    }

    /** The value of a name, or null. */
    static Long find(final String name) {
        return ALL.get(name);
    }

    private static Map<String, Long> all() {
        final Map<String, Long> m = new HashMap<>();
        files(m);
        freebsd(m);
        options6(m);
        tcpOptions(m);
        dscp(m);
        constants(m, SocketDefs.class);
        constants(m, InDefs.class);
        for (final Errno e : Errno.values()) {
            m.put(e.name(), (long) e.code());
        }
        m.put("EWOULDBLOCK", (long) Errno.EAGAIN.code());
        return Map.copyOf(m);
    }

    private static void constants(final Map<String, Long> m, final Class<?> type) {
        for (final Field f : type.getFields()) {
            if (f.getType() == int.class && Modifier.isStatic(f.getModifiers())) {
                try {
                    m.put(f.getName(), (long) f.getInt(null));
                } catch (final IllegalAccessException e) {
                    throw new IllegalStateException(f.toString(), e);
                }
            }
        }
    }

    private static void files(final Map<String, Long> m) {
        m.put("O_RDONLY", 0L);
        m.put("O_WRONLY", 1L);
        m.put("O_RDWR", (long) O_RDWR);
        m.put("O_NONBLOCK", (long) O_NONBLOCK);
        m.put("F_GETFL", (long) F_GETFL);
        m.put("F_SETFL", (long) F_SETFL);
        m.put("F_GETFD", (long) F_GETFD);
        m.put("F_SETFD", (long) F_SETFD);
        m.put("FD_CLOEXEC", 1L);
        m.put("FIONREAD", FIONREAD);
        m.put("FIONWRITE", FIONWRITE);
        m.put("FIONSPACE", FIONSPACE);
        m.put("FIONBIO", FIONBIO);
        m.put("SIOCATMARK", SIOCATMARK);
        m.put("EVFILT_READ", (long) EVFILT_READ);
        m.put("EVFILT_WRITE", (long) EVFILT_WRITE);
        m.put("EV_ADD", (long) EV_ADD);
        m.put("EV_DELETE", (long) EV_DELETE);
        m.put("EV_ENABLE", (long) EV_ENABLE);
        m.put("EV_DISABLE", (long) EV_DISABLE);
        m.put("EV_ONESHOT", (long) EV_ONESHOT);
        m.put("EV_CLEAR", (long) EV_CLEAR);
        m.put("EV_EOF", (long) EV_EOF);
        m.put("EV_ERROR", 0x4000L);
    }

    private static void freebsd(final Map<String, Long> m) {
        m.put("PF_INET", 2L);
        m.put("PF_INET6", 28L);
        m.put("AF_INET", 2L);
        m.put("AF_INET6", 28L);
        m.put("AF_UNSPEC", 0L);
        m.put("INADDR_ANY", 0L);
        m.put("INADDR_LOOPBACK", 0x7f000001L);
        m.put("SOMAXCONN", 128L);
        m.put("SO_BINTIME", 0x2000L);
        m.put("SO_NO_DDP", 0x8000L);
        m.put("SO_TS_CLOCK", 0x1017L);
        m.put("SO_MAX_PACING_RATE", 0x1018L);
        m.put("MSG_EOF", 0x100L);
        m.put("MSG_NOSIGNAL", 0x20000L);
        m.put("MSG_CMSG_CLOEXEC", 0x40000L);
        m.put("IPPROTO_IPV6", 41L);
        m.put("IPPROTO_ICMPV6", 58L);
        m.put("IP_RECVOPTS", 5L);
        m.put("IP_RECVRETOPTS", 6L);
        m.put("IP_RETOPTS", 8L);
        m.put("IP_SENDSRCADDR", 7L);
    }

    private static void options6(final Map<String, Long> m) {
        m.put("IPV6_UNICAST_HOPS", 4L);
        m.put("IPV6_MULTICAST_HOPS", 10L);
        m.put("IPV6_PORTRANGE", 14L);
        m.put("IPV6_CHECKSUM", 26L);
        m.put("IPV6_V6ONLY", 27L);
        m.put("IPV6_RECVPKTINFO", 36L);
        m.put("IPV6_RECVHOPLIMIT", 37L);
        m.put("IPV6_RECVRTHDR", 38L);
        m.put("IPV6_RECVHOPOPTS", 39L);
        m.put("IPV6_RECVDSTOPTS", 40L);
        m.put("IPV6_USE_MIN_MTU", 42L);
        m.put("IPV6_RECVPATHMTU", 43L);
        m.put("IPV6_PATHMTU", 44L);
        m.put("IPV6_HOPLIMIT", 47L);
        m.put("IPV6_RECVTCLASS", 57L);
        m.put("IPV6_AUTOFLOWLABEL", 59L);
        m.put("IPV6_TCLASS", 61L);
        m.put("IPV6_DONTFRAG", 62L);
    }

    private static void tcpOptions(final Map<String, Long> m) {
        m.put("TCP_REMOTE_UDP_ENCAPS_PORT", 71L);
        m.put("TCP_MAXUNACKTIME", 68L);
        m.put("TCP_CCALGOOPT", 65L);
        m.put("TCP_DELACK", 72L);
        m.put("TCP_LOG", 34L);
        m.put("TCP_FASTOPEN", (long) TCP_FASTOPEN);
        m.put("TCP_FUNCTION_BLK", (long) TCP_FUNCTION_BLK);
        m.put("TCP_FUNCTION_ALIAS", 8193L);
        m.put("TCP_RACK_PROP", 1051L);
        m.put("TCP_RACK_TLP_REDUCE", 1052L);
        m.put("TCP_RACK_PACE_REDUCE", 1053L);
        m.put("TCP_RACK_PACE_MAX_SEG", 1054L);
        m.put("TCP_RACK_PACE_ALWAYS", 1055L);
        m.put("TCP_RACK_PROP_RATE", 1056L);
        m.put("TCP_RACK_PRR_SENDALOT", 1057L);
        m.put("TCP_RACK_MIN_TO", 1058L);
        m.put("TCP_RACK_EARLY_RECOV", 1059L);
        m.put("TCP_RACK_EARLY_SEG", 1060L);
        m.put("TCP_RACK_REORD_THRESH", 1061L);
        m.put("TCP_RACK_REORD_FADE", 1062L);
        m.put("TCP_RACK_TLP_THRESH", 1063L);
        m.put("TCP_RACK_PKT_DELAY", 1064L);
        m.put("TCP_RACK_PACE_RATE_CA", 1073L);
        m.put("TCP_RACK_PACE_RATE_SS", 1074L);
        m.put("TCP_RACK_PACE_RATE_REC", 1075L);
    }

    private static void dscp(final Map<String, Long> m) {
        for (int i = 0; i <= 7; i++) {
            m.put("IPTOS_DSCP_CS" + i, (long) i << 5);
        }
        for (int c = 1; c <= 4; c++) {
            for (int d = 1; d <= 3; d++) {
                m.put("IPTOS_DSCP_AF" + c + d, (long) (c << 5 | d << 3));
            }
        }
        m.put("IPTOS_DSCP_VA", 0xb0L);
        m.put("IPTOS_DSCP_EF", 0xb8L);
        m.put("IPTOS_ECN_ECT0", 2L);
        m.put("IPTOS_ECN_ECT1", 1L);
        m.put("IPTOS_ECN_CE", 3L);
        m.put("IPTOS_LOWDELAY", 0x10L);
        m.put("IPTOS_THROUGHPUT", 0x08L);
        m.put("IPTOS_RELIABILITY", 0x04L);
    }
}
