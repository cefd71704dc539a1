package io.gatun.conformance.driver;

import io.gatun.conformance.DocExamples;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/** The driver of docs/EXTENDING.md, by the kit's subclass that stands there. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class DocDriverKitTest extends IfnetDriverKit {
    private DocExamples page;
    private IfnetDriverKit shown;

    @BeforeAll
    void compile() throws Exception {
        page = new DocExamples(Path.of("..", "docs", "EXTENDING.md"));
        shown = page.make(IfnetDriverKit.class, "example.WireKitTest");
    }

    @AfterAll
    void remove() throws Exception {
        page.close();
    }

    @Override
    protected List<IfnetDriver> drivers() {
        return shown.drivers();
    }

    @Override
    protected KitPeer peer(final Vnet vnet, final KitLink link, final Ifnet ifp) throws Exception {
        return shown.peer(vnet, link, ifp);
    }
}
