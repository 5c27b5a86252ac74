"""Tornado programs written as pyzmq's documentation says: ZMQStream, its callbacks, and the loop's own timers."""

from __future__ import annotations

import pytest
from tests.programs.launching import MIXES, SCRIPTS, free_port
from tests.support.library import LIBRARY

# (library of the service, library of the client, transport)
CASES = [(*mix, "tcp") for mix in MIXES] + [(LIBRARY, LIBRARY, "ipc")]


@pytest.mark.parametrize(("service", "client", "transport"), CASES)
def test_stream_service_and_client_pass_every_message(stage, service, client, transport):
    """Requests, publications and uncopied pushes all arrive, in order, and both processes end cleanly."""
    names = ("replies", "publications", "sink")
    endpoints = [
        f"tcp://127.0.0.1:{free_port()}" if transport == "tcp" else f"ipc://{stage.folder / name}" for name in names
    ]
    serving = stage.start(service, SCRIPTS / "stream_service.py", *endpoints)
    serving.wait_for("fact ready")
    facts = stage.start(client, SCRIPTS / "stream_client.py", *endpoints).check()
    assert facts == {
        "libraries": [client, service],
        "echoes": 500,
        "text": "größer",
        "object": True,
        "ticks_in_order": True,
        "topics": ["tick"],
        "sink": [200, True],
        "sent": 200,
        "poll_nothing": [],
        "stop": "stopping",
        "terminated": True,
    }
    assert serving.check() == {"ready": True, "sent_at_least_ticks": True, "terminated": True}
    stage.wait_until_empty()
