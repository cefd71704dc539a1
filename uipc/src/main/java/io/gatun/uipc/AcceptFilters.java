package io.gatun.uipc;

import io.gatun.spi.socket.AcceptFilter;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.SysctlTree;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The accept filters of a vnet by name: those that ServiceLoader finds, and those that a program adds. Any thread.
 *
 * <p>Locking key: all fields are constant.
 *
 * @bsd accept_filtlsthd
 */
public final class AcceptFilters {
    private final SysctlTree tree;
    private final Map<String, AcceptFilter> byName = new ConcurrentSkipListMap<>();

    /** @param loader where to look for filters; null to look nowhere */
    AcceptFilters(final SysctlTree tree, final ClassLoader loader) {
        this.tree = tree;
        if (loader != null) {
            for (final AcceptFilter f : ServiceLoader.load(AcceptFilter.class, loader)) {
                final Errno e = add(f);
                if (e != Errno.OK) {
                    throw new IllegalStateException("accept filter '" + f.name() + "': " + e.text());
                }
            }
        }
    }

    /**
     * Adds a filter.
     *
     * @return OK; EEXIST when the name is taken, EINVAL for a name that is blank or too long
     * @bsd accept_filt_add
     */
    public Errno add(final AcceptFilter filter) {
        final String name = filter.name();
        if (name.isBlank() || name.length() > AcceptFilter.NAME_MAX) {
            return Errno.EINVAL;
        }
        if (byName.putIfAbsent(name, filter) != null) {
            return Errno.EEXIST;
        }
        filter.modInit(tree);
        return Errno.OK;
    }

    /** Takes a filter away; listeners that have it keep it. ENOENT without one. @bsd accept_filt_del */
    public Errno del(final String name) {
        return byName.remove(name) == null ? Errno.ENOENT : Errno.OK;
    }

    /** Or null. @bsd accept_filt_get */
    public AcceptFilter get(final String name) {
        return byName.get(name);
    }
}
