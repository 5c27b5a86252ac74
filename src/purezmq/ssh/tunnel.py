"""Tunnels: a local port that OpenSSH (by pexpect) or paramiko connects with an endpoint behind an SSH server.

Both are in the extra ``ssh``, and imported when a tunnel is opened. A server whose key is not known yet is refused by
both: log in to it once by hand.
"""

from __future__ import annotations

import atexit
import os
import re
import shlex
import shutil
import sys
from getpass import getpass, getuser
from importlib import import_module
from multiprocessing import Process
from socket import socket as StreamSocket  # noqa: N812 - `socket` is a parameter of pyzmq's functions
from typing import TYPE_CHECKING, Any

from purezmq.ssh.forward import forward_tunnel

if TYPE_CHECKING:
    from types import ModuleType

    from purezmq.sockets.socket import Socket

__all__ = [
    "MaxRetryExceeded",
    "open_tunnel",
    "openssh_tunnel",
    "paramiko_tunnel",
    "select_random_ports",
    "ssh_tunnel",
    "try_passwordless_ssh",
    "tunnel_connection",
]

_PASSWORD_PROMPT = re.compile(rb"pass(word|phrase)[^\n]*:\s*$", re.IGNORECASE)
_UNKNOWN_HOST = re.compile(
    rb"authenticity of host|host key verification failed|identification has changed", re.IGNORECASE
)
#: How often it is looked whether ssh has ended, in seconds.
_LOOK_S = 0.1
#: How often a password that was typed may be wrong.
_PASSWORD_TRIES = 3


class MaxRetryExceeded(Exception):
    """No free ports were found."""


def select_random_ports(n: int) -> list[int]:
    """Find free ports of 127.0.0.1.

    Args:
        n: how many.

    Returns:
        Different ports, which are free now.
    """
    sockets = [StreamSocket() for _ in range(n)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def try_passwordless_ssh(server: str, keyfile: str | None, paramiko: bool | None = None) -> bool:
    """Whether a login works without a password.

    Args:
        server: ``host``, ``user@host`` or ``user@host:port``.
        keyfile: a private key to use, besides those of the agent and of ``~/.ssh``.
        paramiko: whether paramiko tries it; None: only on Windows, else OpenSSH does.

    Raises:
        ImportError: pexpect or paramiko is missing.
    """
    if _choose_paramiko(paramiko):
        return _try_passwordless_paramiko(server, keyfile)
    return _try_passwordless_openssh(server, keyfile)


def tunnel_connection(
    socket: Socket,
    addr: str,
    server: str,
    keyfile: str | None = None,
    password: str | None = None,
    paramiko: bool | None = None,
    timeout: int = 60,
) -> Process | int:
    """Connect a socket to an endpoint through a tunnel.

    Args:
        socket: the socket.
        addr: a tcp endpoint as the server sees it.
        server: as for `try_passwordless_ssh`.
        keyfile: the same.
        password: for the login; None: it's asked for if the server wants one.
        paramiko: the same.
        timeout: how long OpenSSH waits for the first connection, in seconds.

    Returns:
        As `open_tunnel`.

    Raises:
        As `open_tunnel`.
    """
    url, tunnel = open_tunnel(addr, server, keyfile, password, paramiko, timeout)
    socket.connect(url)
    return tunnel


def open_tunnel(
    addr: str,
    server: str,
    keyfile: str | None = None,
    password: str | None = None,
    paramiko: bool | None = None,
    timeout: int = 60,
) -> tuple[str, Process | int]:
    """Open a tunnel.

    Args:
        addr: as for `tunnel_connection`, and so is the rest.
        server: the same.
        keyfile: the same.
        password: the same.
        paramiko: the same.
        timeout: the same.

    Returns:
        The endpoint to connect to instead of `addr`, and the tunnel: a Process of paramiko or the number of OpenSSH's.

    Raises:
        ValueError: `addr` is no tcp endpoint with a port.
        RuntimeError: the login failed, or the server is not known.
        ImportError: pexpect or paramiko is missing.
    """
    found = re.fullmatch(r"tcp://(.+):([0-9]+)", addr)
    if found is None:
        raise ValueError(f"a tunnel needs a tcp endpoint with host and port (tcp://host:5555), not {addr!r}")
    (local_port,) = select_random_ports(1)
    opener: Any = paramiko_tunnel if _choose_paramiko(paramiko) else openssh_tunnel
    tunnel = opener(local_port, int(found[2]), server, found[1].strip("[]"), keyfile, password, timeout)
    return f"tcp://127.0.0.1:{local_port}", tunnel


def openssh_tunnel(
    lport: int,
    rport: int,
    server: str,
    remoteip: str = "127.0.0.1",
    keyfile: str | None = None,
    password: str | None = None,
    timeout: int = 60,
) -> int:
    """Open a tunnel by the command ``ssh``; it ends when its last connection is closed.

    Args:
        lport: the local port.
        rport: the port at the far end.
        server: ``host``, ``user@host`` or ``user@host:port``.
        remoteip: where the far end connects to.
        keyfile: a private key.
        password: for the login; None: it's asked for if the server wants one.
        timeout: how long it waits for the first connection, in seconds.

    Returns:
        The number of the process that logged in.

    Raises:
        RuntimeError: the login failed, or the server is not known.
        ImportError: pexpect is missing.
    """
    far = f"[{remoteip}]" if ":" in remoteip else remoteip
    forwarding = ["-f", "-S", "none", "-o", "ExitOnForwardFailure=yes", "-L", f"127.0.0.1:{lport}:{far}:{rport}"]
    command = _make_ssh_command(server, keyfile, forwarding, f"sleep {timeout}")
    questions = 0 if password is not None else _PASSWORD_TRIES
    while True:
        pid, failure = _log_in(command, password)
        if pid is not None:
            return pid
        if failure != "password":
            raise RuntimeError(f"tunnel by {server}: {failure}")
        if not questions:
            raise RuntimeError(f"tunnel by {server}: the password is wrong")
        questions -= 1
        password = getpass(f"{server}'s password: ")


def _make_ssh_command(server: str, keyfile: str | None, options: list[str], remote: str) -> list[str]:
    program = shutil.which("ssh")
    if program is None:
        raise RuntimeError("there is no command ssh on PATH; install OpenSSH, or use paramiko=True")
    host, colon, port = server.rpartition(":")
    words = [program, *options]
    if colon and port.isdigit():
        server = host
        words += ["-p", port]
    if keyfile:
        words += ["-i", keyfile]
    return [*words, "--", server, *shlex.split(remote)]


def _log_in(command: list[str], password: str | None) -> tuple[int | None, str]:
    """Run ssh until it has logged in and gone to the background.

    Returns:
        The number of the process; or None and why not: "password" if another one is needed, else a text.
    """
    pexpect = _load_pexpect()
    # Nobody but this process may be asked for the password.
    environment = {name: value for name, value in os.environ.items() if name != "SSH_ASKPASS"}
    process = pexpect.spawn(command[0], command[1:], env=environment, timeout=None, echo=False)
    output = b""
    given = False
    try:
        while True:
            event = process.expect([pexpect.TIMEOUT, pexpect.EOF, _PASSWORD_PROMPT, _UNKNOWN_HOST], timeout=_LOOK_S)
            if event == 0:
                # The part of ssh that stays in the background keeps the terminal open: there is no end of file then.
                if process.isalive():
                    continue
                output += process.before or b""
                break
            output += process.before or b""
            if event == 1:
                break
            if event == 3:
                return None, "the server's key is not known, or has changed; log in once by hand: ssh " + command[-3]
            if password is None or given:
                return None, "password"
            given = True
            process.sendline(password)
        process.wait() if process.isalive() else process.close()
        if process.exitstatus == 0:
            return process.pid, ""
        if given and b"denied" in output.lower():
            return None, "password"
        return None, output.decode("utf8", "replace").strip() or f"ssh ended with {process.exitstatus}"
    finally:
        process.close(force=process.exitstatus is None)


def _try_passwordless_openssh(server: str, keyfile: str | None) -> bool:
    pid, _ = _log_in(_make_ssh_command(server, keyfile, ["-f"], "true"), None)
    return pid is not None


def _try_passwordless_paramiko(server: str, keyfile: str | None) -> bool:
    module = _load_paramiko()
    try:
        _connect_paramiko(module, server, keyfile, None).close()
    except module.AuthenticationException:
        return False
    except module.SSHException as error:
        if "No authentication methods" in str(error):  # there is no key to try
            return False
        raise
    return True


def paramiko_tunnel(
    lport: int,
    rport: int,
    server: str,
    remoteip: str = "127.0.0.1",
    keyfile: str | None = None,
    password: str | None = None,
    timeout: int = 60,  # noqa: ARG001 - pyzmq's signature
) -> Process:
    """Open a tunnel by paramiko, in a process of its own, which ends with this one.

    Args:
        lport: the local port.
        rport: the port at the far end.
        server: ``host``, ``user@host`` or ``user@host:port``.
        remoteip: where the far end connects to.
        keyfile: a private key.
        password: for the login; None: it's asked for if the server wants one.
        timeout: not used; the tunnel stays open.

    Returns:
        The process; `terminate` closes the tunnel.

    Raises:
        ImportError: paramiko is missing.
    """
    _load_paramiko()
    if password is None and not _try_passwordless_paramiko(server, keyfile):
        password = getpass(f"{server}'s password: ")
    process = Process(target=_paramiko_tunnel, args=(lport, rport, server, remoteip, keyfile, password), daemon=True)
    process.start()
    atexit.register(_end_process, process)
    return process


def _paramiko_tunnel(
    lport: int, rport: int, server: str, remoteip: str, keyfile: str | None, password: str | None
) -> None:
    """Log in and serve the tunnel; the main function of its process."""
    client = _connect_paramiko(_load_paramiko(), server, keyfile, password)
    try:
        forward_tunnel(lport, remoteip, rport, client.get_transport())
    except KeyboardInterrupt:
        pass
    finally:
        client.close()


def _connect_paramiko(module: ModuleType, server: str, keyfile: str | None, password: str | None) -> Any:
    user, host, port = _split_server(server)
    client = module.SSHClient()
    client.load_system_host_keys()
    try:
        client.connect(host, port, username=user, key_filename=keyfile, look_for_keys=True, password=password)
    except BaseException:
        client.close()
        raise
    return client


def _end_process(process: Process) -> None:
    if process.is_alive():
        process.terminate()


def _split_server(server: str) -> tuple[str, str, int]:
    """Return user, host and port; the user of this process and port 22 unless `server` names others."""
    user, _, rest = server.rpartition("@")
    host, colon, port = rest.rpartition(":")
    if colon and port.isdigit():
        return user or getuser(), host, int(port)
    return user or getuser(), rest, 22


def _choose_paramiko(paramiko: bool | None) -> bool:
    return sys.platform == "win32" if paramiko is None else paramiko


def _load_pexpect() -> ModuleType:
    try:
        return import_module("pexpect")
    except ImportError as error:
        raise ImportError("a tunnel by OpenSSH needs pexpect: pip install 'purezmq[ssh]'") from error


def _load_paramiko() -> ModuleType:
    try:
        return import_module("paramiko")
    except ImportError as error:
        raise ImportError("a tunnel by paramiko needs it installed: pip install 'purezmq[ssh]'") from error


ssh_tunnel = paramiko_tunnel if sys.platform == "win32" else openssh_tunnel
