"""Hosts on one machine: network namespaces joined by a switch, and the faults of networks. Linux, root.

Each host has an address of its own and an interface `eth0`; a program that is started on it sees nothing else. All
hosts hang on a bridge in a namespace of its own, so that nothing of it is seen in the machine's own network. Faults are
made where they happen: by the packet filter of a host, at its interface, or by a relay between two hosts (`relay.py`).

Names are random, and `close` removes everything, whatever happened before.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Self

__all__ = ["Host", "Network", "why_not"]

RELAY = Path(__file__).with_name("relay.py")
TOOLS = ("ip", "nft", "tc")
COMMAND_TIMEOUT_S = 20
INTERFACE = "eth0"


def run(*words: str) -> None:
    """Run a command; what it says on failure is the error's text."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=COMMAND_TIMEOUT_S)
    if done.returncode:
        text = f"{' '.join(words)}: {done.stderr.strip()}"
        raise OSError(text)


@cache
def why_not() -> str:
    """Why there can be no such network here; empty if there can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (packages iproute2, nftables)"
    try:
        with Network(1) as network:
            network.hosts[0].cut()
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"this system refuses network namespaces or the packet filter ({error})"
    return ""


class Host:
    """One host.

    Args:
        name: of its namespace.
        address: of its interface, IPv4.
    """

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        #: What stands before a command that is to run there. It becomes that command: the process id stays.
        self.prefix = ("ip", "netns", "exec", name)

    def filter(self, table: str, *rules: str, hook: str = "input") -> None:
        """Add rules of the packet filter; `heal` removes them by the name of their table."""
        chain = f"add table inet {table}; add chain inet {table} {hook} "
        chain += f"{{ type filter hook {hook} priority 0; }}; "
        added = "; ".join(f"add rule inet {table} {hook} {rule}" for rule in rules)
        run(*self.prefix, "nft", chain + added)

    def heal(self, table: str = "cut") -> None:
        """Remove rules that were added."""
        run(*self.prefix, "nft", f"delete table inet {table}")

    def cut(self, *, inbound: bool = True, outbound: bool = True) -> None:
        """Lose all packets silently, in both directions or one."""
        if inbound:
            self.filter("cut", f"iifname {INTERFACE} drop")
        if outbound:
            self.filter("cut", f"oifname {INTERFACE} drop", hook="output")

    def lose(self, percent: int) -> None:
        """Lose so many of a hundred packets that arrive."""
        self.filter("loss", f"iifname {INTERFACE} numgen random mod 100 < {percent} drop")

    def reset(self, port: int) -> None:
        """Answer every TCP segment to `port` with a reset."""
        self.filter("refuse", f"tcp dport {port} reject with tcp reset")

    def set_carrier(self, *, up: bool) -> None:
        """Pull the cable out, or put it in."""
        run("ip", "-n", self.name, "link", "set", INTERFACE, "up" if up else "down")

    def set_mtu(self, size: int) -> None:
        """Let the interface take packets of at most `size` bytes."""
        run("ip", "-n", self.name, "link", "set", INTERFACE, "mtu", str(size))

    def limit_rate(self, kbit_s: int) -> None:
        """Send at most so many kilobits per second."""
        words = f"qdisc add dev {INTERFACE} root tbf rate {kbit_s}kbit burst 32kbit latency 100ms"
        run("tc", "-n", self.name, *words.split())


class Network:
    """Some hosts; use it as ``with Network(2) as network:``.

    Args:
        count: how many hosts.
        switched: whether a switch joins them; else only a relay does (`start_relay`).
    """

    def __init__(self, count: int, *, switched: bool = True) -> None:
        self._name = f"pz{secrets.token_hex(3)}"
        self._count = count
        self._switched = switched
        self._namespaces: list[str] = []
        self._relays: list[subprocess.Popen[str]] = []
        self.hosts: list[Host] = []

    def __enter__(self) -> Self:
        """Make everything, or nothing."""
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add_namespace(self, name: str) -> str:
        run("ip", "netns", "add", name)
        self._namespaces.append(name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        return name

    def _open(self) -> None:
        switch = ""
        if self._switched:
            switch = self._add_namespace(f"{self._name}-switch")
            run("ip", "-n", switch, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
            run("ip", "-n", switch, "link", "set", "br0", "up")
        for number in range(1, self._count + 1):
            host = Host(self._add_namespace(f"{self._name}-{number}"), f"10.77.0.{number}")
            self.hosts.append(host)
            if switch:
                self._plug(host, switch, f"port{number}")

    @staticmethod
    def _plug(host: Host, switch: str, port: str) -> None:
        pair = f"link add {port} netns {switch} type veth peer name {INTERFACE} netns {host.name}"
        run("ip", *pair.split())
        run("ip", "-n", switch, *f"link set {port} master br0 up".split())
        run("ip", "-n", host.name, *f"addr add {host.address}/24 dev {INTERFACE}".split())
        host.set_carrier(up=True)
        run("ip", "-n", host.name, *f"route add 224.0.0.0/4 dev {INTERFACE}".split())

    def start_relay(self, **faults: float) -> None:
        """Join the first two hosts of a network without a switch by a relay.

        Args:
            faults: delay and jitter in milliseconds; loss, dup, reorder, corrupt in percent; seed.
        """
        words = [f"--{name}={value}" for name, value in faults.items()]
        hosts = [word for host in self.hosts[:2] for word in (host.name, host.address)]
        relay = subprocess.Popen([sys.executable, str(RELAY), *hosts, *words], stdout=subprocess.PIPE, text=True)
        self._relays.append(relay)
        assert relay.stdout is not None
        if relay.stdout.readline() != "ready\n":
            text = "the relay did not start"
            raise OSError(text)

    def close(self) -> None:
        """End relays and remove namespaces, and with them interfaces and rules. Idempotent."""
        while self._relays:
            relay = self._relays.pop()
            relay.terminate()
            relay.wait(COMMAND_TIMEOUT_S)
            if relay.stdout is not None:
                relay.stdout.close()
        while self._namespaces:
            subprocess.run(
                ["ip", "netns", "delete", self._namespaces.pop()],
                capture_output=True, check=False, timeout=COMMAND_TIMEOUT_S,
            )  # fmt: skip
