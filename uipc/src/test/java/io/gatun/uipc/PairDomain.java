package io.gatun.uipc;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Domain;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.SwiTask;
import io.gatun.spi.vnet.VnetSide;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A domain that loops back within one vnet: a stream with a send buffer, a window and a handshake at safe points, a
 * datagram service, and sequenced packets. Addresses are ports of 0.0.0.0.
 */
final class PairDomain implements Domain {
    static final int AF_PAIR = 99;
    static final int PROTO_STREAM = 1;
    static final int PROTO_DGRAM = 2;
    static final int PROTO_SEQ = 3;
    static final int BUFFER = 16 * 1024;

    final Map<Integer, SocketSide> ports = new ConcurrentHashMap<>();
    /** Whether handshakes wait for {@link #finishHandshakes}. */
    volatile boolean slow;
    /** Whether a disconnect waits for {@link #finishDisconnects}. */
    volatile boolean slowClose;
    final ConcurrentLinkedQueue<Pcb> handshakes = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<Pcb> disconnects = new ConcurrentLinkedQueue<>();
    private VnetSide vnet;
    private final SwiTask task = new SwiTask() {
        @Override
        protected void run() {
            finishHandshakes();
            finishDisconnects();
        }
    };
    private final List<Protosw> protosw = List.of(new Stream(), new Dgram(), new Seq());

    @Override
    public int family() {
        return AF_PAIR;
    }

    @Override
    public String name() {
        return "pair";
    }

    @Override
    public Errno init(final VnetSide v) {
        vnet = v;
        return Errno.OK;
    }

    @Override
    public List<Protosw> protosw() {
        return protosw;
    }

    @Override
    public void destroy() {
        // nothing held
    }

    void finishHandshakes() {
        Pcb p = handshakes.poll();
        while (p != null) {
            final Pcb q = p.peer;
            if (q != null) {
                q.so.isConnected();
                p.so.isConnected();
            }
            p = handshakes.poll();
        }
    }

    void finishDisconnects() {
        Pcb p = disconnects.poll();
        while (p != null) {
            p.so.isDisconnected();
            if (p.closed) {
                p.so.rele();
            }
            p = disconnects.poll();
        }
    }

    private void later() {
        vnet.netisr().schedule(task);
    }

    /** One end. Locking key: (i) lock. */
    static final class Pcb {
        final SocketSide so;
        final Mtx lock;
        int port;               // (i)
        volatile Pcb peer;      // (i)
        boolean finSent;        // (i)
        boolean disconnecting;  // (i)
        boolean closed;         // (i) the protocol holds a reference
        int oob = -1;           // (i)

        Pcb(final SocketSide so) {
            this.so = so;
            lock = so.pcbLock();
        }
    }

    static Pcb pcb(final SocketSide so) {
        return (Pcb) so.pcb();
    }

    private abstract class Base extends Protosw {
        Base(final int type, final int protocol, final int flags) {
            super(type, protocol, flags);
        }

        @Override
        public Errno attach(final SocketSide so, final int proto, final Ucred cred) {
            so.setPcb(new Pcb(so));
            return so.snd().hiwat() == 0 ? so.reserve(BUFFER, BUFFER) : Errno.OK;
        }

        @Override
        public void detach(final SocketSide so) {
            ports.remove(pcb(so).port, so);
            final Pcb peer = pcb(so).peer;
            if (peer != null && peer.peer == pcb(so)) {
                peer.peer = null;
                peer.so.cantSendMore();
                if (peer.disconnecting) {
                    peer.disconnecting = false;
                    disconnects.add(peer);
                    later();
                }
            }
            so.setPcb(null);
        }

        @Override
        public Errno bind(final SocketSide so, final SockAddr nam, final Ucred cred) {
            if (ports.putIfAbsent(nam.port(), so) != null) {
                return Errno.EADDRINUSE;
            }
            pcb(so).port = nam.port();
            return Errno.OK;
        }

        @Override
        public Errno sockaddr(final SocketSide so, final SockAddr nam) {
            nam.setIn(0, pcb(so).port);
            return Errno.OK;
        }

        @Override
        public Errno peeraddr(final SocketSide so, final SockAddr nam) {
            final Pcb peer = pcb(so).peer;
            nam.setIn(0, peer == null ? 0 : peer.port);
            return Errno.OK;
        }

        @Override
        public Errno connect2(final SocketSide so1, final SocketSide so2) {
            pcb(so1).peer = pcb(so2);
            so1.isConnected();
            if (type() != SocketDefs.SOCK_DGRAM) {
                pcb(so2).peer = pcb(so1);
                so2.isConnected();
            }
            return Errno.OK;
        }
    }

    private final class Stream extends Base {
        Stream() {
            super(SocketDefs.SOCK_STREAM, PROTO_STREAM, PR_CONNREQUIRED | PR_WANTRCVD);
        }

        @Override
        public Errno listen(final SocketSide so, final int backlog, final Ucred cred) {
            so.lock().lock();
            try {
                final Errno e = so.listenProtoCheck();
                if (e == Errno.OK) {
                    so.listenProto(backlog);
                }
                return e;
            } finally {
                so.lock().unlock();
            }
        }

        @Override
        public Errno connect(final SocketSide so, final SockAddr nam, final Ucred cred) {
            final SocketSide head = ports.get(nam.port());
            if (head == null || !head.listening()) {
                return Errno.ECONNREFUSED;
            }
            final SocketSide child;
            pcb(head).lock.lock();
            try {
                child = head.newConn(0);
            } finally {
                pcb(head).lock.unlock();
            }
            if (child == null) {
                return Errno.ECONNREFUSED;
            }
            so.isConnecting();
            pcb(child).port = nam.port();
            pcb(child).peer = pcb(so);
            pcb(so).peer = pcb(child);
            handshakes.add(pcb(so));
            if (!slow) {
                later();
            }
            return Errno.OK;
        }

        @Override
        public Errno accept(final SocketSide so, final SockAddr nam) {
            if ((so.state() & SocketDefs.SS_ISDISCONNECTED) != 0) {
                return Errno.ECONNABORTED;
            }
            return peeraddr(so, nam);
        }

        @Override
        public Errno send(
            final SocketSide so, final int flags, final Mbuf m, final SockAddr nam, final Mbuf control) {
            if (control != null) {
                control.freeChain();
            }
            final Pcb p = pcb(so);
            if (p.peer == null) {
                m.freeChain();
                return Errno.ECONNRESET;
            }
            so.snd().appendStream(m, flags);
            if ((flags & PRUS_OOB) != 0) {
                urgent(p);
            }
            flow(p);
            return Errno.OK;
        }

        private void urgent(final Pcb p) {
            final Pcb q = p.peer;
            q.so.rcv().lock().lock();
            try {
                q.so.setOobMark(q.so.rcv().avail() + p.so.snd().avail() - 1);
            } finally {
                q.so.rcv().lock().unlock();
            }
            q.oob = '!';
            q.so.hasOutOfBand();
        }

        @Override
        public Errno rcvoob(final SocketSide so, final Mbuf m, final int flags) {
            final Pcb p = pcb(so);
            if (p.oob < 0) {
                return Errno.EINVAL;
            }
            m.len(1);
            m.put8(0, p.oob);
            if (flags == 0) {
                p.oob = -1;
            }
            return Errno.OK;
        }

        @Override
        public Errno rcvd(final SocketSide so, final int flags) {
            final Pcb peer = pcb(so).peer;
            if (peer != null) {
                flow(peer);
            }
            return Errno.OK;
        }

        /** Moves what the peer has room for; then the end, when it is due. */
        private void flow(final Pcb p) {
            p.lock.lock();
            try {
                final Pcb q = p.peer;
                if (q != null) {
                    move(p, q);
                }
                if (p.finSent && (q == null || p.so.snd().avail() == 0)) {
                    finish(p, q);
                }
            } finally {
                p.lock.unlock();
            }
        }

        private void finish(final Pcb p, final Pcb q) {
            if (q != null) {
                q.so.cantRcvMore();
            }
            if (p.disconnecting) {
                p.disconnecting = false;
                disconnects.add(p);
                if (!slowClose) {
                    later();
                }
            }
        }

        private void move(final Pcb p, final Pcb q) {
            final SockBuf snd = p.so.snd();
            Mbuf copy = null;
            snd.lock().lock();
            try {
                final int n = Math.min(snd.avail(), q.so.rcv().space());
                if (n > 0) {
                    copy = snd.sndCopyLocked(0, n);
                }
                if (copy != null) {
                    snd.dropLocked(n);
                    p.so.wWakeupLocked();
                }
                assert snd.check();
            } finally {
                snd.lock().unlock();
            }
            if (copy != null) {
                q.so.rcv().lock().lock();
                try {
                    q.so.rcv().appendStreamLocked(copy, 0);
                    assert q.so.rcv().check();
                    q.so.rWakeupLocked();
                } finally {
                    q.so.rcv().lock().unlock();
                }
            }
        }

        @Override
        public Errno shutdown(final SocketSide so, final int how) {
            if (how != SocketDefs.SHUT_RD) {
                so.cantSendMore();
                pcb(so).finSent = true;
                flow(pcb(so));
            }
            return Errno.OK;
        }

        @Override
        public Errno disconnect(final SocketSide so) {
            final Pcb p = pcb(so);
            p.finSent = true;
            if (so.linger() == 0) {
                abort(so);
                return Errno.OK;
            }
            p.disconnecting = true;
            so.isDisconnecting();
            flow(p);
            return Errno.OK;
        }

        @Override
        public void close(final SocketSide so) {
            final Pcb p = pcb(so);
            p.lock.lock();
            try {
                if (p.disconnecting || disconnects.contains(p)) {
                    p.closed = true;
                    so.ref();
                }
            } finally {
                p.lock.unlock();
            }
        }

        @Override
        public void abort(final SocketSide so) {
            final Pcb p = pcb(so);
            final Pcb q = p.peer;
            p.peer = null;
            so.isDisconnected();
            if (q != null) {
                q.peer = null;
                q.so.setError(Errno.ECONNRESET);
                q.so.isDisconnected();
            }
        }

        @Override
        public Errno soreceive(final SocketSide so, final RecvMsg msg) {
            return so.receiveStream(msg);
        }
    }

    private final class Dgram extends Base {
        Dgram() {
            super(SocketDefs.SOCK_DGRAM, PROTO_DGRAM, PR_ATOMIC | PR_ADDR);
        }

        @Override
        public Errno attach(final SocketSide so, final int proto, final Ucred cred) {
            so.setPcb(new Pcb(so));
            return so.reserve(BUFFER, 2 * BUFFER);
        }

        @Override
        public Errno connect(final SocketSide so, final SockAddr nam, final Ucred cred) {
            final SocketSide to = ports.get(nam.port());
            if (to == null) {
                return Errno.ECONNREFUSED;
            }
            pcb(so).peer = pcb(to);
            so.isConnected();
            return Errno.OK;
        }

        @Override
        public Errno disconnect(final SocketSide so) {
            pcb(so).peer = null;
            so.isDisconnected();
            return Errno.OK;
        }

        @Override
        public Errno shutdown(final SocketSide so, final int how) {
            return Errno.OK;
        }

        @Override
        public Errno send(
            final SocketSide so, final int flags, final Mbuf m, final SockAddr nam, final Mbuf control) {
            final Pcb p = pcb(so);
            final Pcb peer = p.peer;
            final SocketSide to = nam != null ? ports.get(nam.port()) : peer == null ? null : peer.so;
            final SockAddr from = p.so == so ? fromOf(p) : null;
            if (to == null || !to.rcv().appendAddr(from, m, control)) {
                m.freeChain();
                if (control != null) {
                    control.freeChain();
                }
                return Errno.OK;
            }
            to.rWakeup();
            return Errno.OK;
        }

        private final Map<Pcb, SockAddr> names = new ConcurrentHashMap<>();

        private SockAddr fromOf(final Pcb p) {
            SockAddr a = names.get(p);
            if (a == null) {
                a = SockAddr.in(0, p.port);
                names.put(p, a);
            }
            return a;
        }

        @Override
        public Errno sosend(final SocketSide so, final SockAddr addr, final Uio uio, final Mbuf top,
            final Mbuf control, final int flags) {
            return so.sendDgram(addr, uio, top, control, flags);
        }

        @Override
        public Errno soreceive(final SocketSide so, final RecvMsg msg) {
            return so.receiveDgram(msg);
        }
    }

    private final class Seq extends Base {
        Seq() {
            super(SocketDefs.SOCK_SEQPACKET, PROTO_SEQ, PR_CONNREQUIRED);
        }

        @Override
        public Errno send(
            final SocketSide so, final int flags, final Mbuf m, final SockAddr nam, final Mbuf control) {
            final SocketSide to = pcb(so).peer.so;
            if (control != null) {
                to.rcv().appendControl(m, control, 0);
            } else {
                to.rcv().append(m, 0);
            }
            to.rWakeup();
            return Errno.OK;
        }
    }
}
