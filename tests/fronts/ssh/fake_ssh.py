"""Plays the command `ssh`: asks for a password if told to, forwards one connection, and notes its call."""

from __future__ import annotations

import getpass
import json
import os
import re
import signal
import socket
import sys
import threading


def main():
    """Do what `ssh -f -L` does, without a server."""
    with open(os.environ["FAKE_SSH_CALL"], "a", encoding="utf-8") as file:
        file.write(json.dumps(sys.argv[1:]) + "\n")
    if os.environ.get("FAKE_SSH_UNKNOWN"):
        input("The authenticity of host 'x' can't be established. Are you sure (yes/no)? ")
    password = os.environ.get("FAKE_SSH_PASSWORD")
    if password is not None and getpass.getpass("me@host's password: ") != password:
        sys.exit("Permission denied, please try again.")
    if os.environ.get("FAKE_SSH_FAILS"):
        sys.exit("ssh: connect to host x port 22: Connection refused")
    if "-L" in sys.argv:
        forwarding = sys.argv[sys.argv.index("-L") + 1]
        host, port, far_host, far_port = re.fullmatch(r"(.+):(\d+):(.+):(\d+)", forwarding).groups()
        listener = socket.create_server((host, int(port)))
        if os.fork() == 0:
            os.setsid()
            signal.alarm(60)  # no test takes longer
            near, _ = listener.accept()
            far = socket.create_connection((far_host, int(far_port)))
            threading.Thread(target=copy, args=(near, far), daemon=True).start()
            copy(far, near)
            os._exit(0)


def copy(source, sink):
    """Pass bytes until there are no more."""
    while data := source.recv(65536):
        sink.sendall(data)


main()
