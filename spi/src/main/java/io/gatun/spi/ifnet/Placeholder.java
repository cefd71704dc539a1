package io.gatun.spi.ifnet;

/** Keeps this package exportable until its first real type lands; goes then. */
final class Placeholder {
    private Placeholder() {
    }
}
