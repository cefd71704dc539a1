package io.gatun.drivers.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.sys.Errno;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class LinuxErrnoTest {
    @Test
    void success_isOk() {
        assertThat(LinuxErrno.of(0)).isSameAs(Errno.OK);
        assertThat(LinuxErrno.of(1500)).isSameAs(Errno.OK);
    }

    @Test
    void failure_keepsItsNameNotItsNumber() {
        assertThat(LinuxErrno.of(-11)).isSameAs(Errno.EAGAIN);
        assertThat(LinuxErrno.of(-16)).isSameAs(Errno.EBUSY);
        assertThat(LinuxErrno.of(-105)).isSameAs(Errno.ENOBUFS);
        assertThat(LinuxErrno.of(-Linux.EBADFD())).isSameAs(Errno.ENXIO);
    }

    @Test
    void failure_unknownHere_isIo() {
        assertThat(LinuxErrno.of(-35)).isSameAs(Errno.EIO);
        assertThat(LinuxErrno.of(-4095)).isSameAs(Errno.EIO);
        assertThat(LinuxErrno.of(Long.MIN_VALUE)).isSameAs(Errno.EIO);
    }
}
