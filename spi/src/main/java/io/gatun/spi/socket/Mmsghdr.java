package io.gatun.spi.socket;

/**
 * One of several messages that a call sends or receives. Reused by its owner, one thread at a time.
 *
 * <p>For sending: the octets are {@link RecvMsg#uio}, the destination is {@link RecvMsg#from} (null: the connected
 * one), control messages are {@link RecvMsg#control}, which the stack consumes with the message. For receiving as with
 * a single message.
 *
 * @bsd struct mmsghdr
 * @see <a href="https://man.freebsd.org/recvmmsg/2">recvmmsg(2)</a>
 */
public final class Mmsghdr {
    /** The message. @bsd msg_hdr */
    public final RecvMsg hdr = new RecvMsg();
    /** Out: octets sent or received; of a message longer than its room those that had room. @bsd msg_len */
    public long len;

    /** A message with no octets yet. */
    public Mmsghdr() {
        // filled through hdr
    }
}
