package io.gatun.netinet.tcp;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.List;

/** A socket as TCP sees it: remembers what TCP told it. */
final class FakeSocket implements SocketSide {
    final TcpFixture fx;
    final FakeSockBuf snd = new FakeSockBuf("so_snd");
    final FakeSockBuf rcv = new FakeSockBuf("so_rcv");
    final List<FakeSocket> incomp = new ArrayList<>();
    final List<FakeSocket> comp = new ArrayList<>();
    int backlog = 4;
    int options;
    int state;
    int refs = 1;
    int readWakeups;
    int writeWakeups;
    int oobMark;
    boolean oobSignalled;
    Errno error = Errno.OK;
    FakeSocket head;
    Runnable whenDisconnected = () -> { };
    private final Mtx lock = new Mtx(LockClass.SOCKET, "so");
    private final Mtx pcbLock = new Mtx(LockClass.INPCB, "inp");
    private Object pcb;

    FakeSocket(TcpFixture fx) {
        this.fx = fx;
    }

    boolean is(int ss) {
        return (state & ss) != 0;
    }

    @Override
    public VnetSide vnet() {
        return fx.vnet;
    }

    @Override
    public Protosw proto() {
        return null;
    }

    @Override
    public int type() {
        return SocketDefs.SOCK_STREAM;
    }

    @Override
    public Ucred cred() {
        return Ucred.ROOT;
    }

    @Override
    public int fibnum() {
        return 0;
    }

    @Override
    public Mtx lock() {
        return lock;
    }

    @Override
    public Mtx pcbLock() {
        return pcbLock;
    }

    @Override
    public Object pcb() {
        return pcb;
    }

    @Override
    public void setPcb(Object p) {
        pcb = p;
    }

    @Override
    public FakeSockBuf snd() {
        return snd;
    }

    @Override
    public FakeSockBuf rcv() {
        return rcv;
    }

    @Override
    public int options() {
        return options;
    }

    @Override
    public int state() {
        return state;
    }

    @Override
    public int linger() {
        return -1;
    }

    @Override
    public Errno error() {
        return error;
    }

    @Override
    public void setError(Errno e) {
        error = e;
    }

    @Override
    public boolean listening() {
        return (options & SocketDefs.SO_ACCEPTCONN) != 0;
    }

    @Override
    public boolean userHeld() {
        return true;
    }

    @Override
    public void ref() {
        refs++;
    }

    @Override
    public void rele() {
        refs--;
    }

    @Override
    public void isConnecting() {
        state |= SocketDefs.SS_ISCONNECTING;
    }

    @Override
    public void isConnected() {
        state = state & ~SocketDefs.SS_ISCONNECTING | SocketDefs.SS_ISCONNECTED;
        if (head != null && head.incomp.remove(this)) {
            head.comp.add(this);
        }
    }

    @Override
    public void clearConnected() {
        throw new AssertionError("TCP does not outlive its connection");
    }

    @Override
    public int qlimit() {
        return (options & SocketDefs.SO_ACCEPTCONN) != 0 ? backlog : 0;
    }

    @Override
    public void isDisconnecting() {
        state |= SocketDefs.SS_ISDISCONNECTING;
        cantRcvMore();
        cantSendMore();
    }

    @Override
    public void isDisconnected() {
        state = state & ~(SocketDefs.SS_ISCONNECTING | SocketDefs.SS_ISCONNECTED) | SocketDefs.SS_ISDISCONNECTED;
        cantRcvMore();
        cantSendMore();
        snd.flush();
        if (head != null) {
            head.incomp.remove(this);
        }
        whenDisconnected.run();
    }

    @Override
    public void cantRcvMore() {
        rcv.setStateBits(SocketDefs.SBS_CANTRCVMORE, 0);
    }

    @Override
    public void cantSendMore() {
        snd.setStateBits(SocketDefs.SBS_CANTSENDMORE, 0);
    }

    @Override
    public SocketSide newConn(int connstatus) {
        if (comp.size() + incomp.size() >= backlog) {
            return null;
        }
        final FakeSocket child = fx.socket();
        child.options = options & ~SocketDefs.SO_ACCEPTCONN;
        child.head = this;
        incomp.add(child);
        return child;
    }

    @Override
    public void rWakeup() {
        readWakeups++;
    }

    @Override
    public void rWakeupLocked() {
        assert rcv.lock().owned();
        readWakeups++;
    }

    @Override
    public void wWakeup() {
        writeWakeups++;
    }

    @Override
    public void wWakeupLocked() {
        assert snd.lock().owned();
        writeWakeups++;
    }

    @Override
    public void hasOutOfBand() {
        oobSignalled = true;
    }

    @Override
    public int oobMark() {
        return oobMark;
    }

    @Override
    public void setOobMark(int octets) {
        oobMark = octets;
    }

    @Override
    public Errno reserve(long s, long r) {
        return Errno.OK;
    }

    @Override
    public Errno listenProtoCheck() {
        return Errno.OK;
    }

    @Override
    public void listenProto(int n) {
        options |= SocketDefs.SO_ACCEPTCONN;
        backlog = n;
    }

    @Override
    public void listenProtoAbort() {
        // nothing to undo
    }

    @Override
    public Errno sendGeneric(SockAddr addr, Uio uio, Mbuf top, Mbuf control, int flags) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Errno sendDgram(SockAddr addr, Uio uio, Mbuf top, Mbuf control, int flags) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Errno receiveGeneric(RecvMsg msg) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Errno receiveStream(RecvMsg msg) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Errno receiveDgram(RecvMsg msg) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int pollGeneric(int events) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Errno setSbOptGeneric(SockOpt opt) {
        throw new UnsupportedOperationException();
    }
}
