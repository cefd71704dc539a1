/**
 * 802.1Q VLANs: an interface per vid on top of any Ethernet interface. Frames that go out get the tag of the VLAN;
 * tagged frames that come in at the parent are handed to the interface of their vid. Stands for FreeBSD's
 * net/if_vlan.c.
 */
package io.gatun.drivers.vlan;
