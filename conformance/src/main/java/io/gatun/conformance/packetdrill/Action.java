package io.gatun.conformance.packetdrill;

import java.util.List;
import java.util.stream.Collectors;

/** What an event does. */
sealed interface Action {
    /** A packet goes in or comes out. */
    sealed interface Packet extends Action permits TcpSpec, UdpSpec, IcmpSpec {
        /** From the stack to the wire. */
        boolean outbound();

        IpInfo ip();
    }

    /**
     * A system call.
     *
     * @param endUs when a blocking call returns, absolute or relative as its start; negative for the other calls
     * @param errno the error's name, or null
     * @param note what stands in parentheses behind, or null
     */
    record Syscall(long endUs, String name, List<Expr> args, Expr result, String errno, String note)
            implements Action {
        boolean blocking() {
            return endUs >= 0;
        }

        @Override
        public String toString() {
            return args.stream().map(Expr::toString).collect(Collectors.joining(", ", name + "(", ")"))
                + " = " + result + (errno == null ? "" : " " + errno) + (note == null ? "" : " (" + note + ")");
        }
    }

    /** A shell command. */
    record Command(String line) implements Action {
        @Override
        public String toString() {
            return "`" + line + "`";
        }
    }

    /** Assertions over TCP_INFO. */
    record Code(String text) implements Action {
        @Override
        public String toString() {
            return "%{" + text + "}%";
        }
    }
}
