package io.gatun.cli.ctl;

import io.gatun.netinet.InPrefix;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import java.util.List;

/** The words of a command, read from the front. What is missing or wrong throws with one line that says so. */
public final class Args {
    private static final int BITS4 = 32;

    private final List<String> words;
    private int at;

    public Args(final List<String> words) {
        this.words = List.copyOf(words);
    }

    boolean more() {
        return at < words.size();
    }

    /** The next word, which stays; empty at the end. */
    String peek() {
        return more() ? words.get(at) : "";
    }

    /** Takes the next word when it is this one. */
    boolean take(final String word) {
        final boolean is = more() && words.get(at).equals(word);
        at += is ? 1 : 0;
        return is;
    }

    /** Takes the next word. */
    String next(final String what) {
        if (!more()) {
            throw new IllegalArgumentException("want " + what + (at == 0 ? "" : " after " + words.get(at - 1)));
        }
        return words.get(at++);
    }

    /** Takes a number. */
    int number(final String what, final int min, final int max) {
        final String text = next(what);
        if (text.matches("[0-9]{1,9}") && Integer.parseInt(text) >= min && Integer.parseInt(text) <= max) {
            return Integer.parseInt(text);
        }
        throw new IllegalArgumentException(what + " '" + text + "' is not a number in " + min + ".." + max);
    }

    /** Takes an IPv4 mask, {@code 255.255.255.0} or {@code 0xffffff00}: the length of its prefix. */
    int netmask() {
        final String text = next("a netmask");
        final int mask = text.matches("0x[0-9a-fA-F]{8}") ? Integer.parseUnsignedInt(text.substring(2), 16)
            : InPrefix.address(text, null).in4();
        if (Integer.numberOfLeadingZeros(~mask) + Integer.numberOfTrailingZeros(mask) < BITS4) {
            throw new IllegalArgumentException("'" + text + "' is not a netmask");
        }
        return Integer.numberOfLeadingZeros(~mask);
    }

    /** Takes a link address such as 02:00:00:00:00:01. */
    byte[] lladdr() {
        final String text = next("a link address");
        if (!text.matches("[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}")) {
            throw new IllegalArgumentException("'" + text + "' is not a link address as in 02:00:00:00:00:01");
        }
        final String[] parts = text.split(":");
        final byte[] mac = new byte[parts.length];
        for (int i = 0; i < mac.length; i++) {
            mac[i] = (byte) Integer.parseInt(parts[i], 16);
        }
        if ((mac[0] & 1) != 0) {
            throw new IllegalArgumentException("'" + text + "' is a group's link address");
        }
        return mac;
    }

    /** Takes the name of an interface that is there. */
    Ifnet ifnet(final Vnet vnet) {
        final String name = next("an interface");
        final Ifnet ifp = vnet.ifnets().byName(name);
        if (ifp == null) {
            throw new IllegalArgumentException("interface " + name + " does not exist");
        }
        return ifp;
    }

    /** Nothing may be left. */
    void end() {
        if (more()) {
            throw new IllegalArgumentException("'" + peek() + "' is one word too many");
        }
    }
}
