package io.gatun.netinet.pcb;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SipHashTest {
    /** The authors' vector for 24 octets 00 01 .. 17 under the key 00 01 .. 0f. */
    @Test
    void hash_referenceVector() {
        final SipHash h = SipHash.ofKey(0x0706050403020100L, 0x0f0e0d0c0b0a0908L);
        assertThat(h.hash(0x0706050403020100L, 0x0f0e0d0c0b0a0908L, 0x1716151413121110L))
            .isEqualTo(0xb8ad50c6f649af94L);
    }

    /** The authors' vectors for the first octets of 00 01 .. 0f, under the same key. */
    @Test
    void hashOctets_referenceVectors() {
        final SipHash h = SipHash.ofKey(0x0706050403020100L, 0x0f0e0d0c0b0a0908L);
        assertThat(h.hashOctets(0, 0, 0)).isEqualTo(0x726fdb47dd0e0e31L);
        assertThat(h.hashOctets(0x03020100L, 0, 4)).isEqualTo(0xcf2794e0277187b7L);
        assertThat(h.hashOctets(0x0706050403020100L, 0, 8)).isEqualTo(0x93f5f5799a932462L);
        assertThat(h.hashOctets(0x0706050403020100L, 0x000e0d0c0b0a0908L, 15)).isEqualTo(0xa129ca6149be45e5L);
        assertThat(h.hashOctets(0x0706050403020100L, 0x0f0e0d0c0b0a0908L, 16)).isEqualTo(0x3f2acc7f57c29bdbL);
    }

    @Test
    void keys_ofOtherPurposeOrSecret_differ() {
        final byte[] secret = new byte[32];
        final SipHash a = new SipHash(secret, 1);
        final SipHash b = new SipHash(secret, 2);
        secret[31] = 1;
        final SipHash c = new SipHash(secret, 1);
        assertThat(a.key0()).isNotEqualTo(b.key0()).isNotEqualTo(c.key0());
        assertThat(a.hash(1, 2, 3)).isNotEqualTo(b.hash(1, 2, 3)).isNotEqualTo(c.hash(1, 2, 3));
    }
}
