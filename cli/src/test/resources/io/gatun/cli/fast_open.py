"""Connects twice with data in the SYN; says what came back, and how often the kernel counts that the data was taken."""
import socket
import sys

MSG_FASTOPEN = 0x20000000


def taken():
    with open("/proc/net/netstat", encoding="ascii") as f:
        lines = [line.split() for line in f]
    for names, values in zip(lines[::2], lines[1::2]):
        if "TCPFastOpenActive" in names:
            return int(values[names.index("TCPFastOpenActive")])
    return -1


def once(address, port, text):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.sendto(text, MSG_FASTOPEN, (address, port))
        s.settimeout(10)
        s.shutdown(socket.SHUT_WR)
        got = b""
        while True:
            part = s.recv(4096)
            if not part:
                return got
            got += part


before = taken()
for text in (b"the first asks for a cookie", b"the second has one"):
    print(once(sys.argv[1], int(sys.argv[2]), text).decode())
print("taken", taken() - before)
