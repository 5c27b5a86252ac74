"""Tunnels: what the commands do, what is asked for, and what is refused."""

from __future__ import annotations

import json
import sys

import pytest
from tests.support import zmq

from purezmq import ssh
from purezmq.ssh import tunnel

LOOPBACK = "tcp://127.0.0.1"


@pytest.fixture
def pair(make_socket):
    """A bound REP with its port, and a REQ."""
    server, client = make_socket(zmq.REP), make_socket(zmq.REQ)
    return server, server.bind_to_random_port(LOOPBACK), client


def talk(server, client):
    """A request and its reply."""
    client.send(b"request")
    assert b"request" == server.recv()
    server.send(b"reply")
    assert b"reply" == client.recv()


def test_random_ports_are_free_and_different():
    """As many ports as asked for."""
    ports = ssh.select_random_ports(5)
    assert 5 == len(set(ports))
    assert all(1024 <= port < 65536 for port in ports)


@pytest.mark.parametrize("addr", ["ipc://x", "tcp://host", "tcp://host:port", "inproc://a"])
def test_tunnel_of_no_tcp_endpoint_is_refused(addr):
    """Only tcp endpoints with a port can be reached."""
    with pytest.raises(ValueError, match="tcp endpoint"):
        ssh.open_tunnel(addr, "host")


def test_openssh_tunnel_connects_a_socket(pair, fake_ssh):
    """The socket is connected with the endpoint behind the server, without any password."""
    server, port, client = pair
    assert 0 < ssh.tunnel_connection(
        client, f"{LOOPBACK}:{port}", "me@host:2222", keyfile="key", paramiko=False, timeout=9
    )
    talk(server, client)
    words = json.loads(fake_ssh.read_text(encoding="utf-8"))
    assert ["-p", "2222"] == words[words.index("-p") :][:2]
    assert ["-i", "key"] == words[words.index("-i") :][:2]
    assert words[words.index("-L") + 1].endswith(f":127.0.0.1:{port}")
    assert ["--", "me@host", "sleep", "9"] == words[-4:]


def test_openssh_tunnel_gives_the_password(pair, fake_ssh, monkeypatch):
    """A password that was given answers the prompt."""
    monkeypatch.setenv("FAKE_SSH_PASSWORD", "secret")
    server, port, client = pair
    ssh.tunnel_connection(client, f"{LOOPBACK}:{port}", "host", password="secret", paramiko=False)
    talk(server, client)


def test_openssh_tunnel_asks_for_the_password(pair, fake_ssh, monkeypatch):
    """A password that is wanted and was not given is asked for, again if it was wrong."""
    monkeypatch.setenv("FAKE_SSH_PASSWORD", "secret")
    answers = iter(["wrong", "secret"])
    monkeypatch.setattr(tunnel, "getpass", lambda prompt: next(answers))
    server, port, client = pair
    ssh.tunnel_connection(client, f"{LOOPBACK}:{port}", "host", paramiko=False)
    talk(server, client)


def test_openssh_tunnel_wrong_password_is_an_error(fake_ssh, monkeypatch):
    """A given password that is wrong is not asked for again."""
    monkeypatch.setenv("FAKE_SSH_PASSWORD", "secret")
    with pytest.raises(RuntimeError, match="password is wrong"):
        ssh.open_tunnel("tcp://far:1", "host", password="wrong", paramiko=False)


def test_openssh_tunnel_unknown_server_is_refused(fake_ssh, monkeypatch):
    """Nobody says yes to a key that is not known."""
    monkeypatch.setenv("FAKE_SSH_UNKNOWN", "1")
    with pytest.raises(RuntimeError, match="not known"):
        ssh.open_tunnel("tcp://far:1", "host", paramiko=False)


def test_openssh_tunnel_failure_tells_what_ssh_said(fake_ssh, monkeypatch):
    """The text of ssh is in the error."""
    monkeypatch.setenv("FAKE_SSH_FAILS", "1")
    with pytest.raises(RuntimeError, match="Connection refused"):
        ssh.open_tunnel("tcp://far:1", "host", paramiko=False)


def test_openssh_missing_is_an_error(monkeypatch, tmp_path):
    """Without the command ssh the error names the way out."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="paramiko=True"):
        ssh.open_tunnel("tcp://far:1", "host", paramiko=False)


@pytest.mark.parametrize("password", [None, "secret"])
def test_passwordless_openssh_tells_whether_one_is_needed(fake_ssh, monkeypatch, password):
    """True exactly when the login asks for nothing."""
    if password:
        monkeypatch.setenv("FAKE_SSH_PASSWORD", password)
    assert (password is None) == ssh.try_passwordless_ssh("host", None, paramiko=False)


def test_paramiko_tunnel_connects_a_socket(pair, ssh_server):
    """The socket is connected through the server, by a process that can be ended."""
    server, port, client = pair
    process = ssh.tunnel_connection(
        client, f"{LOOPBACK}:{port}", f"me@127.0.0.1:{ssh_server.port}", password="secret", paramiko=True
    )
    try:
        talk(server, client)
        assert 1 <= ssh_server.tunnels
    finally:
        process.terminate()
        process.join()


def test_passwordless_paramiko_is_false_where_a_password_is_needed(ssh_server):
    """A server that wants a password refuses the login without."""
    assert not ssh.try_passwordless_ssh(f"me@127.0.0.1:{ssh_server.port}", None, paramiko=True)


def test_paramiko_unknown_server_is_refused(ssh_server, tmp_path):
    """A server whose key is not known gets no password."""
    import paramiko

    (tmp_path / ".ssh" / "known_hosts").unlink()
    with pytest.raises(paramiko.SSHException, match="not found in known_hosts"):
        ssh.try_passwordless_ssh(f"me@127.0.0.1:{ssh_server.port}", None, paramiko=True)


@pytest.mark.parametrize(("module", "by_paramiko"), [("pexpect", False), ("paramiko", True)])
def test_missing_package_names_the_extra(fake_ssh, monkeypatch, module, by_paramiko):
    """Without pexpect or paramiko the error says what to install."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"purezmq\[ssh\]"):
        ssh.open_tunnel("tcp://far:1", "host", password="x", paramiko=by_paramiko)


@pytest.mark.parametrize(
    ("server", "expected"),
    [("me@host:2222", ("me", "host", 2222)), ("me@host", ("me", "host", 22)), ("host:2", (None, "host", 2))],
)
def test_server_is_split(server, expected):
    """user@host:port, of which user and port may be absent."""
    user, host, port = tunnel._split_server(server)
    assert expected == (user if expected[0] else None, host, port)
