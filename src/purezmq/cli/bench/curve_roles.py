"""Roles of workers that encrypt with CURVE, through pyzmq's API. The keys are fixed: nothing here is a secret."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from purezmq.cli.bench.payload import payload_sequence
from purezmq.cli.bench.roles import bind_socket, count_received

if TYPE_CHECKING:
    from purezmq.cli.bench.worker import Control

__all__ = ["ROLES"]

#: Public and secret, in Z85.
SERVER = (b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", b"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")
CLIENT = (b"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", b"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")


def make_server(zmq: Any, kind: int, options: dict[str, Any], control: Control) -> Any:
    """Return a bound CURVE server; its endpoint is reported."""
    sock = zmq.Context.instance().socket(kind)
    sock.setsockopt(zmq.CURVE_SERVER, 1)
    sock.setsockopt(zmq.CURVE_SECRETKEY, SERVER[1])
    control.report(endpoint=bind_socket(zmq, sock, options["bind"]))
    return sock


def make_client(zmq: Any, kind: int, endpoint: str) -> Any:
    """Return a CURVE client connected to `endpoint`."""
    sock = zmq.Context.instance().socket(kind)
    sock.setsockopt(zmq.CURVE_SERVERKEY, SERVER[0])
    sock.setsockopt(zmq.CURVE_PUBLICKEY, CLIENT[0])
    sock.setsockopt(zmq.CURVE_SECRETKEY, CLIENT[1])
    sock.connect(endpoint)
    return sock


def curve_receive(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PULL: from the first message to the last."""
    sock = make_server(zmq, zmq.PULL, options, control)
    control.report(**count_received(sock.recv, options))


def curve_send(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PUSH; its CPU counts until everything has arrived."""
    send = make_client(zmq, zmq.PUSH, options["endpoint"]).send
    cpu = time.process_time()
    for data in payload_sequence(options["size"], options["count"] + 1):
        send(data)
    control.wait()
    control.report(cpu=time.process_time() - cpu)


def curve_accept(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """REP: answer whoever comes; CPU is sampled by the parent."""
    sock = make_server(zmq, zmq.REP, options, control)
    control.serve_cpu_samples()
    receive, send = sock.recv, sock.send
    while True:
        send(receive())


def curve_handshakes(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """REQ after REQ: connect, ask once, close."""

    def ask_once() -> None:
        sock = make_client(zmq, zmq.REQ, options["endpoint"])
        sock.send(b"hello")
        sock.recv()
        sock.close(0)

    ask_once()
    control.report(warm=True)
    control.wait()
    cpu, start = time.process_time(), time.perf_counter()
    for _ in range(options["count"]):
        ask_once()
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    control.report(elapsed=elapsed, cpu=cpu, count=options["count"])


ROLES = {role.__name__: role for role in (curve_receive, curve_send, curve_accept, curve_handshakes)}
