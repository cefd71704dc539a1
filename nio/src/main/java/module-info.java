/** The place of the NIO provider; nothing is exported yet. */
module io.gatun.nio {
    requires io.gatun.uipc;
}
