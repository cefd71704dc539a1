package io.gatun.cli;

import io.gatun.drivers.wrap.Fault;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code gatun demo}: a file over TCP between two stacks in this process, on a clean link and on a bad one. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = "Sends a file over TCP between two stacks in this process, on a clean and on a lossy link.")
public final class Demo implements Callable<Integer> {
    private static final double LOSS = 0.01;
    private static final double REORDER = 0.01;

    @Option(names = "--file", paramLabel = "FILE", description = "What to send (default: the JDK's own lib/modules).")
    private Path file = Path.of(System.getProperty("java.home"), "lib", "modules");
    @Option(names = "--seed", paramLabel = "N", defaultValue = "1",
            description = "Of the bad link's faults (default: ${DEFAULT-VALUE}).")
    private long seed;
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    /** For picocli. */
    public Demo() {
        // options are set by picocli
    }

    @Override
    public Integer call() throws IOException {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--file: cannot read " + file);
        }
        final PrintWriter out = spec.commandLine().getOut();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            final MemorySegment content =
                channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
            out.printf(Locale.ROOT, "%s, %.1f MB, over TCP between two stacks on an epair, MTU 1500, checksums on%n",
                file, content.byteSize() / 1e6);
            final boolean clean = transfer(out, content, "clean link", null);
            final boolean lossy = transfer(out, content, "1 % loss and 1 % reordering, seed " + seed,
                Fault.Config.lossAndReorder(seed, LOSS, REORDER));
            return clean && lossy ? 0 : 1;
        }
    }

    private boolean transfer(
        final PrintWriter out, final MemorySegment content, final String title, final Fault.Config faults)
            throws IOException {
        final TransferReport report;
        try (Transfer t = new Transfer(content, faults)) {
            report = t.run(new ProgressBar(spec.commandLine().getErr(), title, content.byteSize()));
        }
        out.println();
        out.println(title);
        report.print(out);
        out.flush();
        return report.ok();
    }
}
