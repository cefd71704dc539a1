/**
 * The published test kit: abstract JUnit 5 classes that a driver or a protocol of any origin is put through, and the
 * tests that need the whole stack. It sees every module; no module sees it.
 */
package io.gatun.conformance;
