/**
 * Network interfaces as drivers and the stack see them: {@link io.gatun.spi.ifnet.Ifnet} with its slots, the cloner
 * {@link io.gatun.spi.ifnet.IfnetDriver} found by ServiceLoader, link layers and taps. Stands for FreeBSD's
 * net/if_var.h, net/if_private.h, net/if_clone.h.
 */
package io.gatun.spi.ifnet;
