/** JMH benchmarks of the stack. */
module io.gatun.bench {
    requires io.gatun.drivers;
    requires io.gatun.netinet;
    requires io.gatun.spi;
    requires io.gatun.uipc;
    requires jmh.core;
    requires HdrHistogram;
}
