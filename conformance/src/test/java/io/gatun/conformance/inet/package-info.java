/** The internet domain through its sockets: whole vnets over lo and epair, in poll mode on a virtual clock. */
package io.gatun.conformance.inet;
