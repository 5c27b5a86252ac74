"""Fixtures of the tunnels: the shared harness, an SSH server by paramiko, and an `ssh` that needs no server."""

from __future__ import annotations

import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from tests.support.fixtures import context, make_context, make_socket

__all__ = ["SshServer", "context", "fake_ssh", "make_context", "make_socket", "ssh_server"]

FAKE_SSH = Path(__file__).with_name("fake_ssh.py")


class SshServer(paramiko.ServerInterface):
    """An SSH server in a thread, whose user "me" has the password "secret" and may open tunnels."""

    def __init__(self, home: Path) -> None:
        self._key = paramiko.ECDSAKey.generate()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.tunnels = 0
        self._parts: list[object] = []
        self._home = home
        threading.Thread(target=self._accept, daemon=True).start()

    def become_known(self) -> None:
        """Write the key of the server where clients look it up."""
        folder = self._home / ".ssh"
        folder.mkdir(exist_ok=True)
        line = f"[127.0.0.1]:{self.port} {self._key.get_name()} {self._key.get_base64()}\n"
        (folder / "known_hosts").write_text(line, encoding="ascii")

    def _accept(self) -> None:
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(stream)
            self._parts.append(transport)
            transport.add_server_key(self._key)
            try:
                transport.start_server(server=self)
            except (paramiko.SSHException, EOFError, OSError):
                continue  # the client did not like the key
            threading.Thread(target=self._serve, args=(transport,), daemon=True).start()

    def _serve(self, transport: paramiko.Transport) -> None:
        while transport.is_active():
            channel = transport.accept(1)
            if channel is not None:
                threading.Thread(target=self._pass, args=(channel, self._destination), daemon=True).start()

    def _pass(self, channel: paramiko.Channel, far: tuple[str, int]) -> None:
        """Pass bytes both ways."""
        stream = socket.create_connection(far)
        threading.Thread(target=_copy, args=(channel, stream), daemon=True).start()
        _copy(stream, channel)

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == ("me", "secret")
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        self.tunnels += 1
        self._destination = destination
        return paramiko.OPEN_SUCCEEDED

    def stop(self) -> None:
        """Close everything."""
        self._listener.close()
        for part in self._parts:
            part.close()


def _copy(source: object, sink: object) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        sink.close()


@pytest.fixture
def ssh_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    """An SSH server that clients know, in a home of their own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    server = SshServer(tmp_path)
    server.become_known()
    yield server
    server.stop()


@pytest.fixture
def fake_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an `ssh` on PATH that forwards by itself, and return the path of its notes."""
    program = tmp_path / "ssh"
    program.write_text(f"#!{sys.executable}\n" + FAKE_SSH.read_text(encoding="utf-8"), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("FAKE_SSH_CALL", str(tmp_path / "call"))
    return tmp_path / "call"
