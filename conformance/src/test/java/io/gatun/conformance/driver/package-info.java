/** The driver kit on the drivers of this repository. */
package io.gatun.conformance.driver;
