"""What happens when a queue is full: every type, policy and transport; whole, in order, and counted to the message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, purezmq_only, run_in_thread, zmq

pytestmark = purezmq_only("libzmq has no such policies")

MakeSocket = Callable[..., Any]
MARK = 5
COUNT = 100
#: Large enough that the kernel's buffers hold few of them.
BODY = b"x" * 50_000
POLICIES = ("block", "drop-newest", "drop-oldest", "error", "spill")
#: Sender, receiver, and who binds (the one whose peers are known by then).
PAIRS = {
    "PUSH-PULL": (zmq.PUSH, zmq.PULL),
    "DEALER-DEALER": (zmq.DEALER, zmq.DEALER),
    "DEALER-ROUTER": (zmq.DEALER, zmq.ROUTER),
    "ROUTER-DEALER": (zmq.ROUTER, zmq.DEALER),
    "PAIR-PAIR": (zmq.PAIR, zmq.PAIR),
    "CHANNEL-CHANNEL": (zmq.CHANNEL, zmq.CHANNEL),
    "PUB-SUB": (zmq.PUB, zmq.SUB),
    "XPUB-SUB": (zmq.XPUB, zmq.SUB),
    "XPUB-XSUB": (zmq.XPUB, zmq.XSUB),
    "XSUB-XPUB": (zmq.XSUB, zmq.XPUB),
    "CLIENT-SERVER": (zmq.CLIENT, zmq.SERVER),
    "SERVER-CLIENT": (zmq.SERVER, zmq.CLIENT),
    "PEER-PEER": (zmq.PEER, zmq.PEER),
    "SCATTER-GATHER": (zmq.SCATTER, zmq.GATHER),
    "RADIO-DISH": (zmq.RADIO, zmq.DISH),
}
SINGLE_PART = {"CHANNEL-CHANNEL", "CLIENT-SERVER", "SERVER-CLIENT", "PEER-PEER", "SCATTER-GATHER", "RADIO-DISH"}
#: Where the kernel's buffers are set so small that 100 messages don't fit.
SMALL = {"sndbuf": 30_000, "rcvbuf": 30_000}


class Line:
    """A sender and a stalled receiver that know each other."""

    def __init__(self, make_socket: MakeSocket, name: str, transport: str, body: bytes = BODY, **settings: Any) -> None:
        sender, receiver = PAIRS[name]
        self.name = name
        self.body = body
        self.receiver = make_socket(receiver, rcvhwm=MARK, **SMALL)
        self.sender = make_socket(sender, sndhwm=MARK, **SMALL)
        for key, value in settings.items():
            setattr(self.receiver if key.startswith("receiver_") else self.sender, key.removeprefix("receiver_"), value)
        self.keywords: dict[str, Any] = {}
        self.prefix: list[bytes] = []
        self._connect(transport)

    def _connect(self, transport: str) -> None:
        if self.name == "ROUTER-DEALER":
            self.receiver.routing_id = b"D"
            self.prefix = [b"D"]
        elif self.name == "RADIO-DISH":
            self.receiver.join("g")
            self.keywords["group"] = "g"
        elif self.receiver.type == zmq.SUB:
            self.receiver.subscribe(b"")
        endpoint = bind(self.sender, transport)
        self.receiver.connect(endpoint)
        eventually(lambda: self.sender.peers() and self.receiver.peers())
        if self.receiver.type == zmq.XSUB:
            self.receiver.send(b"\x01")
        if self.sender.type in {zmq.PUB, zmq.XPUB, zmq.RADIO}:
            eventually(lambda: self.sender.peers()[0].subscriptions)
        elif self.name in {"SERVER-CLIENT", "PEER-PEER"}:
            self.receiver.send(b"hello", routing_id=self.receiver._pattern.last_routing_id) if (
                self.name == "PEER-PEER"
            ) else self.receiver.send(b"hello")
            self.keywords["routing_id"] = self.sender.recv(copy=False).routing_id

    def send(self, number: int, flags: int = 0) -> None:
        if self.name in SINGLE_PART:
            self.sender.send(b"%d " % number + self.body, flags, **self.keywords)
        else:
            self.sender.send_multipart([*self.prefix, b"%d" % number, self.body], flags)

    def send_until_again(self) -> tuple[int, str]:
        """Send at most COUNT messages; how many were taken, and why not more."""
        for number in range(COUNT):
            try:
                self.send(number, zmq.DONTWAIT)
            except zmq.Again as error:
                return number, str(error)
        return COUNT, ""

    def recv(self) -> int:
        parts = self.receiver.recv_multipart()
        if self.name in SINGLE_PART:
            number, _, body = parts[0].partition(b" ")
        else:
            number, body = parts[-2:]
        assert self.body == body, "a message was torn"
        return int(number)

    def drain(self, count: int) -> list[int]:
        """Receive `count` messages, and then nothing."""
        numbers = [self.recv() for _ in range(count)]
        if self.receiver.type == zmq.XPUB:
            return numbers
        assert not self.receiver.poll(20)
        return numbers


@pytest.mark.parametrize("transport", ["tcp", "ipc", "inproc"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", PAIRS)
def test_p07_full_queue_does_what_the_policy_says(
    make_socket: MakeSocket, name: str, policy: str, transport: str, tmp_path: Any
) -> None:
    """A stalled receiver gets what the policy promises, whole and in order, and the sender counts the rest."""
    line = Line(make_socket, name, transport, overflow=policy, swap_dir=str(tmp_path))
    taken, why = line.send_until_again()
    if policy in {"block", "error"}:
        assert MARK <= taken < COUNT
        assert "full" in why
    else:
        assert COUNT == taken
    stats = line.sender.stats()
    dropped = stats.dropped
    numbers = line.drain(taken - dropped)
    assert sorted(set(numbers)) == numbers
    after = line.sender.stats()
    assert (taken, 0, dropped) == (after.sent, after.queued, after.dropped)
    if policy == "drop-oldest":
        assert list(range(COUNT - MARK, COUNT)) == numbers[-MARK:]
        assert {"oldest": dropped} == dict(stats.dropped_by_reason)
        assert dropped
    elif policy == "drop-newest":
        assert list(range(MARK)) == numbers[:MARK]
        assert {"newest": dropped} == dict(stats.dropped_by_reason)
        assert dropped
    else:
        assert list(range(taken)) == numbers
        assert (policy == "spill") == bool(stats.spilled)
    assert len(numbers) == line.receiver.stats().received


RECEIVERS = ("PUSH-PULL", "PUB-SUB", "XPUB-XSUB", "SCATTER-GATHER", "RADIO-DISH")


@pytest.mark.parametrize("transport", ["tcp", "ipc", "inproc"])
@pytest.mark.parametrize("policy", ["drop-newest", "drop-oldest", "spill"])
@pytest.mark.parametrize("name", RECEIVERS)
def test_receiving_type_applies_its_policy_to_what_arrives(
    make_socket: MakeSocket, name: str, policy: str, transport: str, tmp_path: Any
) -> None:
    """A receiver that doesn't read: its sender goes on, and it keeps what its policy says."""
    settings = {"overflow": "block", "receiver_overflow": policy, "receiver_swap_dir": str(tmp_path)}
    line = Line(make_socket, name, transport, b"x" * 100, **settings)
    for number in range(COUNT):
        line.send(number)
    capacity = 2 * MARK if transport == "inproc" else MARK
    # Over inproc there is one queue, which is the sender's to count, with what it has on disk.
    counter = line.sender if transport == "inproc" else line.receiver

    def is_all_there() -> bool:
        stats = counter.stats()
        kept = stats.queued if transport == "inproc" else stats.unread
        return bool(COUNT == kept + stats.dropped)

    eventually(is_all_there)
    dropped = counter.stats().dropped
    numbers = line.drain(COUNT - dropped)
    if policy == "spill":
        assert list(range(COUNT)) == numbers
    elif policy == "drop-oldest":
        assert list(range(COUNT - capacity, COUNT)) == numbers
    else:
        assert list(range(capacity)) == numbers
    assert len(numbers) == line.receiver.stats().received


def test_policies_of_endpoints_differ(make_socket: MakeSocket) -> None:
    """One publisher: the subscriber of one endpoint gets the first messages, that of the other the last ones."""
    pub = make_socket(zmq.PUB, sndhwm=MARK)
    first, last = make_socket(zmq.SUB, rcvhwm=MARK), make_socket(zmq.SUB, rcvhwm=MARK)
    pub.bind("inproc://first", overflow="drop-newest")
    pub.bind("inproc://last", overflow="drop-oldest")
    for sub, name in ((first, "first"), (last, "last")):
        sub.subscribe(b"")
        sub.connect(f"inproc://{name}")
    eventually(lambda: 2 == sum(bool(peer.subscriptions) for peer in pub.peers()))
    for number in range(COUNT):
        pub.send(b"%d" % number)
    assert [b"%d" % number for number in range(2 * MARK)] == [first.recv() for _ in range(2 * MARK)]
    assert [b"%d" % number for number in range(COUNT - 2 * MARK, COUNT)] == [last.recv() for _ in range(2 * MARK)]


def test_connect_policy_wins_over_the_sockets(make_socket: MakeSocket) -> None:
    """`connect(overflow=)` is of that peer."""
    push, pull = make_socket(zmq.PUSH, sndhwm=MARK, rcvtimeo=100), make_socket(zmq.PULL, rcvhwm=MARK)
    endpoint = bind(pull, "inproc")
    push.overflow = "error"
    push.connect(endpoint, overflow="drop-oldest")
    for number in range(COUNT):
        push.send(b"%d" % number)
    assert b"%d" % (COUNT - 2 * MARK) == pull.recv()


@pytest.mark.parametrize(
    ("kind", "policy", "why"),
    [
        (zmq.REQ, "drop-newest", "for ever"),
        (zmq.REQ, "drop-oldest", "for ever"),
        (zmq.STREAM, "drop-oldest", "corrupt"),
        (zmq.SUB, "error", "only receives"),
        (zmq.PUSH, "drop", "'block'"),
    ],
)
def test_policy_that_would_break_promises_is_refused(make_socket: MakeSocket, kind: int, policy: str, why: str) -> None:
    """EINVAL, and the text says why."""
    socket = make_socket(kind)
    with pytest.raises(zmq.ZMQError, match=why) as caught:
        socket.overflow = policy
    assert zmq.EINVAL == caught.value.errno
    with pytest.raises(zmq.ZMQError, match=why):
        socket.connect("inproc://nowhere", overflow=policy)


def test_policy_changes_on_live_socket(make_socket: MakeSocket) -> None:
    """A blocked queue goes on with the policy that is set then; the empty text restores the type's own."""
    line = Line(make_socket, "PUSH-PULL", "inproc", b"x")
    taken, _ = line.send_until_again()
    assert 2 * MARK == taken
    assert "block" == line.sender.overflow
    line.sender.overflow = "drop-oldest"
    line.send(taken)
    assert {"oldest": 1} == dict(line.sender.stats().dropped_by_reason)
    line.sender.overflow = ""
    with pytest.raises(zmq.Again):
        line.send(taken + 1, zmq.DONTWAIT)
    assert list(range(1, taken + 1)) == line.drain(taken)


def test_settings_are_keywords_of_socket(context: Any) -> None:
    """As options are."""
    with context.socket(zmq.PUB, overflow="spill", swap=1 << 20, swap_dir="/tmp", sndhwm_bytes=5, rcvhwm_bytes=6,
                        conflate_key=0, durable=(10, 2), last_value_cache=3) as pub:  # fmt: skip
        assert ("spill", 1 << 20, "/tmp", 5, 6, 0) == (
            pub.overflow, pub.swap, pub.swap_dir, pub.sndhwm_bytes, pub.rcvhwm_bytes, pub.conflate_key
        )  # fmt: skip
        assert ((10, 2.0), 3) == (pub.durable, pub.last_value_cache)


def test_router_with_policy_of_its_own_waits_or_tells(make_socket: MakeSocket) -> None:
    """A ROUTER drops by default; with `error` it tells of the full peer by name, and others are served."""
    router = make_socket(zmq.ROUTER, sndhwm=MARK)
    router.overflow = "error"
    stalled, alive = make_socket(zmq.DEALER, rcvhwm=MARK, routing_id=b"S"), make_socket(zmq.DEALER, routing_id=b"A")
    endpoint = bind(router, "inproc")
    stalled.connect(endpoint)
    alive.connect(endpoint)
    eventually(lambda: 2 == len(router.peers()))
    with pytest.raises(zmq.Again, match="b'S'"):
        for _ in range(COUNT):
            router.send_multipart([b"S", b"x"])
    router.send_multipart([b"A", b"served"])
    assert b"served" == alive.recv()


@pytest.mark.parametrize("kind", ["DEALER", "ROUTER", "PUSH"])
def test_proxy_waits_for_a_full_back_end_whatever_its_policy(make_socket: MakeSocket, kind: str) -> None:
    """`error` has nobody to raise to in a proxy: nothing is lost, and the proxy goes on."""
    front_kind, back_kind, source_kind, sink_kind = {
        "PUSH": (zmq.PULL, zmq.PUSH, zmq.PUSH, zmq.PULL),
        "DEALER": (zmq.ROUTER, zmq.DEALER, zmq.DEALER, zmq.DEALER),
        "ROUTER": (zmq.DEALER, zmq.ROUTER, zmq.DEALER, zmq.DEALER),
    }[kind]
    front, back = make_socket(front_kind), make_socket(back_kind, sndhwm=MARK)
    back.overflow = "error"
    source, sink = make_socket(source_kind), make_socket(sink_kind, rcvhwm=MARK)
    if kind == "ROUTER":
        sink.routing_id = b"S"
    source.connect(bind(front, "inproc"))
    sink.connect(bind(back, "inproc"))
    eventually(lambda: back.peers() and front.peers())
    prefix = [b"S"] if kind == "ROUTER" else []
    running = run_in_thread(zmq.proxy, front, back)
    for number in range(COUNT):
        source.send_multipart([*prefix, b"%d" % number])
    assert [b"%d" % number for number in range(COUNT)] == [sink.recv_multipart()[-1] for _ in range(COUNT)]
    front.close(0)
    back.close(0)
    with pytest.raises(zmq.ZMQError):
        running.result()


def test_error_policy_of_xsub_lets_publishers_wait(make_socket: MakeSocket) -> None:
    """It is about what an XSUB sends: what arrives at a full queue waits at the publisher, and nothing is on disk."""
    pub, xsub = make_socket(zmq.XPUB, sndhwm=MARK), make_socket(zmq.XSUB, rcvhwm=MARK)
    xsub.overflow = "error"
    xsub.send(b"\x01")
    xsub.connect(bind(pub, "tcp"))
    assert b"\x01" == pub.recv()
    for number in range(COUNT):
        pub.send(b"%d" % number)
    assert [b"%d" % number for number in range(MARK)] == [xsub.recv() for _ in range(MARK)]
    assert 0 == xsub.stats().spilled
