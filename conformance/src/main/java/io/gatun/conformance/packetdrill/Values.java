package io.gatun.conformance.packetdrill;

import java.util.List;

/** Reads values out of expressions. */
final class Values {
    private Values() {
    }

    /** What a script asks for and cannot be done. */
    static final class DrillException extends Exception {
        private static final long serialVersionUID = 1L;

        DrillException(final String what) {
            super(what);
        }
    }

    static long number(final Expr e) throws DrillException {
        return switch (e) {
            case Expr.Num n -> n.value();
            case Expr.Name n -> Symbols.find(n.name());
            case Expr.Or o -> number(o.left()) | number(o.right());
            case Expr.Array a when a.items().size() == 1 -> number(a.items().get(0));
            case Expr.Call c when c.args().size() == 1 -> number(c.args().get(0));
            default -> throw new DrillException("not a number: " + e);
        };
    }

    static int integer(final List<Expr> args, final int i) throws DrillException {
        return (int) number(arg(args, i));
    }

    static Expr arg(final List<Expr> args, final int i) throws DrillException {
        if (i >= args.size()) {
            throw new DrillException("argument " + (i + 1) + " is missing");
        }
        return args.get(i);
    }

    static Expr member(final Expr e, final String name, final int place) throws DrillException {
        if (e instanceof Expr.Struct s) {
            final Expr v = s.members().getOrDefault(name, s.members().get(String.valueOf(place)));
            if (v != null) {
                return v;
            }
        }
        throw new DrillException("no " + name + " in " + e);
    }

    /** Octets of all iovecs together. */
    static int iovLength(final Expr e) throws DrillException {
        if (!(e instanceof Expr.Array a)) {
            throw new DrillException("not an array of iovec: " + e);
        }
        int n = 0;
        for (final Expr iov : a.items()) {
            n += (int) number(member(iov, "iov_len", 1));
        }
        return n;
    }
}
