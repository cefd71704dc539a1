/** JMH benchmarks of the stack. */
module io.gatun.bench {
    requires io.gatun.conformance;
    requires io.gatun.drivers;
    requires io.gatun.netinet;
    requires io.gatun.spi;
    requires io.gatun.uipc;
    requires java.management;
    requires jmh.core;
    requires HdrHistogram;
}
