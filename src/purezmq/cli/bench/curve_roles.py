"""Roles of workers that encrypt with CURVE, through pyzmq's API. The keys are fixed: nothing here is a secret."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from purezmq.cli.bench.payload import payload_sequence
from purezmq.cli.bench.roles import bind_socket, connected_socket, count_received

if TYPE_CHECKING:
    from purezmq.cli.bench.worker import Control

__all__ = ["ROLES"]

#: Public and secret, in Z85.
SERVER = (b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", b"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")
CLIENT = (b"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", b"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")

#: Connections that are made at once.
BURST = 50


def make_server(zmq: Any, sock: Any) -> None:
    """Make a socket a CURVE server."""
    sock.setsockopt(zmq.CURVE_SERVER, 1)
    sock.setsockopt(zmq.CURVE_SECRETKEY, SERVER[1])


def make_client(zmq: Any, sock: Any) -> None:
    """Make a socket a CURVE client."""
    sock.setsockopt(zmq.CURVE_SERVERKEY, SERVER[0])
    sock.setsockopt(zmq.CURVE_PUBLICKEY, CLIENT[0])
    sock.setsockopt(zmq.CURVE_SECRETKEY, CLIENT[1])


def curve_receive(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PULL: from the first message to the last."""
    sock = zmq.Context.instance().socket(zmq.PULL)
    make_server(zmq, sock)
    control.report(endpoint=bind_socket(zmq, sock, options["bind"]))
    control.report(**count_received(sock.recv, options))


def curve_send(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PUSH; its CPU counts until everything has arrived."""
    sock = zmq.Context.instance().socket(zmq.PUSH)
    make_client(zmq, sock)
    sock.connect(options["endpoint"])
    send = sock.send
    cpu = time.process_time()
    for data in payload_sequence(options["size"], options["count"] + 1):
        send(data)
    control.wait()
    control.report(cpu=time.process_time() - cpu)


def curve_accept(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PULL: whenever all of a burst have said something, tell so; CPU is sampled by the parent."""
    sock, back = zmq.Context.instance().socket(zmq.PULL), zmq.Context.instance().socket(zmq.PUSH)
    make_server(zmq, sock)
    control.report(endpoint=bind_socket(zmq, sock, options["bind"]), back=bind_socket(zmq, back, options["bind_back"]))
    control.serve_cpu_samples()
    while True:
        for _ in range(BURST):
            sock.recv()
        back.send(b"all")


def curve_handshakes(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PUSH after PUSH, each with a burst of connections at once, of which each carries one message."""
    back = connected_socket(zmq, zmq.PULL, options["back"])

    def connect_burst() -> None:
        sock = zmq.Context.instance().socket(zmq.PUSH)
        make_client(zmq, sock)
        for _ in range(BURST):
            sock.connect(options["endpoint"])
        for _ in range(BURST):
            sock.send(b"hello")
        back.recv()
        sock.close(0)

    connect_burst()
    control.report(warm=True)
    control.wait()
    bursts = max(1, options["count"] // BURST)
    cpu, start = time.process_time(), time.perf_counter()
    for _ in range(bursts):
        connect_burst()
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    control.report(elapsed=elapsed, cpu=cpu, count=bursts * BURST)


ROLES = {role.__name__: role for role in (curve_receive, curve_send, curve_accept, curve_handshakes)}
