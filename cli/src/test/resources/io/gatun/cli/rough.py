"""Clients that behave badly: half-closes, resets in the middle of a transfer, and processes killed by SIGKILL.

usage: rough.py ADDRESS   (echo on 7, discard on 9, chargen on 19)
"""
import os
import signal
import socket
import struct
import sys
import time

address = sys.argv[1]


def connect(port):
    return socket.create_connection((address, port), 20)


def half_close():
    s = connect(7)
    s.sendall(b"x" * 100000)
    s.shutdown(socket.SHUT_WR)
    n = 0
    while True:
        block = s.recv(65536)
        if not block:
            break
        n += len(block)
    assert n == 100000, "half-close: %d octets came back" % n
    s.close()


def reset(port, send):
    s = connect(port)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if send:
        s.sendall(b"y" * 50000)
    else:
        s.recv(1000)
    s.close()


def killed(port):
    pid = os.fork()
    if pid == 0:
        s = connect(port)
        if port == 19:
            s.recv(1000)
        else:
            s.sendall(b"z" * 300000)
        time.sleep(60)
        os._exit(0)
    time.sleep(0.3)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


for _ in range(20):
    half_close()
for _ in range(20):
    reset(7, True)
    reset(9, True)
    reset(19, False)
for port in (7, 9, 19):
    killed(port)
print("survived")
