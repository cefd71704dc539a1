package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Token.Kind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Reads the options of a TCP segment, {@code <mss 1460,nop,wscale 6>}. */
final class TcpOptParser {
    private static final int MAX_COUNTER = 0xffffff;
    private static final int MAX_RATE = 0x7f;

    private final TokenStream in;

    TcpOptParser(final TokenStream in) {
        this.in = in;
    }

    /** None if there are none; null for {@code <...>}. */
    List<TcpOpt> options() throws SyntaxException {
        if (!in.take("<")) {
            return List.of();
        }
        if (in.take("...")) {
            in.expect(">");
            return null;
        }
        final List<TcpOpt> out = new ArrayList<>();
        final Token t = in.peek();
        if (isHex(t) && in.peek(1).is(">")) {
            in.next();
            out.add(new TcpOpt.Raw(octets(t, "options")));
        } else {
            do {
                out.add(option());
            } while (in.take(","));
        }
        in.expect(">");
        return out;
    }

    private static boolean isHex(final Token t) {
        return t.kind() == Kind.INTEGER || t.kind() == Kind.WORD && t.text().matches("[0-9a-fA-F]+");
    }

    private byte[] octets(final Token t, final String what) throws SyntaxException {
        final String digits = t.text();
        if (!digits.matches("([0-9a-fA-F]{2})*")) {
            throw in.error(t, what + " wants whole octets in hexadecimal, not " + digits);
        }
        return HexFormat.of().parseHex(digits);
    }

    private byte[] optionalOctets(final String what) throws SyntaxException {
        final Token t = in.peek();
        if (t.kind() != Kind.INTEGER && t.kind() != Kind.WORD) {
            return new byte[0];
        }
        in.next();
        final byte[] b = octets(t, what);
        if (b.length > 38) {
            throw in.error(t, what + ": more than an option can hold");
        }
        return b;
    }

    private TcpOpt option() throws SyntaxException {
        final Token t = in.peek();
        final String name = in.word("a TCP option");
        return switch (name) {
            case "nop" -> new TcpOpt.Pad(TcpOpt.NOP);
            case "eol" -> new TcpOpt.Pad(TcpOpt.EOL);
            case "mss" -> new TcpOpt.Mss(in.u16("mss"));
            case "wscale" -> new TcpOpt.Wscale(in.u8("wscale"));
            case "sackOK" -> new TcpOpt.SackOk();
            case "sack" -> sack();
            case "TS" -> timestamps();
            case "md5" -> md5();
            case "FO" -> new TcpOpt.Blob(TcpOpt.FAST_OPEN, -1, "FO", optionalOctets("FO"));
            case "exp-FO", "EXP-FO", "FOEXP" ->
                new TcpOpt.Blob(TcpOpt.EXPERIMENT, TcpOpt.EXID_FAST_OPEN, "exp-FO", optionalOctets(name));
            case "AccECN0", "ECN0" -> accEcn(TcpOpt.ACC_ECN_0, -1, name, "ee0b", "ee1b");
            case "AccECN1", "ECN1" -> accEcn(TcpOpt.ACC_ECN_1, -1, name, "ee1b", "ee0b");
            case "exp-AccECN0" -> accEcn(TcpOpt.EXPERIMENT, TcpOpt.EXID_ACC_ECN_0, name, "ee0b", "ee1b");
            case "exp-AccECN1" -> accEcn(TcpOpt.EXPERIMENT, TcpOpt.EXID_ACC_ECN_1, name, "ee1b", "ee0b");
            case "exp-tarr" -> tarr();
            default -> generic(t, name);
        };
    }

    private TcpOpt sack() throws SyntaxException {
        final List<Integer> edges = new ArrayList<>();
        do {
            edges.add(in.u32("a left edge"));
            in.expect(":");
            edges.add(in.u32("a right edge"));
        } while (in.peek().kind() == Kind.INTEGER);
        return new TcpOpt.Sack(edges);
    }

    private TcpOpt timestamps() throws SyntaxException {
        if (!in.takeWord("val")) {
            throw in.unexpected("val");
        }
        final boolean any = in.take("...");
        final int val = any ? 0 : in.u32("a timestamp");
        if (!in.takeWord("ecr")) {
            throw in.unexpected("ecr");
        }
        final int ecr = in.u32("a timestamp");
        return new TcpOpt.Ts(val, ecr, any, in.take("!"));
    }

    private TcpOpt md5() throws SyntaxException {
        if (in.takeWord("valid")) {
            return new TcpOpt.Md5(new byte[0]);
        }
        final Token t = in.peek();
        final byte[] digest = optionalOctets("md5");
        if (digest.length != TcpOpt.MD5_LENGTH) {
            throw in.error(t, "md5 wants valid, or 16 octets");
        }
        return new TcpOpt.Md5(digest);
    }

    /** Counters of three octets, in the order of the option, the later ones optional. */
    private TcpOpt accEcn(final int kind, final int exid, final String name, final String first, final String last)
            throws SyntaxException {
        final ByteBuffer b = ByteBuffer.allocate(3 * TcpOpt.COUNTER);
        final StringBuilder label = new StringBuilder(name);
        for (final String counter : new String[] {first, "eceb", last}) {
            if (in.takeWord(counter)) {
                if (b.position() / TcpOpt.COUNTER != List.of(first, "eceb", last).indexOf(counter)) {
                    throw in.error(in.peek(), counter + " needs the counters before it");
                }
                final int v = (int) in.number(counter, 0, MAX_COUNTER);
                b.put((byte) (v >>> 16)).put((byte) (v >>> 8)).put((byte) v);
                label.append(' ').append(counter).append(' ').append(v);
            }
        }
        return new TcpOpt.Blob(kind, exid, label.toString(), java.util.Arrays.copyOf(b.array(), b.position()));
    }

    private TcpOpt tarr() throws SyntaxException {
        final boolean rate = in.peek().kind() == Kind.INTEGER;
        final byte[] data = rate ? new byte[] {(byte) (in.number("a rate", 0, MAX_RATE) << 1)} : new byte[0];
        return new TcpOpt.Blob(TcpOpt.EXPERIMENT, TcpOpt.EXID_TARR, "exp-tarr", data);
    }

    private TcpOpt generic(final Token t, final String name) throws SyntaxException {
        if (name.matches("gen-[0-9]{1,3}") && Integer.parseInt(name.substring(4)) <= 0xff) {
            return new TcpOpt.Blob(Integer.parseInt(name.substring(4)), -1, name, optionalOctets(name));
        }
        if (name.matches("exp-[0-9a-fA-F]{1,4}")) {
            return new TcpOpt.Blob(TcpOpt.EXPERIMENT, Integer.parseInt(name.substring(4), 16), name,
                optionalOctets(name));
        }
        throw in.error(t, "unknown TCP option " + name);
    }
}
