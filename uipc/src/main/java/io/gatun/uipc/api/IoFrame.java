package io.gatun.uipc.api;

import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.Uio;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * What one call of a direction needs, kept for the next one, so that calls allocate nothing.
 *
 * <p>Locking key: (t) whoever has taken the frame.
 */
final class IoFrame {
    final RecvMsg msg = new RecvMsg();
    private ByteBuffer buffer;       // (t) the last one seen
    private MemorySegment view;      // (t) all of it
    private ByteBuffer otherBuffer;  // (t) the one before
    private MemorySegment otherView; // (t)

    Uio uio() {
        return msg.uio;
    }

    /** The whole of a buffer as a segment, whatever its position. Allocates for one that was not among the last two. */
    MemorySegment view(final ByteBuffer buf) {
        if (buf == buffer) {
            return view;
        }
        final MemorySegment seg = buf == otherBuffer ? otherView : MemorySegment.ofBuffer(buf.duplicate().clear());
        otherBuffer = buffer;
        otherView = view;
        buffer = buf;
        view = seg;
        return seg;
    }
}
