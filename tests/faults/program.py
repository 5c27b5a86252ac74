"""A program on one host of a faulty network: the commands of the interop peer, and some that go on by themselves.

Senders and collectors run in threads of their own and are asked how far they came. Every socket is used by one thread
at a time, as libzmq wants it. Times are of the monotonic clock, which all hosts of this machine share.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "interop"))
from peer import Peer, main  # the program next door, without the harness

#: Collected numbers are looked at this often, in case a thread ended without a word (seconds).
LOOK_S = 0.5


class Progress:
    """What a thread has done so far; whoever waits for it is woken."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.error = ""
        self.stopping = threading.Event()
        self.ended = threading.Event()
        self._changed = threading.Condition()

    def add(self, item: Any) -> None:
        """One more."""
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def wait_for(self, condition: Any, timeout_s: float) -> bool:
        """Wait until the condition of the items is true; whether it is."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not condition(self.items):
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, LOOK_S))
        return True


class FaultPeer(Peer):
    """The commands, one method each."""

    def __init__(self, library: str) -> None:
        super().__init__(library)
        self._progress: dict[tuple[str, str], Progress] = {}
        self._streams: dict[str, Any] = {}

    def _start(self, task: Any, kind: str, name: str, *args: Any) -> None:
        progress = self._progress[kind, name] = Progress()

        def run() -> None:
            try:
                task(progress, name, *args)
            except self.zmq.ZMQError as error:
                progress.error = str(error)
            finally:
                progress.ended.set()

        threading.Thread(target=run, daemon=True).start()

    # -- events --------------------------------------------------------------------------------------------------

    def watch(self, name: str) -> None:
        """Note the events of a socket from now on."""
        monitor = self.sockets[name].get_monitor_socket()
        self._start(self._watch, "events", name, monitor)

    @staticmethod
    def _watch(progress: Progress, _name: str, monitor: Any) -> None:
        while not progress.stopping.is_set():
            numbers = monitor.recv_multipart()[0]
            progress.add((struct.unpack("=HI", numbers)[0], time.monotonic()))

    def wait_event(self, name: str, kind: str, count: int, timeout_s: float) -> float | None:
        """When the `count`-th event of a kind came; None if it doesn't in time."""
        wanted = int(getattr(self.zmq, f"EVENT_{kind}"))
        progress = self._progress["events", name]

        def times(items: list[Any]) -> list[float]:
            return [when for event, when in items if event == wanted]

        found = progress.wait_for(lambda items: len(times(items)) >= count, timeout_s)
        return times(progress.items)[count - 1] if found else None

    def event_times(self, name: str, kind: str) -> list[float]:
        """When events of a kind came so far."""
        wanted = int(getattr(self.zmq, f"EVENT_{kind}"))
        return [when for event, when in list(self._progress["events", name].items) if event == wanted]

    # -- messages ------------------------------------------------------------------------------------------------

    def send_paced(
        self, name: str, count: int, interval_s: float, size: int, topic: str = "", to: str = "", record: str = ""
    ) -> None:
        """Begin to send numbered messages.

        Args:
            name: of the socket.
            count: how many; 0 to go on until `stop_sending`.
            interval_s: between two of them.
            size: bytes of a message.
            topic: what it begins with.
            to: a part before it.
            record: a file that holds how many were sent, for when this process is killed.
        """
        self._start(self._send_paced, "sent", name, count, interval_s, size, topic.encode(), to.encode(), record)

    def _send_paced(
        self, progress: Progress, name: str, count: int, interval_s: float, size: int,
        topic: bytes, to: bytes, record: str, send: Any = None,
    ) -> None:  # fmt: skip
        send = send or self.sockets[name].send_multipart
        file = os.open(record, os.O_WRONLY | os.O_CREAT) if record else -1
        number = 0
        while (not count or number < count) and not progress.stopping.is_set():
            body = topic + (b"%d " % number).ljust(size, b".")
            try:
                send([to, body] if to else [body])
            except self.zmq.Again:
                continue
            number += 1
            progress.add(number)
            if record:
                os.pwrite(file, number.to_bytes(8, "little"), 0)
            if interval_s:
                progress.stopping.wait(interval_s)

    def collect(self, name: str, topic: str = "", pause_s: float = 0, record: str = "") -> None:
        """Begin to receive numbered messages.

        Args:
            name: of the socket.
            topic: what they begin with.
            pause_s: after each of them.
            record: a file that gets each number, for when this process is killed.
        """
        self._start(self._collect, "got", name, len(topic), pause_s, record)

    def _collect(self, progress: Progress, name: str, skip: int, pause_s: float, record: str, echo: Any = None) -> None:
        socket = self.sockets[name]
        file = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if record else -1
        while not progress.stopping.is_set():
            try:
                body = socket.recv_multipart()[-1][skip:]
            except self.zmq.Again:
                continue
            number = int(body.split()[0])
            progress.add((number, time.monotonic()))
            if record:
                os.write(file, number.to_bytes(8, "little"))
            if pause_s:
                progress.stopping.wait(pause_s)
            if echo is not None:
                echo.send(body)

    def serve(self, name: str, topic: str = "", pause_s: float = 0, record: str = "") -> None:
        """As `collect`, and each message is sent back."""
        self._start(self._collect, "got", name, len(topic), pause_s, record, self.sockets[name])

    def request_paced(
        self, name: str, count: int, interval_s: float, size: int, topic: str = "", to: str = "", record: str = ""
    ) -> None:
        """As `send_paced`, with requests that are made again until they are answered (purezmq)."""
        socket = self.sockets[name]

        def request(parts: list[bytes]) -> None:
            reply = socket.request(parts, timeout=2, retries=10)
            if reply != parts[0]:
                text = f"asked {parts[0][:20]!r} and got {reply[:20]!r}"
                raise ValueError(text)

        self._start(self._send_paced, "sent", name, count, interval_s, size, b"", b"", record, request)

    def wait_quiet(self, name: str, seconds: float) -> None:
        """Wait until no message was received for so long."""
        count = -1
        while count != len(self._progress["got", name].items):
            count = len(self._progress["got", name].items)
            self.wait_collected(name, count + 1, seconds)

    def wait_subscribers(self, name: str, count: int, timeout_s: float) -> bool:
        """Wait until a publisher has so many subscribers (purezmq)."""
        self.sockets[name].wait_for_subscribers(count, timeout=timeout_s)
        return True

    def wait_number(self, name: str, number: int, timeout_s: float) -> float | None:
        """When a message of this or a higher number was received; None if it isn't in time."""
        progress = self._progress["got", name]
        if not progress.wait_for(lambda items: bool(items) and items[-1][0] >= number, timeout_s):
            return None
        return next(when for got, when in progress.items if got >= number)

    def wait_collected(self, name: str, count: int, timeout_s: float) -> int:
        """How many messages were received, once it's `count` or the time is over."""
        progress = self._progress["got", name]
        progress.wait_for(lambda items: len(items) >= count, timeout_s)
        return len(progress.items)

    def collected(self, name: str) -> list[int]:
        """The numbers that were received so far."""
        return [number for number, _ in list(self._progress["got", name].items)]

    def is_complete(self, name: str, count: int) -> bool:
        """Whether exactly the first `count` numbers were received, in order."""
        return self.collected(name) == list(range(count))

    def longest_gap(self, name: str) -> float:
        """The longest time between two messages that followed each other (seconds)."""
        times = [when for _, when in list(self._progress["got", name].items)]
        return max((later - earlier for earlier, later in pairwise(times)), default=0.0)

    def wait_sent(self, name: str, count: int, timeout_s: float) -> int:
        """How many messages were sent, once it's `count` or the time is over."""
        progress = self._progress["sent", name]
        progress.wait_for(lambda items: len(items) >= count, timeout_s)
        return len(progress.items)

    def stop_sending(self, name: str) -> int:
        """End the sender; how many messages it sent."""
        progress = self._progress["sent", name]
        progress.stopping.set()
        progress.ended.wait()
        return len(progress.items)

    # -- numbers (purezmq) ---------------------------------------------------------------------------------------

    def stats(self, name: str) -> dict[str, Any]:
        """The socket's numbers."""
        stats = self.sockets[name].stats()
        names = ("sent", "received", "dropped", "queued", "unread", "reconnects")
        return {**{key: getattr(stats, key) for key in names}, "by_reason": dict(stats.dropped_by_reason)}

    def keep_for_absent(self, name: str, size: int, seconds: float) -> None:
        """Let a publisher be durable."""
        self.sockets[name].durable = (size, seconds)

    def listen(self, name: str) -> None:
        """Begin to listen to typed events."""
        self._streams[name] = self.sockets[name].events(timeout=0)

    def handed_over(self, name: str) -> int:
        """Messages that connections which broke since `listen` had given to the system, as the events tell it."""
        return sum(event.count for event in self._streams[name] if event.kind == "disconnected")

    def peak_memory(self) -> int:
        """The most memory that this program has used so far, in bytes (Linux)."""
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])

    # -- more ----------------------------------------------------------------------------------------------------

    def limit_memory(self, more: int) -> None:
        """Let this process map at most `more` bytes beyond what it has mapped."""
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    def open_many(self, count: int, kind: str, endpoint: str, options: dict[str, Any]) -> None:
        """Connect many sockets, by the names 0, 1 and so on."""
        self.raise_file_limit()
        self.context.set(self.zmq.MAX_SOCKETS, count + 100)
        for number in range(count):
            self.open(str(number), kind, options)
            self.connect(str(number), endpoint)

    def raise_file_limit(self) -> None:
        """Let this process have as many descriptors as the system allows."""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    def cpu_seconds(self) -> float:
        """Processor time that this process has used."""
        return time.process_time()

    def send_all(self, name: str, topics: int) -> None:
        """Publish one message for each numbered topic."""
        for number in range(topics):
            self.sockets[name].send(b"topic %d." % number)

    def take_subscriptions(self, name: str, count: int) -> int:
        """Read so many subscriptions from an XPUB; how many different ones they were."""
        return len({self.sockets[name].recv() for _ in range(count)})


if __name__ == "__main__":
    main(FaultPeer)
