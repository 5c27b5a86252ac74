"""A program of a user, checked with mypy --strict, never run: the annotations of the public API must serve it."""

from __future__ import annotations

from pathlib import Path

import purezmq as zmq
from purezmq.auth import create_certificates, load_certificate
from purezmq.auth.thread import ThreadAuthenticator


def request(context: zmq.Context, endpoint: str) -> bytes:
    """Ask and return the reply."""
    with context.socket(zmq.REQ) as socket:
        socket.linger = 0
        socket.setsockopt(zmq.RCVTIMEO, 1000)
        socket.connect(endpoint)
        socket.send(b"question")
        reply: bytes = socket.recv()
        return reply


def serve(context: zmq.Context) -> list[bytes]:
    """Take one message of several parts."""
    socket = context.socket(zmq.ROUTER)
    socket.bind("tcp://127.0.0.1:*")
    parts: list[bytes] = socket.recv_multipart()
    socket.send_multipart([parts[0], b"", b"reply"])
    frames: list[zmq.Frame] = socket.recv_multipart(copy=False)
    size: int = len(frames[0])
    text: str = socket.recv_string()
    print(size, text)
    socket.close(linger=0)
    return parts


def subscribe(context: zmq.Context, endpoint: str) -> dict[int, int]:
    """Poll sockets and descriptors."""
    socket = context.socket(zmq.SUB)
    socket.subscribe(b"topic")
    socket.connect(endpoint)
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    poller.register(0, zmq.POLLIN)
    ready: int = socket.poll(100)
    events = dict(poller.poll(timeout=100))
    print(ready)
    return dict(enumerate(events.values()))


def uncopied(socket: zmq.Socket) -> bytes:
    """Frames and trackers."""
    frame: zmq.Frame = socket.recv(copy=False)
    tracker = socket.send(frame, copy=False, track=True)
    tracker.wait(timeout=1.0)
    print(tracker.done)
    return frame.bytes


def batches(socket: zmq.Socket) -> int:
    """What pyzmq has not."""
    socket.send_many([b"one", [b"two", b"parts"]])
    count = 0
    for message in socket.recv_many(100):
        count += len(message) if isinstance(message, list) else 1
    socket.send(b"x", timeout=0.5)
    data: bytes = socket.recv(timeout=0.5)
    print(data)
    return count


def errors(socket: zmq.Socket) -> int:
    """Exceptions and numbers."""
    try:
        socket.recv(zmq.DONTWAIT)
    except zmq.Again:
        return zmq.EAGAIN
    except zmq.ContextTerminated as error:
        print(error.strerror)
    except zmq.ZMQError as error:
        return error.errno or 0
    kind: zmq.SocketType = zmq.SocketType.PUSH
    return int(kind)


def main() -> None:
    """Everything with one context."""
    context = zmq.Context.instance()
    context.setsockopt(zmq.LINGER, 0)
    threads: int = context.get(zmq.ContextOption.IO_THREADS)
    print(threads, request(context, "tcp://127.0.0.1:5555"), serve(context))
    front, back = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
    zmq.proxy(front, back)
    context.destroy(linger=0)


if __name__ == "__main__":
    main()


def annotated(context: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
    """pyzmq's way to annotate synchronous sockets, and its other spelling of options."""
    socket: zmq.Socket[bytes] = context.socket(zmq.DEALER)
    more: int = socket.RCVMORE
    identity: bytes = socket.IDENTITY
    print(more, identity)
    return socket


def ready(context: zmq.Context) -> list[bytes]:
    """Readiness, time limits and recovering requests."""
    publisher, subscriber, req = context.socket(zmq.PUB), context.socket(zmq.SUB), context.socket(zmq.REQ)
    with subscriber.connect("tcp://127.0.0.1:5555", wait=1.0) as connected:
        socket: zmq.Socket = connected
        socket.wait_subscribed(timeout=1.0)
    count: int = publisher.wait_for_subscribers(2, b"topic", timeout=1.0)
    reply: bytes | list[bytes] = req.request([b"question", b"details"], timeout=1.0, retries=3)
    size: int = req.recv_into(bytearray(10), timeout=0.5)
    text: str = req.recv_string(timeout=0.5)
    req.send_string(text, timeout=0.5)
    req.send_json({"count": count, "size": size}, timeout=0.5)
    req.send_pyobj(None, timeout=0.5)
    number: int = req.recv_serialized(len, timeout=0.5)
    print(number, req.recv_json(timeout=0.5), req.recv_pyobj(timeout=0.5))
    context.term(timeout=1.0)
    return [reply] if isinstance(reply, bytes) else reply


def observe(socket: zmq.Socket) -> list[str]:
    """What happens to a socket."""
    ready: int = socket.events & zmq.POLLIN
    texts = [str(ready)]
    for event in socket.events(timeout=1.0, max_events=100):
        kind: str = event.kind
        number: zmq.Event | None = event.event
        peer: bytes = event.routing_id
        texts.append(f"{kind} {number} {event.endpoint} {event.address} {peer!r} {event.connection} {event.error}")
    with socket.events() as stream:
        last: zmq.SocketEvent = stream.get(timeout=0.5)
        lost: int = stream.dropped
        print(last.count + last.value + lost, last.time, last.reason, last.mechanism, stream.closed)
    kept: zmq.EventStream = socket.events()
    kept.close()
    return texts


def numbers(stats: zmq.ContextStats) -> dict[str, int]:
    """Statistics are plain data."""
    counts: dict[str, int] = dict(stats.dropped_by_reason)
    for socket in stats.sockets:
        counts[socket.type] = socket.sent + socket.queued_bytes
        for peer in socket.peers:
            counts[peer.endpoint] = peer.queued if peer.connected else 0
    return counts


def tuned(context: zmq.Context) -> zmq.Socket:
    """Queues that are bounded, seen and chosen."""
    context.max_bytes = 100_000_000
    context.refuses_pickles = True
    limit: int = context.max_bytes
    publisher: zmq.Socket = context.socket(zmq.PUB, overflow="drop-oldest", sndhwm_bytes=limit // 2)
    publisher.max_topics_per_peer = publisher.max_topics // 2
    publisher.max_topic_bytes_per_proxy = publisher.max_topic_bytes_per_peer * 2
    publisher.overflow = "spill"
    publisher.swap, publisher.swap_dir = 1 << 30, "/var/tmp"
    publisher.durable = (10_000_000, 60.0)
    publisher.last_value_cache = 1000
    publisher.conflate_key = lambda parts: parts[0]
    publisher.conflate_key = 0
    publisher.bind("tcp://*:5556", overflow="error")
    publisher.connect("tcp://127.0.0.1:5557", overflow="drop-newest")
    stats: zmq.SocketStats = publisher.stats()
    peers: list[zmq.Peer] = publisher.peers()
    whole: zmq.ContextStats = context.stats()
    subscriptions: tuple[bytes, ...] = peers[0].subscriptions
    print(numbers(whole), stats.dropped + stats.queued, subscriptions, peers[0].since)
    return publisher


def secure(context: zmq.Context, folder: Path) -> str:
    """Each form of the secure sockets, and who sent a message."""
    public_path, _secret_path = create_certificates(folder, "server")
    public, secret = zmq.curve_keypair()
    known: dict[bytes, str] = {load_certificate(public_path)[0]: "alice"}
    with context.socket(zmq.ROUTER, bind_identity=True) as server, context.socket(zmq.DEALER) as client:
        server.curve(secret, allow=[public, public.decode(), folder / "a.key"])
        server.curve(folder / "server.key_secret", allow=known, bind_identity={b"worker": "alice"})
        server.curve(secret, allow=folder)
        server.plain({"alice": "wonderland"})
        client.curve(public, keys=(public, secret))
        client.curve(public.decode())
        client.plain("alice", "wonderland")
        user = str(server.recv(copy=False)["User-Id"])
        users: list[str] = [peer.user_id for peer in server.peers()]
    authenticator = ThreadAuthenticator(context)
    authenticator.allow("127.0.0.1")
    return user + users[0]
