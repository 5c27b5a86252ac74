"""circus, a process manager that is controlled and watched through 0MQ sockets on tornado, unmodified."""

from __future__ import annotations

import sys

import pytest
from tests.programs.launching import MIXES, SCRIPTS, free_port

CONFIGURATION = """\
[circus]
check_delay = 1
endpoint = {control}
pubsub_endpoint = {events}

[watcher:loop]
cmd = {python} -c "import time; time.sleep(100)"
numprocesses = 2
graceful_timeout = 5
"""


@pytest.mark.parametrize(("manager", "client"), MIXES)
def test_circus_manager_does_what_its_client_asks(stage, manager, client):
    """The manager lists, adds and stops processes, and publishes what it does."""
    control, events = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
    file = stage.folder / "circus.ini"
    file.write_text(CONFIGURATION.format(control=control, events=events, python=sys.executable))
    managing = stage.start(manager, "-m", "circus.circusd", file)
    managing.wait_for("started", "err")
    facts = stage.start(client, SCRIPTS / "circus_client.py", control, events).check()
    assert facts == {
        "library": client,
        "watchers": ["loop"],
        "watchers_on_tornado": ["loop"],
        "processes": 2,
        "more": 3,
        "action": "watcher.loop.spawn",
        "status": {"loop": "active"},
        "stopped": "ok",
    }
    managing.check()
    stage.wait_until_empty()
