package io.gatun.drivers.epair;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.LinkState;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.VnetSide;
import java.util.Map;

/**
 * One virtual cable. A frame sent into one end is queued at the other and taken up at the next safe point of the
 * sending thread, which runs the other vnet's input too ({@code Netisr.link}). Between vnets of one mbuf pool a frame
 * crosses without a copy, otherwise it is copied into the receiver's pool.
 *
 * @bsd if_epair
 */
public final class Epair {
    private final EpairEnd a;
    private final EpairEnd b;
    private boolean destroyed; // guarded by this

    private Epair(final EpairEnd a, final EpairEnd b) {
        this.a = a;
        this.b = b;
    }

    /**
     * How a cable is made.
     *
     * @param mtu octets of network-layer packet, 68..9000 without and up to 65535 with {@code tso}
     * @param qlimit frames that may wait at the receiving end; more are dropped and counted under IF_OQFULL
     * @param checksums whether checksums are computed (true), or known to be good because the cable is memory (false)
     * @param tso whether 64 KiB super-segments cross whole
     */
    public record Config(int mtu, int qlimit, boolean checksums, boolean tso) {
        /** 1500 octets, 4096 frames, no checksums, no super-segments. */
        public static final Config DEFAULT = new Config(1500, 4096, false, false);

        private static final int MIN_MTU = 68;
        private static final int MAX_MTU = 65_535;

        /** Fails on a value out of range. */
        public Config {
            if (mtu < MIN_MTU || mtu > MAX_MTU) {
                throw new IllegalArgumentException("mtu " + mtu + " is not in " + MIN_MTU + ".." + MAX_MTU);
            }
            if (qlimit < 1) {
                throw new IllegalArgumentException("qlimit " + qlimit + " is not positive");
            }
        }

        /**
         * From driver parameters {@code mtu}, {@code qlimit}, {@code checksums}, {@code tso}; EINVAL for anything
         * else.
         */
        public static Config parse(final Map<String, String> params) throws ErrnoException {
            int mtu = DEFAULT.mtu;
            int qlimit = DEFAULT.qlimit;
            boolean checksums = DEFAULT.checksums;
            boolean tso = DEFAULT.tso;
            for (final Map.Entry<String, String> p : params.entrySet()) {
                switch (p.getKey()) {
                    case "mtu" -> mtu = number(p);
                    case "qlimit" -> qlimit = number(p);
                    case "checksums" -> checksums = Boolean.parseBoolean(p.getValue());
                    case "tso" -> tso = Boolean.parseBoolean(p.getValue());
                    default -> throw new ErrnoException(Errno.EINVAL, "epair: unknown parameter " + p.getKey());
                }
            }
            try {
                return new Config(mtu, qlimit, checksums, tso);
            } catch (final IllegalArgumentException e) {
                throw new ErrnoException(Errno.EINVAL, "epair: " + e.getMessage());
            }
        }

        private static int number(final Map.Entry<String, String> p) throws ErrnoException {
            try {
                return Integer.parseInt(p.getValue());
            } catch (final NumberFormatException e) {
                throw new ErrnoException(Errno.EINVAL, "epair: " + p.getKey() + "=" + p.getValue());
            }
        }
    }

    /**
     * Lays a cable between two vnets (or within one) and attaches both ends, down.
     *
     * @param unit the number in both names: {@code epair<unit>a} in {@code va}, {@code epair<unit>b} in {@code vb}
     * @throws ErrnoException when a name is taken; nothing is left behind
     */
    public static Epair join(final VnetSide va, final VnetSide vb, final int unit, final Config config)
            throws ErrnoException {
        final EpairEnd a = new EpairEnd(va, unit, 'a', config);
        final EpairEnd b = new EpairEnd(vb, unit, 'b', config);
        final Epair pair = new Epair(a, b);
        a.join(pair, b);
        b.join(pair, a);
        if (va != vb) {
            va.netisr().link(vb.netisr());
        }
        final Errno ea = va.ifnets().attach(a.ifp());
        final Errno eb = ea == Errno.OK ? vb.ifnets().attach(b.ifp()) : Errno.OK;
        if (ea != Errno.OK || eb != Errno.OK) {
            if (ea == Errno.OK) {
                va.ifnets().detach(a.ifp());
                a.ifp().free();
            }
            if (va != vb) {
                va.netisr().unlink(vb.netisr());
            }
            ErrnoException.check(ea, "create " + a.ifp().xname());
            ErrnoException.check(eb, "create " + b.ifp().xname());
        }
        a.ifp().linkStateChange(LinkState.UP);
        b.ifp().linkStateChange(LinkState.UP);
        return pair;
    }

    public Ifnet a() {
        return a.ifp();
    }

    public Ifnet b() {
        return b.ifp();
    }

    /** The other end of an interface of this driver. */
    public static Ifnet peer(final Ifnet ifp) {
        return ((EpairEnd) ifp.softc()).peer().ifp();
    }

    /** Detaches and frees both ends and every frame between them. Does nothing the second time. */
    public void destroy() {
        synchronized (this) {
            if (destroyed) {
                return;
            }
            destroyed = true;
        }
        final VnetSide va = a.ifp().vnet();
        final VnetSide vb = b.ifp().vnet();
        va.ifnets().detach(a.ifp());
        vb.ifnets().detach(b.ifp());
        a.flush();
        b.flush();
        if (va != vb) {
            va.netisr().unlink(vb.netisr());
        }
        a.ifp().free();
        b.ifp().free();
    }
}
