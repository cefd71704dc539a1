/**
 * Rules about the sources themselves that neither the compiler nor checkstyle knows: read with the compiler's own
 * parser, so a comment or a string is never mistaken for code.
 */
package io.gatun.conformance.source;
