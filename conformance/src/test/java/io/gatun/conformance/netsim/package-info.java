/** The simulator on itself, and the production stack on the simulator. */
package io.gatun.conformance.netsim;
