"""An engine of an LLM server: ``llm_engine.py HANDSHAKE INDEX``; its front tells it all other endpoints."""

from __future__ import annotations

import queue
import sys
import threading
from collections import deque
from typing import Any

import zmq
from facts import library_name
from llm_sockets import Tensor, decode, encode, make_socket

TIMEOUT_MS = 20_000
ADD, ABORT, STOP = b"\x00", b"\x01", b"\x02"


class Engine:
    """Computes answers in the main thread; one thread reads sockets, another one writes."""

    def __init__(self, handshake: str, index: int) -> None:
        self.index = index
        self.identity = index.to_bytes(2, "little")
        self.inputs: queue.Queue[tuple[bytes, Any]] = queue.Queue()
        self.outputs: queue.Queue[Any] = queue.Queue()
        self.context = zmq.Context()
        self.stopped = threading.Event()
        self.addresses = self._shake_hands(handshake)

    def _shake_hands(self, endpoint: str) -> dict[str, str]:
        """Say hello, get the endpoints, say that the engine is ready."""
        with make_socket(self.context, endpoint, zmq.DEALER, bind=False, identity=self.identity, linger=5000) as socket:
            socket.send(encode({"status": "HELLO", "library": library_name()})[0])
            assert socket.poll(TIMEOUT_MS), "no answer to the handshake"
            addresses = decode([socket.recv(copy=False)])
            socket.send(encode({"status": "READY"})[0])
        return addresses

    def read(self) -> None:
        """Take requests from the front and waves from the coordinator."""
        with (
            make_socket(self.context, self.addresses["input"], zmq.DEALER, bind=False, identity=self.identity) as front,
            make_socket(self.context, self.addresses["waves"], zmq.XSUB) as waves,
        ):
            front.send(b"")  # lets the front's ROUTER know this engine
            waves.send(b"\x01")
            poller = zmq.Poller()
            poller.register(front, zmq.POLLIN)
            poller.register(waves, zmq.POLLIN)
            while True:
                for socket, _ in poller.poll():
                    frames = socket.recv_multipart(copy=False)
                    if socket is waves:
                        self.outputs.put({"wave": decode(frames), "engine": self.index})
                        continue
                    kind = bytes(frames[0].buffer)
                    self.inputs.put((kind, decode(frames[1:]) if len(frames) > 1 else None))
                    if kind == STOP:
                        return

    def write(self) -> None:
        """Send outputs without copying them; memory is used again once it is on its way."""
        spare: list[bytearray] = []
        pending: deque[tuple[zmq.MessageTracker, bytearray]] = deque()
        with make_socket(self.context, self.addresses["output"], zmq.PUSH, linger=4000) as socket:
            while (output := self.outputs.get()) is not None:
                while pending and pending[0][0].done:
                    spare.append(pending.popleft()[1])
                memory = spare.pop() if spare else bytearray()
                data = output.pop("data", b"")
                memory[:] = data
                head = encode({**output, "size": len(data)})[0]
                tracker = socket.send_multipart([head, memory], copy=False, track=True)
                pending.append((tracker, memory))
            for tracker, _ in pending:
                tracker.wait(20)

    def compute(self, request: dict[str, Any], aborted: set[int]) -> None:
        """Answer with as many outputs as there are tokens to make; each has the request's data in another order."""
        tensor: Tensor = request["tensor"]
        for token in range(request["tokens"]):
            if request["number"] in aborted:
                return
            data = bytes(tensor.data) if token == 0 else b"%d" % token
            self.outputs.put({"number": request["number"], "token": token, "crc": tensor.checksum(), "data": data})
        self.outputs.put({"number": request["number"], "finished": True})

    def run(self) -> None:
        """Work until told to stop."""
        threads = [threading.Thread(target=work) for work in (self.read, self.write)]
        for thread in threads:
            thread.start()
        aborted: set[int] = set()
        while True:
            kind, value = self.inputs.get()
            if kind == STOP:
                break
            if kind == ABORT:
                aborted.add(value)
            else:
                self.compute(value, aborted)
        self.outputs.put({"stopped": self.index})
        self.outputs.put(None)
        for thread in threads:
            thread.join()
        self.context.term()


def main(handshake: str, index: str | int) -> None:
    """Run one engine."""
    Engine(handshake, int(index)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
