package io.gatun.spi.socket;

import io.gatun.spi.sys.Errno;
import java.util.List;

/** The domains of one vnet. @bsd domain_add */
public interface DomainTable {
    /** Adds a domain and calls its init. EEXIST for a taken family. @bsd domain_add */
    Errno add(Domain domain);

    /** Or null. @bsd pffinddomain */
    Domain find(int family);

    /** Any protocol of a type, or null. @bsd pffindtype */
    Protosw findType(int family, int type);

    /** The protocol, or a raw one with protocol 0 for SOCK_RAW, or null. @bsd pffindproto */
    Protosw findProto(int family, int protocol, int type);

    /**
     * Adds a protocol to a domain at run time. EEXIST on a duplicate, EPFNOSUPPORT without the domain.
     *
     * @bsd protosw_register
     */
    Errno register(int family, Protosw pr);

    /** @bsd protosw_unregister */
    Errno unregister(int family, Protosw pr);

    List<Domain> all();
}
