/** The protocol kit on the protocols of this repository, and on that of the documentation. */
package io.gatun.conformance.protocol;
