package io.gatun.cli;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Has a class of tests wait until the machine is its own: until no JVM runs tests of {@code conformance}, which Maven
 * starts at the same time. A lock on a file of this build, of which each of those holds a share.
 */
public final class WholeMachine implements BeforeAllCallback, AfterAllCallback {
    private FileChannel held;

    @Override
    public void beforeAll(final ExtensionContext context) throws IOException {
        final Path file = Path.of("..", "target", "machine.lock");
        Files.createDirectories(file.getParent());
        held = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (!held.lock().isValid()) {
            throw new IOException("no lock on " + file);
        }
    }

    @Override
    public void afterAll(final ExtensionContext context) throws IOException {
        held.close();
    }
}
