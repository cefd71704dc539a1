package io.gatun.spi.socket;

/**
 * SO_LINGER's argument.
 *
 * @param onoff whether close waits
 * @param seconds how long, 0..32767; 0 with {@code onoff} resets the connection at close
 * @bsd struct linger
 */
public record Linger(boolean onoff, int seconds) {
}
