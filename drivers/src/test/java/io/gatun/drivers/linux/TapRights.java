package io.gatun.drivers.linux;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Assumptions;

/** Whether this machine lets a test have a network namespace and a TAP device in it. */
final class TapRights {
    private TapRights() {
    }

    /** Skips the calling test, with one line that says why, unless everything it needs is there. */
    static void assume() throws Exception {
        String missing = missing();
        if (missing != null) {
            System.out.println("SKIPPED: TAP tests, " + missing);
            Assumptions.abort(missing);
        }
    }

    private static String missing() throws Exception {
        if (!Files.exists(Path.of("/dev/net/tun"))) {
            return "there is no /dev/net/tun";
        }
        FutureTask<Integer> attempt = new FutureTask<>(() -> {
            int error = new LibC().unshare(Linux.CLONE_NEWNET());
            if (error == 0) {
                try (TapDevice tap = new TapDevice()) {
                    error = tap.open(new TapOptions("gatun0"));
                }
            }
            return error;
        });
        Thread.ofPlatform().start(attempt).join();
        return attempt.get() == 0 ? null : "no right to make one (errno " + -attempt.get() + "); they run as root";
    }
}
