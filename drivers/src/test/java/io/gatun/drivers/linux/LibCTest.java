package io.gatun.drivers.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class LibCTest {
    private static final int WARM_UP = 200_000;
    private static final int MEASURED = 20_000;

    private final LibC libc = new LibC();
    private final MemorySegment counter = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);
    private final MemorySegment fds = pollfd.allocate(Arena.ofAuto());
    private final IoVec iov = new IoVec(4);
    private int event;

    @BeforeEach
    void openEvent() {
        event = libc.eventfd(0, Linux.EFD_NONBLOCK() | Linux.EFD_CLOEXEC());
        assertThat(event).isGreaterThanOrEqualTo(0);
    }

    @AfterEach
    void closeEvent() {
        assertThat(libc.close(event)).isZero();
    }

    @Test
    void emptyCounter_read_answersAgain() {
        assertThat(libc.read(event, counter, 0, 8)).isEqualTo(-Linux.EAGAIN());
    }

    @Test
    void counter_writtenTwice_readsTheSum() {
        counter.set(ValueLayout.JAVA_LONG, 0, 5);
        assertThat(libc.write(event, counter, 0, 8)).isEqualTo(8);
        assertThat(libc.write(event, counter, 0, 8)).isEqualTo(8);
        assertThat(libc.read(event, counter, 0, 8)).isEqualTo(8);
        assertThat(counter.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(10);
    }

    @Test
    void counter_tooShortRead_answersInvalid() {
        assertThat(libc.read(event, counter, 4, 4)).isEqualTo(-Linux.EINVAL());
    }

    @Test
    void poll_seesTheCounterOnlyWhenItIsAboveZero() {
        pollfd.fd(fds, event);
        pollfd.events(fds, (short) Linux.POLLIN());
        assertThat(libc.poll(fds, 1, 0)).isZero();
        counter.set(ValueLayout.JAVA_LONG, 0, 1);
        libc.write(event, counter, 0, 8);
        assertThat(libc.poll(fds, 1, -1)).isEqualTo(1);
        assertThat((int) pollfd.revents(fds)).isEqualTo(Linux.POLLIN());
    }

    @Test
    void vectors_crossPieceByPiece() {
        MemorySegment halves = Arena.ofAuto().allocate(16, 8);
        halves.set(ValueLayout.JAVA_INT, 0, 7);
        assertThat(iov.add(halves, 0, 4)).isTrue();
        assertThat(iov.add(halves, 12, 4)).isTrue();
        assertThat(iov.octets()).isEqualTo(8);
        // takes anything, gives zeros
        int zero = libc.open("/dev/zero", Linux.O_RDWR() | Linux.O_CLOEXEC());
        assertThat(libc.writev(zero, iov)).isEqualTo(8);
        assertThat(libc.readv(zero, iov)).isEqualTo(8);
        assertThat(halves.get(ValueLayout.JAVA_INT, 0)).isZero();
        assertThat(libc.close(zero)).isZero();
    }

    @Test
    void vector_full_refusesAnotherPiece() {
        for (int i = 0; i < 4; i++) {
            assertThat(iov.add(counter, i, 1)).isTrue();
        }
        assertThat(iov.add(counter, 4, 1)).isFalse();
        assertThat(iov.count()).isEqualTo(4);
        iov.clear();
        assertThat(iov.count()).isZero();
        assertThat(iov.octets()).isZero();
    }

    @Test
    void badDescriptor_everyCall_answersBadFd() {
        int badFd = -Linux.EBADF();
        iov.add(counter, 0, 8);
        assertThat(libc.read(-1, counter, 0, 8)).isEqualTo(badFd);
        assertThat(libc.write(-1, counter, 0, 8)).isEqualTo(badFd);
        assertThat(libc.readv(-1, iov)).isEqualTo(badFd);
        assertThat(libc.writev(-1, iov)).isEqualTo(badFd);
        assertThat(libc.ioctl(-1, Linux.SIOCGIFFLAGS(), 0)).isEqualTo(badFd);
        assertThat(libc.ioctl(-1, Linux.SIOCGIFFLAGS(), counter)).isEqualTo(badFd);
        assertThat(libc.fcntl(-1, Linux.F_GETFL(), 0)).isEqualTo(badFd);
        assertThat(libc.close(-1)).isEqualTo(badFd);
    }

    @Test
    void wrongRequests_answerTheirErrno() {
        assertThat(libc.open("/no/such/file", Linux.O_RDWR())).isEqualTo(-Linux.ENOENT());
        assertThat(libc.ioctl(event, Linux.TUNSETIFF(), 0)).isEqualTo(-Linux.ENOTTY());
        assertThat(libc.socket(Linux.AF_INET(), 0xff, 0)).isEqualTo(-Linux.EINVAL());
    }

    @Test
    void fcntl_tellsTheFlagsTheDescriptorWasMadeWith() {
        assertThat(libc.fcntl(event, Linux.F_GETFL(), 0) & Linux.O_NONBLOCK()).isEqualTo(Linux.O_NONBLOCK());
        assertThat(libc.fcntl(event, Linux.F_GETFD(), 0)).isEqualTo(Linux.FD_CLOEXEC());
    }

    @Test
    void segmentsTheKernelMustNotTouch_areRefusedBeforeTheCall() {
        assertThatThrownBy(() -> libc.read(event, counter, 1, 8)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> libc.write(event, counter, -1, 8)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> libc.poll(fds, 2, 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> libc.write(event, MemorySegment.ofArray(new byte[8]), 0, 8))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> libc.read(event, counter.asReadOnly(), 0, 8))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** Layouts and request numbers as the kernel's ABI has them on every 64-bit machine. */
    @Test
    void generatedLayouts_haveTheSizesOfTheAbi() {
        assertThat(ifreq.sizeof()).isEqualTo(40);
        assertThat(ifreq.ifr_ifru$offset()).isEqualTo(16);
        assertThat(iovec.sizeof()).isEqualTo(16);
        assertThat(pollfd.sizeof()).isEqualTo(8);
        assertThat(sockaddr_in.sizeof()).isEqualTo(16);
        assertThat(virtio_net_hdr.sizeof()).isEqualTo(10);
        assertThat(virtio_net_hdr_mrg_rxbuf.sizeof()).isEqualTo(12);
        assertThat(Linux.TUNSETIFF()).isEqualTo(0x400454caL);
        assertThat(Linux.TUNGETFEATURES()).isEqualTo(0x800454cfL);
        assertThat(Linux.TUNSETVNETHDRSZ()).isEqualTo(0x400454d8L);
    }

    @Test
    void steadyState_allocatesNothing() {
        pollfd.fd(fds, event);
        pollfd.events(fds, (short) Linux.POLLIN());
        exercise(WARM_UP);
        assertThat(Allocation.steadyOctets(() -> exercise(MEASURED))).as("octets for %d rounds", MEASURED).isZero();
    }

    private void exercise(int rounds) {
        for (int i = 0; i < rounds; i++) {
            counter.set(ValueLayout.JAVA_LONG, 0, 3);
            must(libc.write(event, counter, 0, 8), 8);
            must(libc.poll(fds, 1, 0), 1);
            must(libc.read(event, counter, 0, 8), 8);
            must(libc.read(event, counter, 0, 8), -Linux.EAGAIN());
            iov.clear();
            iov.add(counter, 0, 8);
            must(libc.writev(event, iov), 8);
            must(libc.readv(event, iov), 8);
        }
    }

    private static void must(long actual, long expected) {
        if (actual != expected) {
            throw new AssertionError("answered " + actual + " rather than " + expected);
        }
    }
}
