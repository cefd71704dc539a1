package io.gatun.protosw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.VirtualClock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class SysctlTableTest {
    private final SysctlTable tree = new SysctlTable(Map.of("net.x.early", "7", "net.x.bad", "high"));

    @Test
    void int_setFromText_takesDecimalAndHex() {
        Sysctl s = tree.addInt("net.x.n", 1, 0, 100, "n");
        assertThat(tree.set("net.x.n", " 42 ")).isEqualTo(Errno.OK);
        assertThat(s.getInt()).isEqualTo(42);
        assertThat(tree.set("net.x.n", "0x10")).isEqualTo(Errno.OK);
        assertThat(s.getInt()).isEqualTo(16);
    }

    @Test
    void int_badText_isEinvalAndKeepsTheValue() {
        Sysctl s = tree.addInt("net.x.n", 1, 0, 100, "n");
        for (String text : new String[] {"", "x", "101", "-1", "4294967297", "1.5", "99999999999999999999"}) {
            assertThat(tree.set("net.x.n", text)).as(text).isEqualTo(Errno.EINVAL);
        }
        assertThat(s.get()).isEqualTo(1);
    }

    @Test
    void bool_setFromText() {
        Sysctl s = tree.addBool("net.x.b", true, "b");
        assertThat(tree.set("net.x.b", "false")).isEqualTo(Errno.OK);
        assertThat(s.getBool()).isFalse();
        assertThat(tree.set("net.x.b", "1")).isEqualTo(Errno.OK);
        assertThat(s.getBool()).isTrue();
        assertThat(tree.set("net.x.b", "2")).isEqualTo(Errno.EINVAL);
    }

    @Test
    void string_checked() {
        tree.addString("net.x.s", "a", "s", t -> t.length() == 1);
        assertThat(tree.set("net.x.s", "b")).isEqualTo(Errno.OK);
        assertThat(tree.set("net.x.s", "bb")).isEqualTo(Errno.EINVAL);
        assertThat(tree.find("net.x.s").getString()).isEqualTo("b");
    }

    @Test
    void proc_ownerIsAskedFirst() {
        List<Long> asked = new ArrayList<>();
        Sysctl s = tree.addProc("net.x.p", 1, v -> asked.add(v) && v < 10, "p");
        assertThat(tree.set("net.x.p", "4")).isEqualTo(Errno.OK);
        assertThat(tree.set("net.x.p", "11")).isEqualTo(Errno.EINVAL);
        assertThat(s.get()).isEqualTo(4);
        assertThat(asked).containsExactly(1L, 4L, 11L);
    }

    @Test
    void tunable_isGivenAtCreationOnly() {
        Sysctl s = tree.addTunable("net.x.early", 2, v -> v > 0, "t");
        assertThat(s.get()).isEqualTo(7);
        assertThat(tree.set("net.x.early", "8")).isEqualTo(Errno.EPERM);
        assertThat(s.get()).isEqualTo(7);
    }

    @Test
    void writeOnly_isNotKept() {
        List<String> got = new ArrayList<>();
        tree.addWriteOnly("net.x.w", t -> !t.isEmpty() && got.add(t), "w");
        assertThat(tree.set("net.x.w", "secret")).isEqualTo(Errno.OK);
        assertThat(tree.set("net.x.w", "")).isEqualTo(Errno.EINVAL);
        assertThat(got).containsExactly("secret");
        assertThat(tree.find("net.x.w").getString()).isEmpty();
    }

    @Test
    void text_isMadeWhenAskedFor_andNotVisited() {
        AtomicLong made = new AtomicLong();
        tree.addText("net.x.l", () -> "line " + made.incrementAndGet(), "l");
        List<String> seen = new ArrayList<>();
        tree.forEach(n -> seen.add(n.name()));
        assertThat(seen).doesNotContain("net.x.l");
        assertThat(tree.find("net.x.l").getString()).isEqualTo("line 1");
        assertThat(tree.find("net.x.l").getString()).isEqualTo("line 2");
        assertThat(tree.set("net.x.l", "x")).isEqualTo(Errno.EPERM);
    }

    @Test
    void reading_isComputedAndReadOnly() {
        AtomicLong value = new AtomicLong(5);
        tree.addReading("net.x.r", value::get, "r");
        assertThat(tree.find("net.x.r").get()).isEqualTo(5);
        value.set(6);
        assertThat(tree.find("net.x.r").get()).isEqualTo(6);
        assertThat(tree.set("net.x.r", "1")).isEqualTo(Errno.EPERM);
        assertThat(tree.set("net.x.nowhere", "1")).isEqualTo(Errno.ENOENT);
        assertThat(tree.find("net.x.nowhere")).isNull();
    }

    @Test
    void added_twice_isTheSameNode() {
        Sysctl first = tree.addInt("net.x.n", 1, "n");
        assertThat(tree.addInt("net.x.n", 2, "n again")).isSameAs(first);
        assertThat(first.get()).isEqualTo(1);
    }

    @Test
    void override_takesEffectWhenTheNodeComes() {
        assertThat(tree.unclaimed()).containsExactly("net.x.bad", "net.x.early");
        assertThat(tree.addInt("net.x.early", 1, "e").get()).isEqualTo(7);
        assertThatThrownBy(() -> tree.addInt("net.x.bad", 1, "b")).isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("net.x.bad=high");
        assertThat(tree.unclaimed()).isEmpty();
    }

    @Test
    void visited_inOrderOfNames() {
        tree.addInt("b", 1, "");
        tree.addLong("a.c", 1L << 40, "");
        tree.addInt("a.b", 1, "");
        List<String> names = new ArrayList<>();
        tree.forEach(s -> names.add(s.name()));
        assertThat(names).containsExactly("a.b", "a.c", "b");
    }

    @Test
    void vnet_hasKern() {
        try (Vnet v = TestVnets.polled(new VirtualClock()).name("host").build()) {
            assertThat(v.sysctl().find("kern.ostype").getString()).isEqualTo("Gatun");
            assertThat(v.sysctl().find("kern.hostname").getString()).isEqualTo("host");
            assertThat(v.sysctl().set("kern.hostname", "other")).isEqualTo(Errno.OK);
            assertThat(v.sysctl().set("kern.ostype", "x")).isEqualTo(Errno.EPERM);
            assertThat(v.sysctl().find("kern.ipc.nmbclusters").get()).isEqualTo(16);
        }
    }
}
