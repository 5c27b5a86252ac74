"""What the security options need, and what bind and connect say when something is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, free_endpoint, link, purezmq_only, try_recv, zmq
from tests.support.effects import effect_of
from tests.support.raw_peer import RawPeer
from tests.support.security import CLIENT_KEYS, SERVER_KEYS, security_options

from purezmq.wire.z85 import decode

MakeSocket = Callable[..., Any]

pytestmark = purezmq_only("libzmq takes an incomplete setup and tries in vain for ever")
CLIENT = security_options("CURVE", server=False)
SERVER = security_options("CURVE", server=True)

INCOMPLETE = {
    "server without its secret key": ({"curve_server": 1}, "CURVE_SECRETKEY"),
    "client without anything of its own": ({"curve_serverkey": SERVER_KEYS[0]}, "CURVE_PUBLICKEY and CURVE_SECRETKEY"),
    "client without the server's key": (
        {"curve_publickey": CLIENT_KEYS[0], "curve_secretkey": CLIENT_KEYS[1]}, "CURVE_SERVERKEY"
    ),
    "client without its secret key": (
        {"curve_publickey": CLIENT_KEYS[0], "curve_serverkey": SERVER_KEYS[0]}, "CURVE_SECRETKEY"
    ),
    "client with another's public key": ({**CLIENT, "curve_publickey": SERVER_KEYS[0]}, "public key of"),
    "no Z85 after all": ({**CLIENT, "curve_serverkey": b"#" * 40}, "Z85"),
    "GSSAPI": ({"gssapi_server": 1}, "Kerberos"),
    "GSSAPI client": ({"gssapi_principal": b"me"}, "Kerberos"),
}  # fmt: skip


@pytest.mark.parametrize("call", ["bind", "connect"])
@pytest.mark.parametrize("name", INCOMPLETE)
def test_incomplete_setup_is_refused_with_its_reason(make_socket: MakeSocket, name: str, call: str) -> None:
    """EINVAL that names the option, before anything listens or connects; libzmq would retry in vain for ever."""
    options, word = INCOMPLETE[name]
    socket = make_socket(zmq.DEALER, **options)
    endpoint = free_endpoint()
    with pytest.raises(zmq.ZMQError, match=word) as caught:
        getattr(socket, call)(endpoint)
    assert zmq.EINVAL == caught.value.errno
    with pytest.raises(ConnectionRefusedError):
        RawPeer.connect(endpoint)


@pytest.mark.parametrize("call", ["bind", "connect"])
def test_without_pynacl_the_extra_is_named(make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """ENOTSUP where CURVE is asked for, and `has` says so before."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "nacl" or "mechanisms.sodium" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nacl", None)
    socket = make_socket(zmq.DEALER, **SERVER)
    assert not zmq.has("curve")
    with pytest.raises(zmq.ZMQError, match=r"purezmq\[curve\]") as caught:
        getattr(socket, call)(free_endpoint())
    assert zmq.ENOTSUP == caught.value.errno


def test_has_curve() -> None:
    """It is there where PyNaCl is, and asking is no promise about what isn't."""
    assert (True, False) == (zmq.has("curve"), zmq.has("gssapi"))


@pytest.mark.parametrize(
    ("kind", "endpoint"), [("STREAM", "tcp://127.0.0.1:*"), ("DISH", "udp://127.0.0.1:5555")], ids=["raw", "udp"]
)
@pytest.mark.parametrize("options", [SERVER, {"plain_server": 1}, {"zap_domain": b"x"}], ids=["CURVE", "PLAIN", "ZAP"])
def test_what_has_no_handshake_refuses_security(
    make_socket: MakeSocket, kind: str, endpoint: str, options: dict[str, Any]
) -> None:
    """Nobody who asked for security gets a connection without it."""
    socket = make_socket(getattr(zmq, kind), **options)
    with pytest.raises(zmq.ZMQError, match="no handshake") as caught:
        socket.bind(endpoint)
    assert zmq.EINVAL == caught.value.errno


@pytest.mark.parametrize("text", [True, False], ids=["Z85", "bytes"])
@effect_of("CURVE_SERVER", "CURVE_PUBLICKEY", "CURVE_SECRETKEY", "CURVE_SERVERKEY")
def test_keys_as_text_and_as_bytes_make_a_curve_connection(make_socket: MakeSocket, text: bool) -> None:
    """Both forms of libzmq's options; the peer's mechanism is known to the application."""
    form = (lambda key: key) if text else decode
    pull = make_socket(zmq.PULL, curve_server=1, curve_secretkey=form(SERVER_KEYS[1]))
    push = make_socket(
        zmq.PUSH, curve_serverkey=form(SERVER_KEYS[0]),
        curve_publickey=form(CLIENT_KEYS[0]), curve_secretkey=form(CLIENT_KEYS[1]),
    )  # fmt: skip
    link(pull, push)
    push.send(b"hello")
    assert b"hello" == pull.recv()
    assert (zmq.CURVE, zmq.CURVE) == (pull.mechanism, push.mechanism)
    assert {"CURVE"} == {peer.mechanism for socket in (pull, push) for peer in socket.peers()}


@effect_of("CURVE_SERVERKEY")
def test_client_of_another_server_is_never_connected(make_socket: MakeSocket) -> None:
    """A server that isn't the one whose key the client knows gets nothing of it."""
    pull = make_socket(zmq.PULL, curve_server=1, curve_secretkey=CLIENT_KEYS[1])
    push = make_socket(zmq.PUSH, **CLIENT)
    push.connect(bind(pull, "tcp"))
    push.send(b"secret")
    eventually(lambda: pull.stats().handshake_failures)
    assert try_recv(pull) is None


@effect_of("PLAIN_SERVER", "PLAIN_USERNAME", "PLAIN_PASSWORD")
def test_plain_client_presents_name_and_password_to_libzmq(make_socket: MakeSocket, libzmq: Any) -> None:
    """libzmq's authenticator lets in whose name and password it knows, and nobody else."""
    libzmq.authenticate({"admin": "secret"}, "*")
    libzmq.open("s", "PULL", plain_server=1)
    endpoint = libzmq.bind("s", "tcp://127.0.0.1:*")
    good = make_socket(zmq.PUSH, **security_options("PLAIN", server=False))
    good.connect(endpoint)
    good.send(b"hello")
    assert [b"hello"] == libzmq.recv("s")
    bad = make_socket(zmq.PUSH, plain_username=b"admin", plain_password=b"guess")
    bad.connect(endpoint)
    bad.send(b"let me in")
    eventually(lambda: bad.stats().handshake_failures)
    assert 0 == libzmq.poll("s", 0)
    assert zmq.PLAIN == good.mechanism


@effect_of("PLAIN_SERVER", "ZAP_ENFORCE_DOMAIN", "ZAP_DOMAIN")
@pytest.mark.parametrize(
    ("server", "client"),
    [
        ({"plain_server": 1}, security_options("PLAIN", server=False)),
        ({**SERVER, "zap_enforce_domain": 1}, CLIENT),
        ({"zap_domain": b"global", "zap_enforce_domain": 1}, {}),
    ],
    ids=["PLAIN", "CURVE", "NULL"],
)
def test_without_anybody_to_ask_nobody_gets_in(
    make_socket: MakeSocket, server: dict[str, Any], client: dict[str, Any]
) -> None:
    """A server whose clients need a verdict, in a context without a ZAP handler."""
    pull = make_socket(zmq.PULL, **server)
    push = make_socket(zmq.PUSH, **client)
    push.connect(bind(pull, "tcp"))
    push.send(b"let me in")
    eventually(lambda: pull.stats().handshake_failures)
    assert try_recv(pull) is None
