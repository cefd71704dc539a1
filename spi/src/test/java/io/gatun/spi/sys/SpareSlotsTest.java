package io.gatun.spi.sys;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpareSlotsTest {
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void given_taken_onceOnly(final boolean shared) {
        final SpareSlots<String> spares = new SpareSlots<>(shared);
        assertThat(spares.take()).isNull();
        spares.give("a");
        assertThat(spares.exchange("b")).isEqualTo("a");
        assertThat(spares.take()).isEqualTo("b");
        assertThat(spares.take()).isNull();
    }
}
