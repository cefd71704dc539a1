package io.gatun.spi.ifnet;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.VnetSide;

/**
 * What of an {@link Ifnet} does not change once it is attached: who it is, the slots that its driver and its link layer
 * fill, and the shape of its link header.
 *
 * <p>Locking key: (c) constant once attached.
 */
public abstract sealed class IfnetSlots permits Ifnet {
    /** Interface types of the IANA registry. */
    public static final int IFT_ETHER = 0x6;
    public static final int IFT_LOOP = 0x18;
    /** A layer-3 tunnel without link addresses. */
    public static final int IFT_TUNNEL = 0x83;
    public static final int IFT_L2VLAN = 0x87;

    /** Takes a frame to the wire. @bsd if_transmit_fn_t */
    @FunctionalInterface
    public interface TransmitFn {
        /**
         * Takes ownership of the frame and any that follow by nextPkt. On an error the frame has been freed and
         * counted. May be called by several threads at a time, with protocol locks held: never calls up.
         *
         * @return OK, or ENOBUFS (back-pressure), ENETDOWN
         */
        Errno transmit(Ifnet ifp, Mbuf m);
    }

    /** Drops what the driver has queued. @bsd if_qflush_fn_t */
    @FunctionalInterface
    public interface QflushFn {
        /** Frees all frames that wait to be sent, counted as OQDROPS. */
        void qflush(Ifnet ifp);
    }

    /** Takes a received frame up. @bsd if_input_fn_t */
    @FunctionalInterface
    public interface InputFn {
        /** Consumes m and what follows by nextPkt. {@code rcvif} is set. No lock of the stack is held. */
        void input(Ifnet ifp, Mbuf m);
    }

    /** Sends a network-layer packet. @bsd if_output_fn_t */
    @FunctionalInterface
    public interface OutputFn {
        /**
         * Resolves the link address of {@code dst}, prepends the link header and transmits. Consumes m always.
         *
         * @param dst next hop, borrowed for the call
         * @return OK (also when the packet waits for resolution), ENOBUFS, ENETDOWN, EHOSTUNREACH, EAFNOSUPPORT
         */
        Errno output(Ifnet ifp, Mbuf m, SockAddr dst);
    }

    /** Carries out a request. @bsd if_ioctl_fn_t */
    @FunctionalInterface
    public interface IoctlFn {
        /**
         * Called without data path locks, may block. EOPNOTSUPP for what the driver does not know, EINVAL for a bad
         * value.
         */
        Errno ioctl(Ifnet ifp, IfReq request);
    }

    /** Brings the device up. @bsd if_init_fn_t */
    @FunctionalInterface
    public interface InitFn {
        /** Starts the device; sets IFF_DRV_RUNNING when traffic may flow. */
        void init(Ifnet ifp);
    }

    /** Looks for received frames, where the vnet has no threads. @bsd poll_handler_t */
    @FunctionalInterface
    public interface PollFn {
        /**
         * Takes up frames that have arrived, by {@link Ifnet#input}, and ends with {@code netisr().swi()}. Never
         * blocks. Called with no lock held by the one thread that drives the vnet.
         *
         * @param budget frames to take at most
         * @return frames taken
         */
        int poll(Ifnet ifp, int budget);
    }

    final VnetSide vnet;              // (c)
    private final int type;           // (c)
    private final String dname;       // (c)
    private final int dunit;          // (c)
    private final String xname;       // (c)
    private final Object softc;       // (c)
    TransmitFn transmitFn;            // (c)
    QflushFn qflushFn;                // (c)
    InputFn inputFn;                  // (c)
    OutputFn outputFn;                // (c)
    IoctlFn ioctlFn;                  // (c)
    InitFn initFn;                    // (c)
    PollFn pollFn;                    // (c) null for a device that needs no polling
    private int hdrlen;               // (c) octets of link header that output prepends
    private int addrlen;              // (c) octets of a link address
    private byte[] broadcastAddr;     // (c) link broadcast address
    private Object llSoftc;           // (c) the link layer's own state of this interface
    private int tsoMax = 65_535;      // (c) longest super-segment, octets of IP packet

    IfnetSlots(
        final VnetSide vnet, final int type, final String dname, final int dunit, final String xname,
        final Object softc) {
        this.vnet = vnet;
        this.type = type;
        this.dname = dname;
        this.dunit = dunit;
        this.xname = xname;
        this.softc = softc;
    }

    // ---- identity ------------------------------------------------------------

    public final VnetSide vnet() {
        return vnet;
    }

    /** IFT_*. @bsd if_type */
    public final int type() {
        return type;
    }

    /** Driver name. @bsd if_dname */
    public final String dname() {
        return dname;
    }

    /** @bsd if_dunit */
    public final int dunit() {
        return dunit;
    }

    /** Name and unit, as in {@code tap0}. @bsd if_xname */
    public final String xname() {
        return xname;
    }

    /** The driver's own state. @bsd if_softc */
    public final Object softc() {
        return softc;
    }

    // ---- what a driver sets before attach ------------------------------------------------------------

    /** @bsd if_settransmitfn */
    public final void setTransmitFn(final TransmitFn fn) {
        transmitFn = fn;
    }

    /** @bsd if_setqflushfn */
    public final void setQflushFn(final QflushFn fn) {
        qflushFn = fn;
    }

    /** @bsd if_setinputfn */
    public final void setInputFn(final InputFn fn) {
        inputFn = fn;
    }

    /** @bsd if_setoutputfn */
    public final void setOutputFn(final OutputFn fn) {
        outputFn = fn;
    }

    /** @bsd if_setioctlfn */
    public final void setIoctlFn(final IoctlFn fn) {
        ioctlFn = fn;
    }

    /** @bsd if_setinitfn */
    public final void setInitFn(final InitFn fn) {
        initFn = fn;
    }

    /** For a device that waits for frames from outside; a vnet without threads calls it. @bsd ether_poll_register */
    public final void setPollFn(final PollFn fn) {
        pollFn = fn;
    }

    public final PollFn pollFn() {
        return pollFn;
    }

    /** The present slot, so that a wrapper can call on. */
    public final TransmitFn transmitFn() {
        return transmitFn;
    }

    public final QflushFn qflushFn() {
        return qflushFn;
    }

    public final InputFn inputFn() {
        return inputFn;
    }

    public final OutputFn outputFn() {
        return outputFn;
    }

    public final IoctlFn ioctlFn() {
        return ioctlFn;
    }

    public final InitFn initFn() {
        return initFn;
    }

    /** Octets of link header. @bsd if_hdrlen */
    public final int hdrlen() {
        return hdrlen;
    }

    /** For the link layer. */
    public final void setHdrlen(final int octets) {
        hdrlen = octets;
    }

    /** Octets of a link address. @bsd if_addrlen */
    public final int addrlen() {
        return addrlen;
    }

    /** For the link layer. */
    public final void setAddrlen(final int octets) {
        addrlen = octets;
    }

    /** The link broadcast address; not to be changed. @bsd if_broadcastaddr */
    public final byte[] broadcastAddr() {
        return broadcastAddr;
    }

    /** For the link layer, which does not change it afterwards. */
    public final void setBroadcastAddr(final byte[] addr) {
        broadcastAddr = addr;
    }

    /** The link layer's state of this interface, such as its ARP table. @bsd if_l2com */
    public final Object llSoftc() {
        return llSoftc;
    }

    /** For the link layer. */
    public final void setLlSoftc(final Object state) {
        llSoftc = state;
    }

    /** Longest super-segment the device takes, octets of IP packet; below the MTU means none. @bsd if_hw_tsomax */
    public final int tsoMax() {
        return tsoMax;
    }

    /** For the driver, with IFCAP_TSO4 or IFCAP_TSO6; 65,535 by default. */
    public final void setTsoMax(final int octets) {
        tsoMax = octets;
    }
}
