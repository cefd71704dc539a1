package io.gatun.cli;

import io.gatun.cli.bench.Bench;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
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
        cl.setParameterExceptionHandler((ex, in) -> oneLine(ex.getCommandLine(), misuse(ex), 2));
        cl.setExecutionExceptionHandler((ex, cmd, parsed) -> oneLine(cmd, failure(ex), 1));
        return cl.execute(args);
    }

    /** A word where a command should stand is told from one too many. */
    private static String misuse(CommandLine.ParameterException ex) {
        CommandLine cmd = ex.getCommandLine();
        if (ex instanceof CommandLine.UnmatchedArgumentException u && !u.getUnmatched().isEmpty()
            && !u.isUnknownOption()) {
            String word = u.getUnmatched().getFirst();
            return cmd.getParent() == null ? "there is no command '" + word + "'; see: gatun --help"
                : cmd.getCommandName() + ": '" + word + "' is one word too many; see: gatun " + cmd.getCommandName()
                    + " --help";
        }
        return String.valueOf(ex.getMessage());
    }

    /** The messages of exceptions about files are a path and nothing else. */
    private static String failure(Exception ex) {
        if (ex instanceof FileSystemException e) {
            String why = switch (e) {
                case NoSuchFileException x -> "no such file or directory";
                case AccessDeniedException x -> "permission denied";
                case FileAlreadyExistsException x -> "is there already";
                default -> e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
            };
            return e.getFile() + ": " + why;
        }
        return ex.getMessage() == null ? ex.getClass().getSimpleName() : ex.getMessage();
    }

    private static int oneLine(CommandLine cmd, String text, int status) {
        PrintWriter err = cmd.getErr();
        err.println("gatun: " + text.replace('\n', ' '));
        err.flush();
        return status;
    }
}
