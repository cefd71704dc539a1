package io.gatun.drivers.wrap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.Wire;
import io.gatun.drivers.epair.Epair;
import io.gatun.protosw.Vnet;
import io.gatun.spi.sys.Errno;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PcapTapTest {
    private static final long GAP_NS = 1_500_000_001L;

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Packet(long atNs, int onWire, byte[] octets) {
    }

    private static byte[] run() throws Exception {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (Wire wire = new Wire()) {
            Vnet vnet = wire.vnet();
            Epair pair = Epair.join(vnet, vnet, 0, new Epair.Config(9000, 100, false, false));
            Wire.up(pair.a(), pair.b());
            try (PcapTap tap = new PcapTap(file, pair.a())) {
                pair.a().setBpf(tap);
                for (int i = 0; i < 5; i++) {
                    assertThat(Wire.send(i % 2 == 0 ? pair.a() : pair.b(), Wire.frame(i, 60 + 2000 * i)))
                            .isEqualTo(Errno.OK);
                    wire.advance(GAP_NS);
                }
                pair.a().setBpf(null);
                assertThat(Wire.send(pair.a(), Wire.frame(9, 60))).isEqualTo(Errno.OK);
            }
        }
        return file.toByteArray();
    }

    /** Written from the description of the format, not from the writer. */
    private static List<Packet> parse(byte[] file) {
        ByteBuffer b = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(b.getInt()).isEqualTo(0xa1b23c4d);
        assertThat(b.getShort()).isEqualTo((short) 2);
        assertThat(b.getShort()).isEqualTo((short) 4);
        assertThat(b.getLong()).isZero();
        assertThat(b.getInt()).isGreaterThanOrEqualTo(65_535);
        assertThat(b.getInt()).as("link type: Ethernet").isEqualTo(1);
        List<Packet> out = new ArrayList<>();
        while (b.hasRemaining()) {
            long seconds = b.getInt() & 0xffff_ffffL;
            long ns = b.getInt();
            assertThat(ns).isBetween(0L, 999_999_999L);
            byte[] octets = new byte[b.getInt()];
            int onWire = b.getInt();
            b.get(octets);
            out.add(new Packet(seconds * 1_000_000_000L + ns, onWire, octets));
        }
        return out;
    }

    @Test
    void bothDirections_areRecorded_withTheVnetsTime() throws Exception {
        List<Packet> packets = parse(run());
        assertThat(packets).hasSize(5);
        for (int i = 0; i < 5; i++) {
            Packet p = packets.get(i);
            assertThat(p.octets()).isEqualTo(Wire.frame(i, 60 + 2000 * i));
            assertThat(p.onWire()).isEqualTo(p.octets().length);
            assertThat(p.atNs()).isEqualTo(packets.getFirst().atNs() + i * GAP_NS);
        }
    }

    @Test
    void sameRun_sameOctets() throws Exception {
        assertThat(run()).isEqualTo(run());
    }

    @Test
    void diskFull_endsTheRecording_andCloseTells() throws Exception {
        try (Wire wire = new Wire()) {
            Vnet vnet = wire.vnet();
            Epair pair = Epair.join(vnet, vnet, 0, Epair.Config.DEFAULT);
            Wire.up(pair.a(), pair.b());
            PcapTap tap = new PcapTap(new Full(), pair.a());
            pair.a().setBpf(tap);
            for (int i = 0; i < 3; i++) {
                assertThat(Wire.send(pair.a(), Wire.frame(i, 60))).isEqualTo(Errno.OK);
            }
            assertThat(wire.octets(pair.b())).hasSize(3);
            assertThatThrownBy(tap::close).isInstanceOf(IOException.class).hasMessage("full");
        }
    }

    /** Takes the file header and no more. */
    private static final class Full extends OutputStream {
        private int writes;

        @Override
        public void write(int b) throws IOException {
            throw new IOException("one octet");
        }

        @Override
        public void write(byte[] b, int off, int len) throws IOException {
            writes++;
            if (writes > 1) {
                throw new IOException("full");
            }
        }
    }
}
