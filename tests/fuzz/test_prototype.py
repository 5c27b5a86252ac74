"""A copy of a connection is what a connection is that came to the same state by itself."""

from __future__ import annotations

import socket
from types import MethodType
from typing import TYPE_CHECKING, Any

import pytest
from fuzz.curve import HANDSHAKE, CurvePeer, Session, begin_session
from fuzz.driving import copy_connection, drive, open_connection
from fuzz.prototype import Prototype, attributes
from fuzz.targets import curve_client, curve_server, plain, zmtp_client, zmtp_server
from fuzz.zmtp import PREFIXES, Setting, prefixes_of

from purezmq.wire.config import ConnectionConfig
from purezmq.wire.framing import encode_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

_SETTINGS = [(setting, True) for setting in zmtp_server.SETTINGS] + [
    (setting, False) for setting in zmtp_client.SETTINGS
]


def _state(item: Any) -> Any:
    """All that an object holds, as deep as it goes, to be compared."""
    if isinstance(item, ConnectionConfig):
        return id(item)  # settings are shared
    if isinstance(item, MethodType):
        return item.__name__, _state(item.__self__)
    if isinstance(item, dict):
        return {name: _state(value) for name, value in item.items()}
    if isinstance(item, (list, tuple)):
        return [_state(value) for value in item]
    if type(item).__name__ == "deque":
        return "deque", [_state(value) for value in item]
    if isinstance(item, BaseException):
        return type(item), item.args
    if type(item).__module__.startswith(("purezmq.wire", "fuzz.")) and attributes(item):
        return type(item), {name: _state(value) for name, value in attributes(item).items()}
    return item


def _prefixed() -> Iterator[Any]:
    for setting, bound in _SETTINGS:
        for name in PREFIXES:
            if not setting.verdict or name in ("nothing", "3.1", "3.0"):
                yield pytest.param(setting, bound, name, id=f"{setting.config.socket_type}-{setting.verdict}-{name}")


@pytest.mark.parametrize(("setting", "bound", "name"), list(_prefixed()))
def test_copied_connection_is_as_one_that_was_driven_there(setting: Setting, bound: bool, name: str) -> None:
    """Attribute by attribute, and again after a copy was used: copies share nothing that changes."""
    prefix = prefixes_of(setting.peer)[name]
    expected = _state(open_connection(setting.config, bound=bound, prefix=prefix))
    used = copy_connection(setting.config, bound=bound, prefix=prefix)
    assert expected == _state(used)
    drive(used, [encode_frame(1, b"part"), encode_frame(0, b"end") * 3, b"\x04"])
    used.close()
    assert expected == _state(copy_connection(setting.config, bound=bound, prefix=prefix))


@pytest.mark.parametrize("role", range(len(plain.CONFIGS)))
def test_copied_plain_connection_is_as_one_that_was_driven_there(role: int) -> None:
    """The same with a mechanism that waits for a command."""
    config = plain.CONFIGS[role]
    prefix = plain.PEER_GREETINGS[config.as_server]
    expected = _state(open_connection(config, bound=config.as_server, prefix=prefix))
    assert expected == _state(copy_connection(config, bound=config.as_server, prefix=prefix))


@pytest.mark.parametrize("ready", [False, True])
@pytest.mark.parametrize("as_server", [False, True])
def test_begun_curve_session_is_as_one_that_was_played(as_server: bool, ready: bool) -> None:
    """Keys, nonces and ciphers of both sides are those of a handshake, however often a session was begun and played."""
    config = curve_client.CONFIG if as_server else curve_server.CONFIGS[False]
    played = Session(config, as_server=as_server)
    if ready:
        played.play(HANDSHAKE, None)
        assert played.connection.ready
    for _ in range(2):
        begun = begin_session(config, None, as_server=as_server, ready=ready)
        assert _state(played) == _state(begun)
        begun.play(b"\2\0\0\3one" if ready else HANDSHAKE, None)
        assert _state(played) != _state(begun)


def test_prototype_of_what_is_not_known_is_refused() -> None:
    """An attribute that is neither immutable nor known would be shared by all copies."""
    peer = CurvePeer(as_server=True)
    first, second = socket.socketpair()
    with first, second:
        peer.extra = first  # type: ignore[attr-defined]
        with pytest.raises(TypeError, match="nobody knows how to copy"):
            Prototype(peer)
    peer.extra = [[b"a list in a list"]]  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="nobody knows how to copy what is in extra"):
        Prototype(peer)
