package io.gatun.conformance.protocol;

import io.gatun.conformance.DocExamples;
import io.gatun.protosw.VnetBuilder;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.vnet.LockStrategy;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestInstance;

/** The protocol of docs/EXTENDING.md, by the kit's subclass that stands there, under each way to lock. */
final class DocProtocolKitTest {
    @TestInstance(TestInstance.Lifecycle.PER_CLASS)
    abstract static class OnShown extends DatagramKit {
        private DocExamples page;
        private DatagramKit shown;

        @BeforeAll
        final void compile() throws Exception {
            page = new DocExamples(Path.of("..", "docs", "EXTENDING.md"));
            shown = page.make(DatagramKit.class, "example.DgpKitTest");
        }

        @AfterAll
        final void remove() throws Exception {
            page.close();
        }

        @Override
        protected VnetBuilder configure(final VnetBuilder builder) {
            return shown.configure(builder);
        }

        @Override
        protected int family() {
            return shown.family();
        }

        @Override
        protected int protocol() {
            return shown.protocol();
        }

        @Override
        protected SockAddr address(final int number) {
            return shown.address(number);
        }

        @Override
        protected int ipProtocol() {
            return shown.ipProtocol();
        }

        @Override
        protected int longest() {
            return shown.longest();
        }
    }

    @Nested
    final class Split extends OnShown {
    }

    @Nested
    final class Coalesced extends OnShown {
        @Override
        protected LockStrategy strategy() {
            return LockStrategy.COALESCED;
        }
    }

    @Nested
    final class Vertical extends OnShown {
        @Override
        protected LockStrategy strategy() {
            return LockStrategy.VERTICAL;
        }
    }
}
