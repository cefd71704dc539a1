/**
 * The driver kit: extend {@link io.gatun.conformance.driver.IfnetDriverKit} and the contract of
 * {@code io.gatun.spi.ifnet} is tested on your driver. It sees the driver through {@code Ifnet} alone, and the other
 * end of its wire through a {@link io.gatun.conformance.driver.KitPeer}.
 */
package io.gatun.conformance.driver;
