package io.gatun.drivers.linux;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Whether this machine lets a test have a network namespace and a TAP device in it. */
public final class TapRights {
    private TapRights() {
    }

    /** What is missing, having said it in one line; null if nothing is. */
    public static String missing() {
        String missing = Files.exists(Path.of("/dev/net/tun")) ? refusal() : "there is no /dev/net/tun";
        if (missing != null) {
            System.out.println("SKIPPED: TAP tests: " + missing);
        }
        return missing;
    }

    private static String refusal() {
        FutureTask<Integer> attempt = new FutureTask<>(() -> {
            int answer = new LibC().unshare(Linux.CLONE_NEWNET());
            if (answer == 0) {
                try (TapDevice tap = new TapDevice()) {
                    answer = tap.open(new TapOptions("gatun0"));
                }
            }
            return answer;
        });
        Thread.ofPlatform().start(attempt);
        int error;
        try {
            error = attempt.get();
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
        return error == 0 ? null : LinuxErrno.of(error).text() + " (they run as root)";
    }
}
