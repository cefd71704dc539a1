/**
 * The place of a {@code java.nio.channels.spi.SelectorProvider} over the socket layer, with which unmodified Java
 * programs run on this stack. Nothing of it is written yet.
 */
package io.gatun.nio;
