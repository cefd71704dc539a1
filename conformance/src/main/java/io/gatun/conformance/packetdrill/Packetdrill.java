package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Values.DrillException;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.sys.ErrnoException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * Runs scripts, one after another, each on a fresh vnet. Belongs to one thread at a time; several may run side by side.
 * It keeps one pool of mbufs, and fails a script that leaves some of them behind.
 */
public final class Packetdrill {
    private static final int MBUFS = 4096;
    private static final int CLUSTERS = 2048;
    private static final int JUMBO = 128;

    private final Set<String> absent;
    private final LockStrategy locks;
    private MbufPool pool = newPool();

    /** A runner that carries out scripts to the letter. */
    public Packetdrill() {
        this(Set.of());
    }

    /**
     * A runner for a stack in the making.
     *
     * @param absent sysctls that the stack does not have yet: setting one of them is passed over
     */
    public Packetdrill(final Set<String> absent) {
        this(absent, LockStrategy.SPLIT);
    }

    /**
     * A runner whose stacks lock in a way of one's choice.
     *
     * @param absent sysctls that the stack does not have yet: setting one of them is passed over
     * @param locks of each stack
     */
    public Packetdrill(final Set<String> absent, final LockStrategy locks) {
        this.absent = Set.copyOf(absent);
        this.locks = locks;
    }

    private static MbufPool newPool() {
        return MbufPool.builder().name("packetdrill").nmbufs(MBUFS).nmbclusters(CLUSTERS).nmbjumbop(JUMBO)
            .nmbjumbo9(JUMBO).nmbjumbo16(JUMBO).threads(1).build();
    }

    /** The pool of the next script. */
    MbufPool pool() {
        return pool;
    }

    /** Reads a script and says what is wrong with it: {@code file:line:column: what}. */
    public static void check(final String file, final String text) throws SyntaxException {
        Parser.parse(file, text);
    }

    /** Runs a script from a file; one that cannot be read fails. Comments may be in whatever encoding. */
    public Result run(final Path file) {
        final String text;
        try {
            text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (final IOException e) {
            return new Result(file.toString(), Result.Outcome.FAILED, 1, file + ":1:1: cannot be read: " + e, 0);
        }
        return run(file.toString(), text);
    }

    /**
     * Runs a script. Whatever it does to the stack or to the runner is a failure of this script alone.
     *
     * @param file its name, for messages
     */
    public Result run(final String file, final String text) {
        final long start = System.nanoTime();
        try {
            return run(file, text, start);
        } catch (final RuntimeException | Error e) {
            return new Result(file, Result.Outcome.FAILED, 1, file + ":1:1: the runner broke: " + e,
                System.nanoTime() - start);
        } finally {
            if (pool.outstanding() != 0) {
                pool = newPool();
            }
        }
    }

    private Result run(final String file, final String text, final long start) {
        final Script script;
        try {
            script = Parser.parse(file, text);
        } catch (final SyntaxException e) {
            return new Result(file, Result.Outcome.FAILED, e.line(), e.getMessage(), System.nanoTime() - start);
        }
        final Failure f = run(script);
        return new Result(file, f.outcome, f.line, f.message, System.nanoTime() - start);
    }

    private record Failure(Result.Outcome outcome, int line, String message) {
    }

    private Failure run(final Script script) {
        Failure f;
        try (Host host = new Host(script.config(), pool, locks)) {
            if (script.config().v6() && !host.hasV6()) {
                return new Failure(Result.Outcome.SKIPPED, 0, script.file() + ": the stack has no IPv6");
            }
            f = run(script, host);
        } catch (final ErrnoException e) {
            return failed(script, 0, "no host can be set up so: " + e.getMessage(), "");
        } catch (final RuntimeException | AssertionError e) {
            return failed(script, 0, "the stack broke: " + e, "");
        }
        if (f.outcome == Result.Outcome.PASSED && pool.outstanding() != 0) {
            return failed(script, 0, pool.outstanding() + " mbufs are outstanding: " + pool.leakReport(), "");
        }
        return f;
    }

    private Failure run(final Script script, final Host host) {
        final Run run = new Run(script, host, absent);
        try (run) {
            run.all();
            return new Failure(Result.Outcome.PASSED, 0, "");
        } catch (final DrillException | ErrnoException e) {
            return failed(script, run.failedLine(), e.getMessage(), run.trace());
        } catch (final RuntimeException | AssertionError e) {
            return failed(script, run.failedLine(), "the stack broke: " + e, run.trace());
        }
    }

    private static Failure failed(final Script script, final int line, final String what, final String trace) {
        final String source = line == 0 ? "" : "\n  line:     " + script.sourceLine(line).strip();
        final int cut = what.indexOf('\n');
        final String head = cut < 0 ? what : what.substring(0, cut);
        final String rest = cut < 0 ? "" : what.substring(cut);
        return new Failure(Result.Outcome.FAILED, line, script.file() + ":" + line + ": " + head + source + rest
            + (trace.isEmpty() ? "" : "\n  trace:\n    " + trace.replace("\n", "\n    ")));
    }
}
