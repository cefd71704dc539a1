package io.gatun.conformance.driver;

import io.gatun.drivers.linux.LibC;
import io.gatun.drivers.linux.Linux;
import io.gatun.drivers.linux.LinuxErrno;
import io.gatun.drivers.linux.TapDevice;
import io.gatun.drivers.linux.TapOptions;
import io.gatun.spi.sys.Errno;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/**
 * Runs each test on a thread that has left for a network namespace of its own, where any name and address is free and
 * of which nothing remains. Where the machine does not allow that, the tests are skipped and one line says so.
 */
final class InNamespace implements ExecutionCondition, InvocationInterceptor {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        String missing = context.getRoot().getStore(ExtensionContext.Namespace.create(InNamespace.class))
                .getOrComputeIfAbsent("missing", key -> missing(), String.class);
        return missing.isEmpty() ? ConditionEvaluationResult.enabled("root and /dev/net/tun")
                : ConditionEvaluationResult.disabled(missing);
    }

    /** What is missing, having said it in one line; empty if nothing is. */
    private static String missing() {
        String missing = "";
        if (!Files.exists(Path.of("/dev/net/tun"))) {
            missing = "there is no /dev/net/tun";
        } else {
            Errno e = LinuxErrno.of(call(InNamespace::attempt));
            missing = e == Errno.OK ? "" : e.text() + " (they run as root)";
        }
        if (!missing.isEmpty()) {
            System.out.println("SKIPPED: the driver kit on tap: " + missing);
        }
        return missing;
    }

    private static int attempt() {
        int answer = new LibC().unshare(Linux.CLONE_NEWNET());
        if (answer < 0) {
            return answer;
        }
        try (TapDevice tap = new TapDevice()) {
            return tap.open(new TapOptions("gatun0"));
        }
    }

    /** On a thread of its own. */
    private static <T> T call(Callable<T> body) {
        FutureTask<T> task = new FutureTask<>(body);
        Thread.ofPlatform().name("namespace").start(task);
        try {
            return task.get();
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void interceptTestMethod(Invocation<Void> invocation, ReflectiveInvocationContext<Method> context,
            ExtensionContext extension) throws Throwable {
        Throwable failure = call(() -> {
            int answer = new LibC().unshare(Linux.CLONE_NEWNET());
            if (answer < 0) {
                throw new AssertionError("unshare: " + answer);
            }
            return proceed(invocation);
        });
        if (failure != null) {
            throw failure;
        }
    }

    @SuppressWarnings("IllegalCatch")
    private static Throwable proceed(Invocation<Void> invocation) {
        try {
            invocation.proceed();
            return null;
        } catch (Throwable t) {
            return t;
        }
    }
}
