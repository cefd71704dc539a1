package io.gatun.spi.vnet;

/** Keeps this package exportable until its first real type lands; goes then. */
final class Placeholder {
    private Placeholder() {
    }
}
