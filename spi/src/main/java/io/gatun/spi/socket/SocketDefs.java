package io.gatun.spi.socket;

/** The numbers of FreeBSD's sys/socket.h, sys/socketvar.h and sys/sockbuf.h, verbatim. @bsd sys/socket.h */
public final class SocketDefs {
    public static final int SOCK_STREAM = 1;
    public static final int SOCK_DGRAM = 2;
    public static final int SOCK_RAW = 3;
    public static final int SOCK_SEQPACKET = 5;

    public static final int SOL_SOCKET = 0xffff;

    public static final int SO_DEBUG = 0x1;
    /** Read-only: the socket listens. */
    public static final int SO_ACCEPTCONN = 0x2;
    public static final int SO_REUSEADDR = 0x4;
    public static final int SO_KEEPALIVE = 0x8;
    public static final int SO_DONTROUTE = 0x10;
    public static final int SO_BROADCAST = 0x20;
    public static final int SO_LINGER = 0x80;
    public static final int SO_OOBINLINE = 0x100;
    public static final int SO_REUSEPORT = 0x200;
    public static final int SO_TIMESTAMP = 0x400;
    public static final int SO_NOSIGPIPE = 0x800;
    /** Of a listener: an {@link AcceptFilterArg}. */
    public static final int SO_ACCEPTFILTER = 0x1000;
    public static final int SO_NO_OFFLOAD = 0x4000;
    public static final int SO_REUSEPORT_LB = 0x10000;
    public static final int SO_RERROR = 0x20000;
    /** Type of a control message: when the datagram came, two words of 8 octets: seconds and microseconds. */
    public static final int SCM_TIMESTAMP = 0x2;
    public static final int SO_SNDBUF = 0x1001;
    public static final int SO_RCVBUF = 0x1002;
    public static final int SO_SNDLOWAT = 0x1003;
    public static final int SO_RCVLOWAT = 0x1004;
    /** Nanoseconds here; 0 waits for ever. */
    public static final int SO_SNDTIMEO = 0x1005;
    /** Nanoseconds here; 0 waits for ever. */
    public static final int SO_RCVTIMEO = 0x1006;
    public static final int SO_ERROR = 0x1007;
    public static final int SO_TYPE = 0x1008;
    public static final int SO_LISTENQLIMIT = 0x1011;
    public static final int SO_LISTENQLEN = 0x1012;
    public static final int SO_LISTENINCQLEN = 0x1013;
    public static final int SO_SETFIB = 0x1014;
    public static final int SO_USER_COOKIE = 0x1015;
    public static final int SO_PROTOCOL = 0x1016;
    /** Octets per second to send at the most; 0 or 2^32 - 1 for as fast as can be. */
    public static final int SO_MAX_PACING_RATE = 0x1018;
    public static final int SO_DOMAIN = 0x1019;

    /** {@code so_state} bits. */
    public static final int SS_ISCONNECTED = 0x2;
    public static final int SS_ISCONNECTING = 0x4;
    public static final int SS_ISDISCONNECTING = 0x8;
    public static final int SS_NBIO = 0x100;
    public static final int SS_ASYNC = 0x200;
    public static final int SS_ISDISCONNECTED = 0x2000;

    /** {@code so_qstate}. */
    public static final int SQ_NONE = 0;
    public static final int SQ_INCOMP = 0x800;
    public static final int SQ_COMP = 0x1000;

    /** {@code sb_state} bits. */
    public static final int SBS_CANTSENDMORE = 0x10;
    public static final int SBS_CANTRCVMORE = 0x20;
    public static final int SBS_RCVATMARK = 0x40;
    /** Something was lost for want of room, and a reader who asked by SO_RERROR is to be told. @bsd so_rerror */
    public static final int SBS_RERROR = 0x80;

    /** {@code sb_flags} bits. */
    public static final int SB_WAIT = 0x4;
    public static final int SB_SEL = 0x8;
    public static final int SB_ASYNC = 0x10;
    public static final int SB_UPCALL = 0x20;
    public static final int SB_NOINTR = 0x40;
    public static final int SB_KNOTE = 0x100;
    public static final int SB_NOCOALESCE = 0x200;
    public static final int SB_AUTOSIZE = 0x800;
    public static final int SB_STOP = 0x1000;

    public static final int MSG_OOB = 0x1;
    public static final int MSG_PEEK = 0x2;
    public static final int MSG_DONTROUTE = 0x4;
    public static final int MSG_EOR = 0x8;
    public static final int MSG_TRUNC = 0x10;
    public static final int MSG_CTRUNC = 0x20;
    public static final int MSG_WAITALL = 0x40;
    public static final int MSG_DONTWAIT = 0x80;
    public static final int MSG_EOF = 0x100;
    public static final int MSG_NBIO = 0x4000;
    public static final int MSG_NOSIGNAL = 0x20000;
    /** For recvmmsg: waits for the first message alone. */
    public static final int MSG_WAITFORONE = 0x80000;
    /** More follows at once: the protocol may hold back a short segment. */
    public static final int MSG_MORETOCOME = 0x100000;

    public static final int SHUT_RD = 0;
    public static final int SHUT_WR = 1;
    public static final int SHUT_RDWR = 2;

    public static final int SOMAXCONN = 128;

    public static final int POLLIN = 0x1;
    public static final int POLLPRI = 0x2;
    public static final int POLLOUT = 0x4;
    public static final int POLLERR = 0x8;
    public static final int POLLHUP = 0x10;
    public static final int POLLNVAL = 0x20;
    public static final int POLLRDNORM = 0x40;
    public static final int POLLWRNORM = POLLOUT;
    public static final int POLLRDBAND = 0x80;
    public static final int POLLINIGNEOF = 0x2000;
    public static final int POLLRDHUP = 0x4000;

    /** Upcall result: nothing more to do. */
    public static final int SU_OK = 0;
    /** Upcall result: complete the connection (accept filters). */
    public static final int SU_ISCONNECTED = 1;

    private SocketDefs() {
    }
}
