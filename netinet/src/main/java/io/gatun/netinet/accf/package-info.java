/**
 * The accept filters of the internet domain: they hold a connection back from accept until a request is there. Each
 * needs {@code io.gatun.spi} alone and looks at octets only, so they serve any stream protocol. Stands for FreeBSD's
 * netinet/accf_data.c, accf_http.c, accf_dns.c, accf_tls.c.
 */
package io.gatun.netinet.accf;
