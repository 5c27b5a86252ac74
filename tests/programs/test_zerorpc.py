"""A zerorpc service and its client (gevent on pyzmq's Context and Socket as base classes), unmodified."""

from __future__ import annotations

import pytest
from tests.programs.launching import MIXES, SCRIPTS, free_port
from tests.support.library import LIBRARY

# (library of the service, library of the client, transport)
CASES = [(*mix, "ipc" if mix == (LIBRARY, LIBRARY) else "tcp") for mix in MIXES]


@pytest.mark.parametrize(("service", "client", "transport"), CASES)
def test_zerorpc_service_answers_its_client(stage, service, client, transport):
    """Calls, remote errors, streams, concurrent calls, timeouts, publications, and heartbeats that miss a peer."""
    names = ("calls", "publisher")
    endpoints = [
        f"tcp://127.0.0.1:{free_port()}" if transport == "tcp" else f"ipc://{stage.folder / name}" for name in names
    ]
    serving = stage.start(service, SCRIPTS / "zerorpc_service.py", *endpoints)
    serving.wait_for("fact ready")
    facts = stage.start(client, SCRIPTS / "zerorpc_client.py", *endpoints, str(serving.process.pid)).check()
    assert facts == {
        "libraries": [client, service],
        "sum": [3, "ab", [1, 2]],
        "big": True,
        "remote_error": "RemoteError ValueError on purpose",
        "no_such_method": ["RemoteError", "NameError"],
        "stream_in_order": True,
        "concurrent": [True, True],
        "interleaved": True,
        "timeout": "TimeoutExpired",
        "works_after_timeout": 4,
        "published": True,
        "heartbeat_seen": "slept",
        "heartbeat_lost": "LostRemote",
        "works_again": 6,
    }
    assert serving.check() == {"ready": True, "stopped": True}
    stage.wait_until_empty()
