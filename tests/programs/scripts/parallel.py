"""An ipyparallel cluster: a controller with its schedulers, two engines, and a client that uses them."""

from __future__ import annotations

import sys
from typing import Any

import ipyparallel
from facts import library_name, tell

TIMEOUT_S = 30


def engine_library(_: Any = None) -> str:
    """Run on an engine."""
    import sys

    import zmq  # noqa: F401 - it is loaded there anyway

    return "purezmq" if sys.modules["zmq"] is sys.modules.get("purezmq") else "zmq"


def square(number: int) -> int:
    """Run on an engine."""
    return number * number


def divide(number: int) -> float:
    """Run on an engine; fails."""
    return number / 0


def use(client: ipyparallel.Client) -> None:
    """Do what a cluster is for."""
    direct = client[:]
    direct.block = True
    tell("libraries", [library_name(), *direct.apply(engine_library)])
    direct["shared"] = list(range(10))
    tell("pushed", direct["shared"] == [list(range(10))] * 2)
    tell("map", direct.map(square, range(50)) == [number * number for number in range(50)])

    balanced = client.load_balanced_view()
    tell("balanced", list(balanced.map_async(square, range(100), chunksize=5)) == [n * n for n in range(100)])
    results = [balanced.apply_async(engine_library) for _ in range(20)]
    tell("tasks", {result.get(TIMEOUT_S) for result in results} == {library_name()})

    tell("bytes", direct.apply(len, b"x" * 5_000_000))
    try:
        direct.apply(divide, 1)
    except ipyparallel.CompositeError as error:
        tell("errors", [name for name, *_ in error.elist])

    result = direct.execute("print('out', shared[0])", block=False)
    result.get(TIMEOUT_S)
    result.wait_for_output(TIMEOUT_S)
    tell("output", result.stdout)

    everywhere = client.broadcast_view()
    tell("broadcast", everywhere.apply_sync(engine_library) == [library_name()] * 2)
    tell("queues", sorted(set(client.queue_status()) - {"unassigned"}))


def main(folder: str) -> None:
    """Start the cluster, use it, stop it."""
    # An engine counts as registered with its second heartbeat: every 3 s by default.
    options = {"profile_dir": folder, "log_level": 40, "controller_args": ["--HeartMonitor.period=500"]}
    cluster = ipyparallel.Cluster(n=2, send_engines_connection_env=True, **options)
    with cluster as client:
        client.wait_for_engines(2, timeout=TIMEOUT_S, interactive=False)
        use(client)
    tell("stopped", True)


if __name__ == "__main__":
    main(*sys.argv[1:])
