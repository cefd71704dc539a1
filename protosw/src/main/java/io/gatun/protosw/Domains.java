package io.gatun.protosw;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.Domain;
import io.gatun.spi.socket.DomainTable;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.List;

/**
 * The domains of a vnet with their protocols. Readers see an immutable list.
 *
 * <p>Locking key: (p) written under {@code this}, published by a volatile write, never changed in place; (b) benign
 * race.
 *
 * @bsd uipc_domain.c
 */
final class Domains implements DomainTable {
    private record Entry(Domain domain, List<Protosw> protocols) { }

    /** What somebody looked for last, and among which: sockets are mostly of one kind. */
    private record Found(List<Entry> among, int family, int type, Protosw protocol) { }

    private final VnetSide vnet;
    private volatile List<Entry> entries = List.of(); // (p)
    private Found last = new Found(null, 0, 0, null); // (b) it says what it answers

    Domains(VnetSide vnet) {
        this.vnet = vnet;
    }

    @Override
    public Errno add(Domain domain) {
        if (entry(domain.family()) != null) {
            return Errno.EEXIST;
        }
        Errno e = domain.init(vnet);
        if (e != Errno.OK) {
            return e;
        }
        synchronized (this) {
            if (entry(domain.family()) == null) {
                List<Entry> list = new ArrayList<>(entries);
                list.add(new Entry(domain, List.copyOf(domain.protosw())));
                entries = List.copyOf(list);
            } else {
                e = Errno.EEXIST;
            }
        }
        if (e != Errno.OK) {
            domain.destroy();
            return e;
        }
        for (Ifnet ifp : vnet.ifnets().all()) {
            domain.ifattach(ifp);
        }
        return Errno.OK;
    }

    private Entry entry(int family) {
        return entry(entries, family);
    }

    private static Entry entry(List<Entry> among, int family) {
        for (Entry e : among) {
            if (e.domain.family() == family) {
                return e;
            }
        }
        return null;
    }

    @Override
    public Domain find(int family) {
        Entry e = entry(family);
        return e == null ? null : e.domain;
    }

    @Override
    public Protosw findType(int family, int type) {
        List<Entry> now = entries;
        Found f = last;
        if (f.among == now && f.family == family && f.type == type) {
            return f.protocol;
        }
        Protosw pr = findType(now, family, type);
        last = new Found(now, family, type, pr);
        return pr;
    }

    private static Protosw findType(List<Entry> among, int family, int type) {
        Entry e = entry(among, family);
        if (e == null) {
            return null;
        }
        for (Protosw pr : e.protocols) {
            if (pr.type() == type) {
                return pr;
            }
        }
        return null;
    }

    @Override
    public Protosw findProto(int family, int protocol, int type) {
        Entry e = entry(family);
        if (e == null) {
            return null;
        }
        Protosw raw = null;
        for (Protosw pr : e.protocols) {
            if (pr.type() != type) {
                continue;
            }
            if (pr.protocol() == protocol) {
                return pr;
            }
            if (type == SocketDefs.SOCK_RAW && pr.protocol() == 0 && raw == null) {
                raw = pr;
            }
        }
        return raw;
    }

    @Override
    public synchronized Errno register(int family, Protosw pr) {
        Entry e = entry(family);
        if (e == null) {
            return Errno.EPFNOSUPPORT;
        }
        for (Protosw other : e.protocols) {
            if (other.type() == pr.type() && other.protocol() == pr.protocol()) {
                return Errno.EEXIST;
            }
        }
        List<Protosw> list = new ArrayList<>(e.protocols);
        list.add(pr);
        replace(e, list);
        return Errno.OK;
    }

    @Override
    public synchronized Errno unregister(int family, Protosw pr) {
        Entry e = entry(family);
        if (e == null) {
            return Errno.EPFNOSUPPORT;
        }
        List<Protosw> list = new ArrayList<>(e.protocols);
        if (!list.remove(pr)) {
            return Errno.ENOENT;
        }
        replace(e, list);
        return Errno.OK;
    }

    private void replace(Entry old, List<Protosw> protocols) {
        List<Entry> list = new ArrayList<>(entries);
        list.set(list.indexOf(old), new Entry(old.domain, List.copyOf(protocols)));
        entries = List.copyOf(list);
    }

    @Override
    public List<Domain> all() {
        return entries.stream().map(Entry::domain).toList();
    }

    void ifattach(Ifnet ifp) {
        for (Entry e : entries) {
            e.domain.ifattach(ifp);
        }
    }

    void ifdetach(Ifnet ifp) {
        for (Entry e : entries) {
            e.domain.ifdetach(ifp);
        }
    }

    /** Ends all domains, the last added first. */
    void destroy() {
        List<Entry> going;
        synchronized (this) {
            going = entries;
        }
        for (int i = going.size() - 1; i >= 0; i--) {
            going.get(i).domain.destroy();
        }
        synchronized (this) {
            entries = List.of();
        }
    }
}
