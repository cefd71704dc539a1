package io.gatun.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Holds a share of the machine from the first class of tests that a JVM runs until it ends, so that those tests of
 * {@code cli} wait that want all of it: a lock on a file of this build. JUnit finds it as a service.
 */
public final class SharedMachine implements BeforeAllCallback {
    private static final FileLock SHARE = share();

    @Override
    public void beforeAll(final ExtensionContext context) {
        if (!SHARE.isValid()) {
            throw new IllegalStateException("somebody has closed " + SHARE);
        }
    }

    private static FileLock share() {
        try {
            final Path file = Path.of("..", "target", "machine.lock");
            Files.createDirectories(file.getParent());
            return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
                StandardOpenOption.WRITE).lock(0, Long.MAX_VALUE, true);
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
