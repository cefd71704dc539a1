"""Opens many connections at once to an echo server and checks what comes back on each.

usage: parallel.py ADDRESS PORT CONNECTIONS
"""
import socket
import sys
import threading

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
failures = []
together = threading.Barrier(count)


def one(n):
    try:
        s = socket.create_connection((address, port), 30)
        together.wait(60)
        data = bytes((n + i) % 251 for i in range(20000))
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        got = bytearray()
        while True:
            block = s.recv(65536)
            if not block:
                break
            got += block
        if bytes(got) != data:
            failures.append("connection %d: %d octets of %d" % (n, len(got), len(data)))
        s.close()
    except Exception as e:
        failures.append("connection %d: %r" % (n, e))


threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
for t in threads:
    t.start()
for t in threads:
    t.join(60)
if failures:
    sys.exit("%d of %d failed: %s" % (len(failures), count, "; ".join(failures[:5])))
print("%d connections" % count)
