/**
 * The {@code gatun} command: one class a subcommand. Errors of the person at the keyboard end in one line on standard
 * error and a status other than zero, never in a stack trace.
 */
package io.gatun.cli;
