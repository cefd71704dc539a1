package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/**
 * The TCP stacks of a vnet by name: those ServiceLoader finds, and those registered. A connection of the base stack has
 * null as its {@link Tcpcb#fb}.
 *
 * <p>Locking key: (c) constant; (m) this object's monitor, a leaf that no data path takes.
 *
 * @bsd t_functions
 */
public final class TcpFunctions {
    private final Map<String, TcpFunctionBlock> byName = new TreeMap<>(); // (m)
    private final TcpFunctionBlock base = new FreebsdStack();             // (c)
    private final Sysctl byDefault;                                       // (c)
    private final Sysctl available;                                       // (c)

    TcpFunctions(final SysctlTree t, final ClassLoader loader) {
        byName.put(base.name(), base);
        available = t.addString("net.inet.tcp.functions_available", "", "TCP stacks", text -> false);
        for (final TcpFunctionBlock b : ServiceLoader.load(TcpFunctionBlock.class, loader)) {
            register(b);
        }
        available.set(names());
        byDefault = t.addString("net.inet.tcp.functions_default", base.name(), "TCP stack of new sockets",
            text -> find(text) != null);
    }

    /**
     * Adds a stack.
     *
     * @return OK; EALREADY when the name is taken, EINVAL for a name that is blank or too long
     * @bsd register_tcp_functions
     */
    public synchronized Errno register(final TcpFunctionBlock block) {
        final String name = block.name();
        if (name.isBlank() || name.length() >= TcpFunctionBlock.NAME_LEN_MAX) {
            return Errno.EINVAL;
        }
        if (byName.putIfAbsent(name, block) != null) {
            return Errno.EALREADY;
        }
        available.set(names());
        return Errno.OK;
    }

    /**
     * Takes a stack away.
     *
     * @return OK; EPERM for the base stack, ENOENT, EBUSY while it is the default or a connection has it
     * @bsd deregister_tcp_functions
     */
    public synchronized Errno deregister(final TcpFunctionBlock block) {
        if (block == base) {
            return Errno.EPERM;
        }
        if (byName.get(block.name()) != block) {
            return Errno.ENOENT;
        }
        if (block.refcnt() != 0 || byDefault.getString().equals(block.name())) {
            return Errno.EBUSY;
        }
        byName.remove(block.name());
        available.set(names());
        return Errno.OK;
    }

    /** By name, or null. @bsd find_tcp_functions_locked */
    public synchronized TcpFunctionBlock find(final String name) {
        return byName.get(name);
    }

    /** All names, in order. @bsd sysctl_net_inet_list_available */
    public synchronized String names() {
        return String.join(" ", byName.keySet());
    }

    /** A stack that cannot go any more, null for none such; the base stack is not counted. */
    private synchronized TcpFunctionBlock findAndRef(final String name) {
        final TcpFunctionBlock b = byName.get(name);
        if (b != null && b != base) {
            b.ref();
        }
        return b;
    }

    /** A new block, not locked, gets the default stack, or when that does not want it the base stack. */
    void attach(final Tcpcb tp) {
        final String name = byDefault.getString();
        if (TcpFunctionBlock.FREEBSD.equals(name)) {
            return;
        }
        tp.inp.lock.lock();
        try {
            attach(tp, findAndRef(name));
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** A child gets the stack of its listener. Both are locked. */
    @SuppressWarnings("GuardedBy") // two blocks of one class: the checker follows one
    void inherit(final Tcpcb from, final Tcpcb to) {
        if (from.fb == to.fb) {
            return;
        }
        discard(to);
        if (from.fb != null) {
            from.fb.ref();
            attach(to, from.fb);
        }
    }

    @GuardedBy("tp.inp.lock")
    private void attach(final Tcpcb tp, final TcpFunctionBlock b) {
        if (b == null || b == base) {
            return;
        }
        if (b.fbInit(tp) == Errno.OK) {
            tp.fb = b;
        } else {
            tp.fbPtr = null;
            b.rele();
        }
    }

    /** The block ends. */
    @GuardedBy("tp.inp.lock")
    void discard(final Tcpcb tp) {
        final TcpFunctionBlock b = tp.fb;
        if (b != null) {
            b.fbFini(tp, true);
            b.rele();
            tp.fb = null;
            tp.fbPtr = null;
        }
    }

    /**
     * Gives a connection another stack.
     *
     * @return OK; ENOENT for an unknown one, EINVAL or what the stack says when it does not take a connection in its
     *     state
     * @bsd TCP_FUNCTION_BLK
     */
    @GuardedBy("tp.inp.lock")
    Errno set(final Tcpcb tp, final String name) {
        assert !tp.inp.has(Inpcb.INP_DROPPED) : "stack of a closed connection";
        final TcpFunctionBlock b = findAndRef(name);
        if (b == null) {
            return Errno.ENOENT;
        }
        final TcpFunctionBlock old = tp.fb;
        if (b == (old == null ? base : old)) {
            release(b);
            return Errno.OK;
        }
        final Object before = tp.fbPtr;
        tp.fbPtr = null;
        Errno e = tp.state == TcpState.CLOSED ? Errno.OK : b.handoffOk(tp);
        e = e == Errno.OK ? b.fbInit(tp) : e;
        if (e != Errno.OK) {
            tp.fbPtr = before;
            release(b);
            return e;
        }
        if (old != null) {
            final Object now = tp.fbPtr;
            tp.fbPtr = before;
            old.fbFini(tp, false);
            old.rele();
            tp.fbPtr = now;
        }
        tp.fb = b == base ? null : b;
        return Errno.OK;
    }

    private void release(final TcpFunctionBlock b) {
        if (b != base) {
            b.rele();
        }
    }

    /** The name of a connection's stack. */
    @GuardedBy("tp.inp.lock")
    static String name(final Tcpcb tp) {
        return tp.fb == null ? TcpFunctionBlock.FREEBSD : tp.fb.name();
    }
}
