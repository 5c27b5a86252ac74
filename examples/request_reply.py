"""Request-reply: a client asks, a server answers. A thread stands for the other program."""

from __future__ import annotations

from threading import Thread

import purezmq as zmq


def serve(port: int) -> None:
    """Answer each request, until an empty one comes."""
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.connect(f"tcp://127.0.0.1:{port}")
        while request := socket.recv_string():
            socket.send_string(request.upper())
        socket.send_string("good bye")


def main() -> None:
    """Start the server and ask it."""
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        server = Thread(target=serve, args=(port,))
        server.start()
        for request in ("hello", "is anybody there?", ""):
            socket.send_string(request)
            print(f"{request!r} -> {socket.recv_string()!r}")
        server.join()


if __name__ == "__main__":
    main()
