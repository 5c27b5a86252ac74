"""A bad cable: relays packets between two network namespaces, late, not at all, twice, out of order or damaged.

It makes a TAP interface `eth0` in each of the two, and carries what comes out of one into the other. For systems whose
kernel can't do it by itself (netem). Run as root; SIGTERM ends it::

    python relay.py NAMESPACE ADDRESS NAMESPACE ADDRESS [--delay MS] [--jitter MS] [--loss %] ...
"""

from __future__ import annotations

import argparse
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import time

_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 2, 0x1000
PACKETS_PER_TURN = 64
#: What waits in the relay, as in the queue of any router, is limited; what comes when it is full is lost.
MAX_PACKETS = 10_000


def open_tap(namespace: str, address: str) -> int:
    """Make an interface in a namespace; return the descriptor of its other end."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    name = f"pz{os.getpid()}x{fd}"
    fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    for words in (
        f"ip link set {name} netns {namespace} name eth0",
        f"ip -n {namespace} addr add {address}/24 dev eth0",
        f"ip -n {namespace} link set eth0 up multicast on",
        f"ip -n {namespace} route replace 224.0.0.0/4 dev eth0",
    ):
        subprocess.run(words.split(), check=True)
    return fd


class Relay:
    """The packets on their way.

    Args:
        ends: the two descriptors.
        faults: the program's arguments.
    """

    def __init__(self, ends: tuple[int, int], faults: argparse.Namespace) -> None:
        self._other = {ends[0]: ends[1], ends[1]: ends[0]}
        self._faults = faults
        self._random = random.Random(faults.seed)
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, int, bytes]] = []

    def _happens(self, percent: float) -> bool:
        return self._random.random() * 100 < percent

    def take(self, fd: int, packet: bytes, now: float) -> None:
        """Decide what becomes of a packet that came out of `fd`."""
        faults = self._faults
        if self._happens(faults.loss) or len(self._waiting) >= MAX_PACKETS:
            return
        for _ in range(2 if self._happens(faults.dup) else 1):
            delay = max(0.0, faults.delay + self._random.uniform(-faults.jitter, faults.jitter)) / 1000
            if self._happens(faults.reorder):
                delay = 0.0
            if self._happens(faults.corrupt):
                packet = self._damage(packet)
            heapq.heappush(self._waiting, (now + delay, next(self._order), self._other[fd], packet))

    def _damage(self, packet: bytes) -> bytes:
        damaged = bytearray(packet)
        damaged[self._random.randrange(14, len(damaged))] ^= 1 << self._random.randrange(8)
        return bytes(damaged)

    def deliver(self, now: float) -> None:
        """Give out what is due."""
        while self._waiting and self._waiting[0][0] <= now:
            _, _, fd, packet = heapq.heappop(self._waiting)
            try:
                os.write(fd, packet)
            except OSError:
                continue  # the interface is down or full: the packet is lost, as packets are

    def run(self) -> None:
        """Relay for ever."""
        while True:
            timeout = max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None
            for fd in select.select(list(self._other), [], [], timeout)[0]:
                for _ in range(PACKETS_PER_TURN):
                    try:
                        packet = os.read(fd, 65536)
                    except BlockingIOError:
                        break
                    self.take(fd, packet, time.monotonic())
            self.deliver(time.monotonic())


def main() -> None:
    """Make both interfaces, say so, and relay."""
    parser = argparse.ArgumentParser()
    parser.add_argument("hosts", nargs=4)
    for name in ("delay", "jitter", "loss", "dup", "corrupt", "reorder"):
        parser.add_argument(f"--{name}", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    faults = parser.parse_args()
    ends = open_tap(*faults.hosts[:2]), open_tap(*faults.hosts[2:])
    print("ready", flush=True)
    Relay(ends, faults).run()


if __name__ == "__main__":
    main()
