"""Connects to a chargen server, reads nothing for a while, then reads on and checks that no octet is lost.

usage: zero_window.py ADDRESS PORT SECONDS
"""
import socket
import sys
import time

address, port, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
s.settimeout(90)
s.connect((address, port))
time.sleep(seconds)


def line(n):
    """Line n of RFC 864: 72 of the 95 printing characters, beginning one further each time."""
    return bytes(32 + (n + i) % 95 for i in range(72)) + b"\r\n"


want = b"".join(line(n) for n in range(95))
got = bytearray()
while len(got) < 4 << 20:
    block = s.recv(65536)
    if not block:
        sys.exit("the stream ended after %d octets" % len(got))
    got += block
expected = want * (len(got) // len(want) + 1)
if bytes(got) != expected[: len(got)]:
    at = next(i for i in range(len(got)) if got[i] != expected[i])
    sys.exit("octet %d is %d, not %d" % (at, got[at], expected[at]))
print("%d octets after %d s of a closed window" % (len(got), seconds))
