/**
 * Debug aids that go around any interface: {@link io.gatun.drivers.wrap.Fault} loses, duplicates, reorders, delays and
 * corrupts what it sends, {@link io.gatun.drivers.wrap.PcapTap} records it.
 */
package io.gatun.drivers.wrap;
