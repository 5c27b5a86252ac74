"""What is lost when, row by row: what was sent, what was delivered, and what the counters say (`losses.py`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.faults.length import SECONDS
from tests.faults.losses import LOSSES, PATTERNS, Fate, Loss, Pattern
from tests.faults.network import Host, Network
from tests.support import eventually, free_endpoint
from tests.support.peer_process import PeerProcess

MakeNetwork = Callable[..., Network]
Start = Callable[..., PeerProcess]
Figure = Callable[[str, object], None]

SIZE = 5000
#: Small queues and buffers: they are full when the fault comes.
OPTIONS = {
    "SNDHWM": 50,
    "RCVHWM": 50,
    "SNDBUF": 32768,
    "RCVBUF": 32768,
    "RECONNECT_IVL": 50,
    "SNDTIMEO": 500,
    "RCVTIMEO": 500,
}
HEARTBEAT_S = 0.4
HEARTBEATS = {"HEARTBEAT_IVL": int(HEARTBEAT_S * 1000), "HEARTBEAT_TIMEOUT": int(HEARTBEAT_S * 1000)}
WAIT_S = 15.0
PORT = 7002


class Ends:
    """Sender and receiver of a pattern, and what is known of their messages.

    Args:
        pattern: who they are.
        endpoint: where one of them binds.
        folder: for the records that outlive a killed process.
    """

    def __init__(self, pattern: Pattern, endpoint: str, folder: Path) -> None:
        self.pattern = pattern
        self.endpoint = endpoint
        self._sent_file = folder / "sent"
        self._got_file = folder / "got"

    def open(self, peer: PeerProcess, *, sends: bool, **options: Any) -> None:
        """Make an end: bind or connect it, and go to work."""
        kind = self.pattern.sender if sends else self.pattern.receiver
        if kind == "DEALER" and not sends:
            options["ROUTING_ID"] = b"r"
        peer.open("s", kind, **{**OPTIONS, **options})
        if kind == "SUB":
            peer.set("s", "SUBSCRIBE", b"")
        peer.watch("s")
        if sends:
            peer.listen("s")
        if sends == self.pattern.sender_binds:
            peer.bind("s", self.endpoint)
        else:
            peer.connect("s", self.endpoint)

    def receive(self, peer: PeerProcess, pause_s: float = 0) -> None:
        """Begin to receive."""
        serve = peer.serve if self.pattern.receiver == "REP" else peer.collect
        serve("s", "", pause_s, str(self._got_file))

    def send(self, peer: PeerProcess) -> None:
        """Begin to send."""
        to = "r" if self.pattern.sender == "ROUTER" else ""
        send = peer.request_paced if self.pattern.sender == "REQ" else peer.send_paced
        send("s", 0, 0.0005, SIZE, "", to, str(self._sent_file))

    def delivered(self) -> list[int]:
        """The numbers that receiving applications took, killed ones included."""
        data = self._got_file.read_bytes()
        return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]

    def given(self) -> int:
        """How many messages the sending application got rid of, even if it was killed."""
        return int.from_bytes(self._sent_file.read_bytes(), "little")


def rows(*faults: str) -> Any:
    """Parametrize with the rows of these faults."""
    chosen = [row for row in LOSSES if row.fault in faults]
    if not SECONDS:  # in the short form one pattern stands for all that lose nothing
        chosen = [row for row in chosen if row.fault != "healed-in-time" or row.pattern == "push-connects"]
    return pytest.mark.parametrize("row", chosen, ids=[f"{row.pattern}-{row.fault}" for row in chosen])


def finish(ends: Ends, sender: PeerProcess, receiver: PeerProcess) -> int:
    """Let some more messages pass, and wait until the last one that is sent is there; how many were sent."""
    so_far = receiver.wait_collected("s", 0, 0)
    assert receiver.wait_collected("s", so_far + 20, WAIT_S) >= so_far + 20
    total = sender.stop_sending("s")
    # A publisher, or a router, may have dropped the last one; what arrives arrives in order.
    eventually(lambda: not sender.stats("s")["queued"], WAIT_S)
    if not ends.pattern.sender_binds or ends.pattern.sender == "PUSH":
        assert receiver.wait_number("s", total - 1, WAIT_S) is not None
    else:
        receiver.wait_quiet("s", 2 * HEARTBEAT_S)
    return total


def check_row(row: Loss, ends: Ends, sender: PeerProcess, total: int, figure: Figure) -> None:
    """What is missing is what the sender's numbers say, and of the kind that the row says."""
    stats, handed_over = sender.stats("s"), sender.handed_over("s")
    delivered = ends.delivered()
    assert total == ends.given()
    lost = total - len(set(delivered))
    unheard = total - stats["sent"] if row.pattern == "pub-binds" else 0
    counted = stats["dropped"] + unheard
    figure("sent, delivered, counted as lost, in doubt", (total, len(set(delivered)), counted, handed_over))
    if row.handed_over == Fate.REPEATED:
        assert 0 == lost
        return
    assert sorted(set(delivered)) == delivered
    assert total == stats["sent"] + unheard
    assert counted <= lost <= counted + handed_over
    if row.handed_over == Fate.ARRIVES:
        assert (0, 0) == (lost - counted, handed_over)
    if row.queued == Fate.KEPT:  # but for one message, of which a part had left
        assert stats["by_reason"].get("disconnected", 0) <= 1
    if row.queued == Fate.DROPPED:
        assert {"disconnected"} <= set(stats["by_reason"]) <= {"disconnected", "unroutable", "newest"}
        assert stats["by_reason"]["disconnected"] > 1


@rows("receiver-killed")
def test_p01_receiver_killed(program: Start, figure: Figure, tmp_path: Path, row: Loss) -> None:
    """kill -9 of the receiver: its successor goes on; the number reported is never less than what is lost."""
    ends = Ends(PATTERNS[row.pattern], free_endpoint(), tmp_path)
    sender, receiver = program(), program()
    for peer, sends in ((receiver, False), (sender, True)):
        ends.open(peer, sends=sends)
    assert sender.wait_event("s", "HANDSHAKE_SUCCEEDED", 1, WAIT_S)
    ends.receive(receiver, 0.002)
    ends.send(sender)
    receiver.wait_collected("s", 100, WAIT_S)
    if row.handed_over != Fate.REPEATED:
        eventually(lambda: sender.stats("s")["queued"] > 10, WAIT_S)
    receiver.kill()
    assert sender.wait_event("s", "DISCONNECTED", 1, WAIT_S)
    successor = program()
    ends.open(successor, sends=False)
    ends.receive(successor)
    assert sender.wait_event("s", "HANDSHAKE_SUCCEEDED", 2, WAIT_S)
    check_row(row, ends, sender, finish(ends, sender, successor), figure)


@rows("sender-killed")
def test_p01_sender_killed(program: Start, figure: Figure, tmp_path: Path, row: Loss) -> None:
    """kill -9 of the sender: what its system had arrives, whole, in order and without a gap."""
    ends = Ends(PATTERNS[row.pattern], free_endpoint(), tmp_path)
    sender, receiver = program(), program()
    for peer, sends in ((receiver, False), (sender, True)):
        ends.open(peer, sends=sends, SNDHWM=10_000)  # so that publisher and router drop nothing by themselves
    assert receiver.wait_event("s", "HANDSHAKE_SUCCEEDED", 1, WAIT_S)
    if ends.pattern.sender == "PUB":
        assert sender.wait_subscribers("s", 1, WAIT_S)
    ends.receive(receiver, 0.001)
    ends.send(sender)
    receiver.wait_collected("s", 100, WAIT_S)
    sender.kill()
    assert receiver.wait_event("s", "DISCONNECTED", 1, WAIT_S)
    receiver.wait_quiet("s", HEARTBEAT_S)
    given, delivered = ends.given(), ends.delivered()
    figure("sent, delivered", (given, len(delivered)))
    assert len(delivered) >= 100
    assert list(range(len(delivered))) == delivered
    # The record is written after the send: one message may have left before it was noted.
    assert len(delivered) <= given + 1


@rows("healed-in-time", "healed-late")
def test_p15_partition(network: MakeNetwork, program: Start, figure: Figure, tmp_path: Path, row: Loss) -> None:
    """Within the heartbeat timeout a partition costs nothing; after it what the page says, and the counters agree."""
    here, there = network().hosts
    sender, receiver = program(here), program(there)
    pattern = PATTERNS[row.pattern]
    binder: Host = here if pattern.sender_binds else there
    ends = Ends(pattern, f"tcp://{binder.address}:{PORT}", tmp_path)
    for peer, sends in ((receiver, False), (sender, True)):
        ends.open(peer, sends=sends, **(HEARTBEATS if row.fault == "healed-late" else {}))
    assert sender.wait_event("s", "HANDSHAKE_SUCCEEDED", 1, WAIT_S)
    if pattern.sender == "PUB":
        assert sender.wait_subscribers("s", 1, WAIT_S)
    ends.receive(receiver)
    ends.send(sender)
    receiver.wait_collected("s", 50, WAIT_S)
    there.cut()
    if row.fault == "healed-late":
        for peer in (sender, receiver):
            assert peer.wait_event("s", "DISCONNECTED", 1, WAIT_S)
    else:
        time.sleep(HEARTBEAT_S)  # the length of the partition is its subject
    there.heal()
    if row.fault == "healed-late":
        for peer in (sender, receiver):
            assert peer.wait_event("s", "HANDSHAKE_SUCCEEDED", 2, WAIT_S)
    total = finish(ends, sender, receiver)
    check_row(row, ends, sender, total, figure)
    if row.handed_over != Fate.REPEATED:
        check_same_number(ends, sender.stats("s"), receiver.stats("s"), total)


def check_same_number(ends: Ends, sender: dict[str, Any], receiver: dict[str, Any], total: int) -> None:
    """Both sides' counters together tell exactly how many are lost."""
    left = sender["sent"] - sender["dropped"] - sender["queued"]
    arrived = receiver["received"] + receiver["unread"] + receiver["dropped"]
    assert total - len(ends.delivered()) == (total - sender["sent"]) + sender["dropped"] + (left - arrived)
