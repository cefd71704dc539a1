package io.gatun.cli;

import io.gatun.cli.bench.Bench;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The {@code gatun} command. A subcommand is a class in this package with {@link Command}, listed below.
 *
 * <p>Exit status: 0 success, 1 the work failed, 2 wrong arguments.
 */
@Command(
        name = "gatun",
        mixinStandardHelpOptions = true,
        version = "gatun 0.1.0-SNAPSHOT",
        description = "A FreeBSD-style TCP/IP stack inside the JVM.",
        subcommands = {Demo.class, Serve.class, Bench.class, PacketdrillCommand.class})
public final class Gatun implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec; // (c) set by picocli before the command runs

    /** For picocli. */
    public Gatun() {
    }

    /** Without a subcommand: says how to use it. */
    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "Which command? See: gatun --help");
    }

    /** Runs the command line {@code args} and ends the JVM with its status. */
    public static void main(String[] args) {
        System.exit(execute(args));
    }

    /** Runs the command line {@code args} and returns its status. */
    static int execute(String... args) {
        CommandLine cl = new CommandLine(new Gatun());
        Remote.addTo(cl);
        cl.setParameterExceptionHandler((ex, in) -> oneLine(ex.getCommandLine(), ex, 2));
        cl.setExecutionExceptionHandler((ex, cmd, parsed) -> oneLine(cmd, ex, 1));
        return cl.execute(args);
    }

    private static int oneLine(CommandLine cmd, Exception ex, int status) {
        PrintWriter err = cmd.getErr();
        String text = ex.getMessage() == null ? ex.getClass().getSimpleName() : ex.getMessage();
        err.println("gatun: " + text.replace('\n', ' '));
        err.flush();
        return status;
    }
}
