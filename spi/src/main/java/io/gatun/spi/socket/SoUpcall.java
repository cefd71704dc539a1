package io.gatun.spi.socket;

/** Called when a socket becomes readable or writable, or a listener has a connection. @bsd so_upcall_t */
@FunctionalInterface
public interface SoUpcall {
    /**
     * Runs on the thread that brought the data, with the buffer's lock (a listener's: its queue's) held, and maybe the
     * pcb's. Must not block and must not call the socket: it leaves a sign for another thread, or wakes one.
     *
     * @return SU_OK, or SU_ISCONNECTED to complete the connection once the lock is dropped
     */
    int upcall(SocketSide so, Object arg);
}
