package io.gatun.cli.ctl;

import io.gatun.protosw.Vnet;
import java.io.IOException;

/** A command on a running stack, as ifconfig(8) is one. Has no state; any thread may run it. */
@FunctionalInterface
public interface StackCommand {
    /**
     * Does what the words say.
     *
     * @param out what to show, lines that end with a newline; shown in part when the command fails
     * @throws IOException when the stack refuses; its message is one line
     * @throws IllegalArgumentException for words that are wrong; its message is one line
     */
    void run(Vnet vnet, Args args, StringBuilder out) throws IOException;
}
