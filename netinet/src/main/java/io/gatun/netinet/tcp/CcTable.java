package io.gatun.netinet.tcp;

import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.netinet.tcp.cc.NewReno;
import io.gatun.spi.vnet.SysctlTree;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The congestion control algorithms of a vnet by name: those ServiceLoader finds. @bsd cc_list */
final class CcTable {
    private final Map<String, CcAlgo> byName = new TreeMap<>();
    private final Map<String, CcAlgo> quickly; // the same, asked with each socket
    private final CcAlgo newReno = new NewReno();
    private Named last = new Named(null, newReno); // benign race: it says what it answers

    /** What was asked for last. */
    private record Named(String name, CcAlgo algo) { }

    CcTable(SysctlTree tree, ClassLoader loader) {
        byName.put(newReno.name(), newReno);
        for (final CcAlgo a : ServiceLoader.load(CcAlgo.class, loader)) {
            byName.putIfAbsent(a.name(), a);
        }
        for (final CcAlgo a : byName.values()) {
            a.modInit(tree);
        }
        quickly = Map.copyOf(byName);
    }

    /** The vnet ends. */
    void destroy() {
        byName.values().forEach(CcAlgo::modDestroy);
    }

    /** Or null. */
    CcAlgo find(String name) {
        return byName.get(name);
    }

    /** The algorithm of new connections; NewReno when that name is unknown. @bsd CC_DEFAULT_ALGO */
    CcAlgo byDefault(String name) {
        final Named asked = last;
        if (asked.name == name) { // the same object, as from one value of a sysctl
            return asked.algo;
        }
        final CcAlgo a = quickly.getOrDefault(name, newReno);
        last = new Named(name, a);
        return a;
    }

    String names() {
        return String.join(" ", byName.keySet());
    }
}
