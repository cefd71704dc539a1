"""A neighbour on a vlan, in user space, for kernels without 802.1Q: asks for link addresses, pings and sends datagrams.

usage: vlan_peer.py INTERFACE VID OWN TARGET OWN6 TARGET6
"""
import ipaddress
import select
import socket
import struct
import sys
import time

MAC = bytes.fromhex("020000005501")
SOL_PACKET = 263
PACKET_AUXDATA = 8
VLAN_VALID = 0x10
WAIT = 10


def cksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Peer:
    def __init__(self, interface, vid, own, target, own6, target6):
        self.vid = vid
        self.own = socket.inet_aton(own)
        self.target = socket.inet_aton(target)
        self.own6 = ipaddress.IPv6Address(own6).packed
        self.target6 = ipaddress.IPv6Address(target6).packed
        self.so = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.so.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.so.bind((interface, 3))
        self.mac = b"\xff" * 6
        self.mac6 = None

    def send(self, dst, ethertype, payload, tag):
        self.so.send(dst + MAC + struct.pack("!HHH", 0x8100, tag, ethertype) + payload)

    def frame(self):
        """The next frame for us: its vlan, or None, its type and what follows. The kernel may have taken the tag out."""
        end = time.monotonic() + WAIT
        while True:
            if not select.select([self.so], [], [], max(0, end - time.monotonic()))[0]:
                raise SystemExit("nothing within %d seconds" % WAIT)
            data, control, _, _ = self.so.recvmsg(70000, 1024)
            if data[:6] != MAC:
                continue
            vid = None
            for level, kind, aux in control:
                if level == SOL_PACKET and kind == PACKET_AUXDATA:
                    status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", aux[:20])
                    vid = tci & 0xfff if status & VLAN_VALID else None
            ethertype, rest = struct.unpack("!H", data[12:14])[0], data[14:]
            if ethertype == 0x8100:
                vid, ethertype, rest = struct.unpack("!HH", rest[:4]) + (rest[4:],)
                vid &= 0xfff
            return vid, ethertype, rest, data[6:12]

    def await_(self, what, accept):
        while True:
            vid, ethertype, rest, src = self.frame()
            if accept(ethertype, rest):
                if vid != self.vid:
                    raise SystemExit("%s came on vlan %s" % (what, vid))
                return rest, src

    def arp(self):
        ask = struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + MAC + self.own + bytes(6) + self.target
        self.send(b"\xff" * 6, 0x806, ask + bytes(18), self.vid)
        rest, self.mac = self.await_("the ARP reply", lambda t, r: t == 0x806 and r[6:8] == b"\0\2")
        assert rest[8:14] == self.mac and rest[14:18] == self.target

    def ip(self, proto, payload):
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, proto, 0) + self.own + self.target
        return head[:10] + struct.pack("!H", cksum(head)) + head[12:] + payload

    def ip6(self, nxt, at, payload):
        """With the checksum put in at an offset."""
        pseudo = self.own6 + self.target6 + struct.pack("!II", len(payload), nxt)
        payload = payload[:at] + struct.pack("!H", cksum(pseudo + payload)) + payload[at + 2:]
        return struct.pack("!IHBB", 6 << 28, len(payload), nxt, 255) + self.own6 + self.target6 + payload

    def echo(self, number, octets):
        body = struct.pack("!BBHHH", 8, 0, 0, 77, number) + octets
        return self.ip(1, body[:2] + struct.pack("!H", cksum(body)) + body[4:])

    def ping(self, octets):
        self.send(self.mac, 0x800, self.echo(8, octets), self.vid + 1)
        self.send(self.mac, 0x800, self.echo(1, octets), self.vid | 5 << 13)
        rest, _ = self.await_("the echo", lambda t, r: t == 0x800 and r[9] == 1 and r[20] == 0)
        assert struct.unpack("!H", rest[26:28])[0] == 1, "what came on another vlan was answered"
        assert rest[28:28 + len(octets)] == octets

    def datagram(self, octets):
        udp = struct.pack("!HHHH", 4000, 7, 8 + len(octets), 0) + octets
        self.send(self.mac, 0x800, self.ip(17, udp), self.vid)
        rest, _ = self.await_("the datagram", lambda t, r: t == 0x800 and r[9] == 17)
        assert rest[28:28 + len(octets)] == octets

    def solicit(self):
        body = struct.pack("!BBHI", 135, 0, 0, 0) + self.target6 + b"\1\1" + MAC
        self.send(self.mac, 0x86dd, self.ip6(58, 2, body), self.vid)
        rest, self.mac6 = self.await_("the advertisement", lambda t, r: t == 0x86dd and r[6] == 58 and r[40] == 136)
        assert rest[48:64] == self.target6

    def ping6(self, octets):
        for number, tag in ((8, self.vid + 1), (1, self.vid | 5 << 13)):
            body = struct.pack("!BBHHH", 128, 0, 0, 77, number) + octets
            self.send(self.mac6, 0x86dd, self.ip6(58, 2, body), tag)
        rest, _ = self.await_("the echo", lambda t, r: t == 0x86dd and r[6] == 58 and r[40] == 129)
        assert struct.unpack("!H", rest[46:48])[0] == 1, "what came on another vlan was answered"
        assert rest[48:48 + len(octets)] == octets

    def datagram6(self, octets):
        udp = struct.pack("!HHHH", 4000, 7, 8 + len(octets), 0) + octets
        self.send(self.mac6, 0x86dd, self.ip6(17, 6, udp), self.vid)
        rest, _ = self.await_("the datagram", lambda t, r: t == 0x86dd and r[6] == 17)
        assert rest[48:48 + len(octets)] == octets


def main():
    interface, vid, own, target, own6, target6 = sys.argv[1:]
    peer = Peer(interface, int(vid), own, target, own6, target6)
    peer.arp()
    for size in (0, 56, 1471, 1472):
        peer.ping(bytes(i % 251 for i in range(size)))
        peer.datagram(bytes(i % 241 for i in range(size)))
    peer.solicit()
    for size in (0, 56, 1451, 1452):
        peer.ping6(bytes(i % 251 for i in range(size)))
        peer.datagram6(bytes(i % 241 for i in range(size)))
    print("all answered on vlan " + vid)


main()
