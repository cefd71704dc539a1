package io.gatun.cli;

import io.gatun.cli.ctl.ControlClient;
import io.gatun.cli.ctl.ControlDir;
import io.gatun.cli.ctl.StackCommands;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A command on the stack of another process, such as {@code gatun ifconfig}: its words go there as they are. */
@Command(footer = {
    "It acts on the stack of the gatun serve that runs, of which --stack chooses one where there are several.",
    "Its words and its output are FreeBSD's."})
public final class Remote implements Callable<Integer> {
    private final String word;

    @Option(names = "--stack", paramLabel = "NAME", description = "Name of the stack (default: the only one).")
    private String stack;
    @Option(names = "--help", usageHelp = true, description = "Shows this.")
    private boolean help;
    @Parameters(arity = "0..*", paramLabel = "WORD", description = "As of FreeBSD's command.")
    private List<String> words = List.of();
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    private Remote(final String word) {
        this.word = word;
    }

    /** Adds them all to the command line. */
    static void addTo(final CommandLine gatun) {
        for (final StackCommands c : StackCommands.values()) {
            final CommandLine sub = new CommandLine(new Remote(c.word()));
            sub.getCommandSpec().name(c.word()).usageMessage().description(c.description());
            sub.setUnmatchedOptionsArePositionalParams(true).setStopAtPositional(true)
                .setPosixClusteredShortOptionsAllowed(false);
            gatun.addSubcommand(c.word(), sub);
        }
    }

    @Override
    public Integer call() throws IOException {
        final List<String> all = new ArrayList<>();
        all.add(word);
        all.addAll(words);
        ControlClient.run(ControlDir.ofUser(), stack, all, spec.commandLine().getOut());
        return 0;
    }
}
