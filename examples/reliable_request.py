"""A request that survives its server: the first one takes the request and dies, the next one answers."""

from __future__ import annotations

from threading import Thread

import purezmq as zmq


def serve(port: int, *, dies: bool) -> None:
    """Answer one request, or take it and die of it."""
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.connect(f"tcp://127.0.0.1:{port}")
        question = socket.recv_string()
        if not dies:
            socket.send_string(question.upper())


def serve_twice(port: int) -> None:
    """A server that crashes, and the one that is started in its place."""
    serve(port, dies=True)
    serve(port, dies=False)


def main() -> None:
    """Ask when nobody is there, and when the server crashes."""
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        try:
            socket.request(b"too early", timeout=0.1, retries=1)
        except zmq.Again:
            print("nobody answered, twice")  # and the socket is ready for the next request

        servers = Thread(target=serve_twice, args=(port,))
        servers.start()
        answer = socket.request(b"is anybody there?", timeout=10.0, retries=1)
        print(f"answer: {answer!r}")
        servers.join()


if __name__ == "__main__":
    main()
