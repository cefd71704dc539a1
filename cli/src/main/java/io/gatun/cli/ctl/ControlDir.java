package io.gatun.cli.ctl;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Where the control sockets of this user's stacks lie: {@code GATUN_RUN_DIR}, else {@code /run/gatun} for root, else
 * {@code gatun} below {@code XDG_RUNTIME_DIR}, else {@code gatun-USER} in the directory for temporary files. Only the
 * user may enter it, which is all the protection the sockets have, so a directory that others can write or that belongs
 * to somebody else is refused.
 */
public final class ControlDir {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");
    private static final String SUFFIX = ".sock";

    private final Path path;

    ControlDir(final Path path) {
        this.path = path;
    }

    /** This user's. Nothing is made yet. */
    public static ControlDir ofUser() {
        final String given = System.getenv("GATUN_RUN_DIR");
        final String run = System.getenv("XDG_RUNTIME_DIR");
        final String user = System.getProperty("user.name");
        if (given != null && !given.isEmpty()) {
            return new ControlDir(Path.of(given));
        }
        if ("root".equals(user)) {
            return new ControlDir(Path.of("/run/gatun"));
        }
        return new ControlDir(run != null && !run.isEmpty() ? Path.of(run, "gatun")
            : Path.of(System.getProperty("java.io.tmpdir"), "gatun-" + user));
    }

    /** Makes the directory where it is missing, and checks that it is this user's alone. */
    void prepare() throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(path.getParent());
            Files.createDirectory(path, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        }
        check();
    }

    private void check() throws IOException {
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(path + " is not a directory");
        }
        final String owner = Files.getOwner(path, LinkOption.NOFOLLOW_LINKS).getName();
        final Set<PosixFilePermission> rights = Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS);
        if (!owner.equals(System.getProperty("user.name")) || !OWNER_ONLY.containsAll(rights)) {
            throw new IOException(path + " must belong to " + System.getProperty("user.name")
                + " with the rights rwx------, and belongs to " + owner + " with "
                + PosixFilePermissions.toString(rights));
        }
    }

    /** The socket of a stack. {@link IllegalArgumentException} for what is not the name of one. */
    Path socket(final String stack) {
        if (!stack.matches("[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}")) {
            throw new IllegalArgumentException("'" + stack + "' is not the name of a stack");
        }
        return path.resolve(stack + SUFFIX);
    }

    /** The stack asked for, or with null the only one there is. */
    Path find(final String stack) throws IOException {
        final List<String> names = names();
        if (stack != null && names.contains(stack)) {
            return socket(stack);
        }
        if (stack == null && names.size() == 1) {
            return socket(names.getFirst());
        }
        throw new IOException(names.isEmpty() ? "no stack runs here (gatun serve starts one)"
            : (stack == null ? "which stack? --stack " : "no stack " + stack + "; there is ")
                + String.join(stack == null ? " or --stack " : ", ", names));
    }

    private List<String> names() throws IOException {
        final List<String> out = new ArrayList<>();
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            check();
            try (DirectoryStream<Path> files = Files.newDirectoryStream(path, "*" + SUFFIX)) {
                files.forEach(f -> {
                    final String name = f.getFileName().toString();
                    out.add(name.substring(0, name.length() - SUFFIX.length()));
                });
            }
        }
        out.sort(null);
        return out;
    }
}
