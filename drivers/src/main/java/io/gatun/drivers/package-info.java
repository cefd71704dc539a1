/**
 * Network interfaces, each written against the contract of an interface alone and found by
 * {@link java.util.ServiceLoader}.
 */
package io.gatun.drivers;
