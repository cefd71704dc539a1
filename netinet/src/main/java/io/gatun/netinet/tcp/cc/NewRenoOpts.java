package io.gatun.netinet.tcp.cc;

/**
 * What NewReno leaves of the window on one connection, for TCP_CCALGOOPT. DIFFERS: FreeBSD sets one of the two at a
 * time, by name.
 *
 * @param beta after a loss, percent; to set, 0 leaves it as it is
 * @param betaEcn after a mark, percent, where {@code net.inet.tcp.cc.abe} is on; to set, 0 leaves it as it is
 * @bsd struct cc_newreno_opts
 */
public record NewRenoOpts(int beta, int betaEcn) {
}
