"""A tornado service on ZMQStream: ``stream_service.py REPLIES PUBLICATIONS SINK``.

Answers requests, publishes the time of its ticks, and takes uncopied messages from a sink; "stop" ends it.
"""

from __future__ import annotations

import sys
from typing import Any

import zmq
from facts import library_name, tell
from tornado.ioloop import IOLoop, PeriodicCallback
from zmq.eventloop.zmqstream import ZMQStream


class Service:
    """All streams in one loop."""

    def __init__(self, replies: str, publications: str, sink: str) -> None:
        self.context = zmq.Context.instance()
        self.requests = self._stream(zmq.REP, replies)
        self.publisher = self._stream(zmq.PUB, publications)
        self.sink = self._stream(zmq.PULL, sink)
        self.requests.on_recv(self.answer)
        self.sink.on_recv_stream(self.absorb, copy=False)
        self.ticks = 0
        self.sent = 0
        self.absorbed = 0
        self.absorbed_bytes = 0
        self.publisher.on_send(self.count_sent)
        self.ticker = PeriodicCallback(self.tick, 5)
        self.ticker.start()

    def _stream(self, kind: int, endpoint: str) -> ZMQStream:
        socket = self.context.socket(kind)
        socket.bind(endpoint)
        return ZMQStream(socket, IOLoop.current())

    def tick(self) -> None:
        """Publish on two topics."""
        self.ticks += 1
        self.publisher.send_multipart([b"tick", str(self.ticks).encode()])
        self.publisher.send_multipart([b"noise", b"x" * 1000])

    def count_sent(self, message: list[bytes], status: Any) -> None:
        """Count what has gone out."""
        self.sent += 1

    def absorb(self, stream: ZMQStream, frames: list[zmq.Frame]) -> None:
        """Take a message without copying it."""
        assert stream is self.sink
        self.absorbed += 1
        self.absorbed_bytes += sum(len(frame.buffer) for frame in frames)

    def answer(self, parts: list[bytes]) -> None:
        """Answer one request."""
        if parts[0] == b"stop":
            self.requests.send(b"stopping")
            self.requests.flush()
            IOLoop.current().add_callback(self.stop)
        elif parts[0] == b"state":
            self.requests.send_json(
                {"library": library_name(), "absorbed": self.absorbed, "bytes": self.absorbed_bytes}
            )
        elif parts[0] == b"object":
            self.requests.send_pyobj({"parts": parts})
        elif parts[0] == b"text":
            self.requests.send_string("größer")
        else:
            self.requests.send_multipart([b"echo", *parts])

    def stop(self) -> None:
        """Close the streams and end the loop."""
        self.ticker.stop()
        for stream in (self.requests, self.publisher, self.sink):
            stream.close()
            assert stream.closed()
        tell("sent_at_least_ticks", self.sent >= self.ticks)
        IOLoop.current().stop()


def main() -> None:
    """Serve until stopped."""
    Service(*sys.argv[1:])
    tell("ready", True)
    IOLoop.current().start()
    zmq.Context.instance().term()
    tell("terminated", True)


if __name__ == "__main__":
    main()
