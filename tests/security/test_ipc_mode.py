"""`ipc_mode`: which users may connect to an ipc endpoint (S15)."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support import ipc_path, purezmq_only, zmq

MakeSocket = Callable[..., Any]

pytestmark = [
    purezmq_only("libzmq makes the file as the umask says"),
    pytest.mark.skipif(sys.platform == "win32", reason="no permissions there"),
]


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Each umask in turn."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666, None])
def test_s15_file_has_the_mode_whatever_the_umask(make_socket: MakeSocket, umask: int, mode: int | None) -> None:
    """Its owner's by default; None leaves it to the umask."""
    pull, path = make_socket(zmq.PULL), ipc_path()
    assert 0o600 == pull.ipc_mode
    if mode != 0o600:
        pull.ipc_mode = mode
    pull.bind(f"ipc://{path}")
    assert (0o777 & ~umask if mode is None else mode) == stat.S_IMODE(os.stat(path).st_mode)


def test_s15_file_never_had_more_permissions(make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for a moment: nobody who is quick gets in."""
    if sys.platform != "linux":
        pytest.skip("there the mode is set behind the bind, before anybody can connect")
    pull, path = make_socket(zmq.PULL), ipc_path()

    def refuse(*_: Any) -> None:
        raise AssertionError("the mode was set later")

    monkeypatch.setattr("os.chmod", refuse)
    before = os.umask(0)
    try:
        pull.bind(f"ipc://{path}")
    finally:
        os.umask(before)
    assert 0o600 == stat.S_IMODE(os.stat(path).st_mode)


@pytest.mark.skipif(not hasattr(os, "fork") or os.geteuid() != 0, reason="it becomes another user, as root may")
@pytest.mark.parametrize("mode", [0o600, 0o666])
def test_s15_other_users_connect_where_the_mode_says_so(make_socket: MakeSocket, mode: int) -> None:
    """The user nobody, by the system's own call."""
    import socket

    pull, path = make_socket(zmq.PULL), ipc_path()
    pull.ipc_mode = mode
    pull.bind(f"ipc://{path}")
    os.chmod(os.path.dirname(path), 0o755)
    child = os.fork()
    if child == 0:
        code = 2
        try:
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
            code = 0
        except PermissionError:
            code = 1
        finally:
            os._exit(code)
    assert (1 if mode == 0o600 else 0) == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_ipc_mode_is_checked(make_socket: MakeSocket) -> None:
    """A number of permissions, or None; what is refused changes nothing."""
    pull = make_socket(zmq.PULL)
    for wrong in ("600", 1.5, True):
        with pytest.raises(TypeError):
            pull.ipc_mode = wrong
    for wrong in (-1, 0o1000):
        with pytest.raises(zmq.ZMQError) as caught:
            pull.ipc_mode = wrong
        assert zmq.EINVAL == caught.value.errno
    assert 0o600 == pull.ipc_mode


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A umask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


def refuse_mode(*_: Any, **__: Any) -> None:
    """A file system that has no permissions to change."""
    raise PermissionError(1, "Operation not permitted")


def ignore_mode(*_: Any, **__: Any) -> None:
    """A file system that says yes, and changes nothing."""


@pytest.mark.parametrize("change", [refuse_mode, ignore_mode])
def test_s15_bind_goes_on_with_fewer_permissions(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, change: Callable[..., None]
) -> None:
    """Where the mode can't be widened, nobody comes in who shouldn't; libzmq would bind as well."""
    pull, path = make_socket(zmq.PULL), ipc_path()
    pull.ipc_mode = 0o666
    before = os.umask(0o077)
    monkeypatch.setattr("os.chmod", change)
    try:
        pull.bind(f"ipc://{path}")
    finally:
        os.umask(before)
    assert 0 == stat.S_IMODE(os.stat(path).st_mode) & 0o077
    push = make_socket(zmq.PUSH)
    push.connect(f"ipc://{path}")
    push.send(b"x")
    assert b"x" == pull.recv()


@pytest.mark.parametrize("change", [refuse_mode, ignore_mode])
def test_s15_bind_fails_with_more_permissions(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, open_umask: None, change: Callable[..., None]
) -> None:
    """Where they can't be taken away it's told, with what helps, and nothing is left; None takes what comes."""
    pull, path = make_socket(zmq.PULL), ipc_path()
    monkeypatch.setattr("os.fchmod", refuse_mode)
    monkeypatch.setattr("os.chmod", change)
    with pytest.raises(zmq.ZMQError, match="mode 0o777, and not 0o600; set ipc_mode") as caught:
        pull.bind(f"ipc://{path}")
    assert errno.EPERM == caught.value.errno
    assert not os.path.exists(path)
    pull.ipc_mode = None
    pull.bind(f"ipc://{path}")


def test_s15_link_in_place_of_the_file_is_not_followed(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may write in the directory can't have the mode of another file changed."""
    pull, path = make_socket(zmq.PULL), ipc_path()
    pull.ipc_mode = 0o666
    secret = ipc_path()
    with open(secret, "w") as file:
        os.fchmod(file.fileno(), 0o600)
    change = os.chmod

    def swap(*args: Any, **kwargs: Any) -> None:
        os.unlink(path)
        os.symlink(secret, path)
        change(*args, **kwargs)

    before = os.umask(0o077)
    monkeypatch.setattr("os.chmod", swap)
    try:
        with pytest.raises(zmq.ZMQError) as caught:
            pull.bind(f"ipc://{path}")
    finally:
        os.umask(before)
    assert zmq.EADDRINUSE == caught.value.errno
    assert os.path.islink(path)
    assert 0o600 == stat.S_IMODE(os.stat(secret).st_mode)
