"""How a case runs, seen from the parent: which roles start in which order and what their reports amount to.

A scenario runs one case once for one library and returns metric -> value. `cpu_send_us` and `cpu_receive_us` are
CPU microseconds (user and system, all threads) per message of the two sides.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from purezmq.cli.bench.process import WorkerFailedError, WorkerGroup, last_line
from purezmq.cli.bench.worker import MODULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.cli.bench.cases import Case

__all__ = ["SCENARIOS", "RunPlan", "Values"]

Values = dict[str, float]

#: What SNDHWM and RCVHWM have to be for "no limit"; pyomq takes 0 for its default of 1000 and drops what exceeds it.
UNLIMITED_HWM = {"pyomq": 1_000_000}

#: Probes that XPUB sends until every raw subscriber gets them.
MAXIMUM_PROBES = 10
FAN_OUT_REPETITIONS = 5
#: Seconds that a library gets to take in the last subscriptions before its memory is read.
SETTLE_TIME = 0.5


@dataclass(frozen=True)
class RunPlan:
    """What one run measures.

    Attributes:
        case: The case.
        count: Messages to measure, where the case counts messages.
        span: Seconds to measure, where it counts time.
        peers: As in the case; fewer in a quick run.
        repetitions: Imports per run.
    """

    case: Case
    count: int
    span: float
    peers: int
    repetitions: int

    def options(self, **more: Any) -> dict[str, Any]:
        """Return the options that every worker gets, with `more` of one role."""
        case = self.case
        base = {"size": case.size, "mean_size": case.mean_size, "count": self.count}
        return {**base, "span": self.span, "peers": self.peers, **more}


def run_push_pull(group: WorkerGroup, plan: RunPlan) -> Values:
    """One sender, one receiver process."""
    return run_stream(group, plan, "stream_receive", "stream_send")


def run_asyncio(group: WorkerGroup, plan: RunPlan) -> Values:
    """The same through asynchronous sockets, each in the event loop of its process."""
    return run_stream(group, plan, "asyncio_receive", "asyncio_send")


def run_curve(group: WorkerGroup, plan: RunPlan) -> Values:
    """PUSH/PULL encrypted with CURVE, or connections in bursts."""
    if plan.case.name != "curve/handshakes":
        return run_stream(group, plan, "curve_receive", "curve_send")
    bind = {"bind": group.bind_endpoint("tcp"), "bind_back": group.bind_endpoint("tcp")}
    server = group.start("curve_accept", plan.options(**bind))
    client = group.start("curve_handshakes", plan.options(**server.receive()))
    client.receive()
    before = server.ask("sample")["cpu"]
    measured = client.ask("go")
    return stream_values(measured, server.ask("sample")["cpu"] - before, measured["cpu"])


def run_stream(group: WorkerGroup, plan: RunPlan, receive_role: str, send_role: str) -> Values:
    """Stream from a worker in one role to one in the other."""
    bind = group.bind_endpoint(plan.case.transport)
    receiver = group.start(receive_role, plan.options(bind=bind))
    endpoint = receiver.receive()["endpoint"]
    sender = group.start(send_role, plan.options(endpoint=endpoint))
    received = receiver.receive()
    sent = sender.ask("stop")
    return stream_values(received, received["cpu"], sent["cpu"])


def stream_values(measured: dict[str, Any], cpu_receive: float, cpu_send: float) -> Values:
    """Return the metrics of a stream from the receiver's report and the CPU seconds of both sides."""
    count = measured["count"]
    return {
        "rate": count / measured["elapsed"],
        "elapsed_s": measured["elapsed"],
        "cpu_send_us": cpu_send / count * 1e6,
        "cpu_receive_us": cpu_receive / count * 1e6,
    }


def run_req_rep(group: WorkerGroup, plan: RunPlan) -> Values:
    """One requester, one replier process."""
    replier = group.start("echo", plan.options(bind=group.bind_endpoint(plan.case.transport)))
    requester = group.start("round_trip", plan.options(endpoint=replier.receive()["endpoint"]))
    requester.receive()
    before = replier.ask("sample")["cpu"]
    measured = requester.ask("go")
    cpu = replier.ask("sample")["cpu"] - before
    return trip_values(measured, cpu)


def trip_values(measured: dict[str, Any], cpu_receive: float) -> Values:
    """Return the metrics of round trips; CPU seconds of the requester are in its report."""
    count = measured["count"]
    return {
        "p50_us": measured["p50_us"],
        "p99_us": measured["p99_us"],
        "cpu_send_us": measured["cpu"] / count * 1e6,
        "cpu_receive_us": cpu_receive / count * 1e6,
    }


def run_inproc_stream(group: WorkerGroup, plan: RunPlan) -> Values:
    """Two threads of one process; CPU is the whole process's."""
    measured = group.start("inproc_stream", plan.options()).receive()
    return stream_values(measured, measured["cpu"], 0.0)


def run_inproc_trip(group: WorkerGroup, plan: RunPlan) -> Values:
    """Two threads of one process; CPU is the whole process's."""
    worker = group.start("inproc_trip", plan.options())
    worker.receive()
    return trip_values(worker.ask("go"), 0.0)


def run_fan_out(group: WorkerGroup, plan: RunPlan) -> Values:
    """One publisher, many subscriber processes; the clock stops when the last has its last message."""
    bind = {"bind": group.bind_endpoint("tcp"), "bind_sync": group.bind_endpoint("tcp")}
    hwm = UNLIMITED_HWM.get(group.library, 0)
    publisher = group.start("publisher", plan.options(hwm=hwm, **bind))
    options = plan.options(hwm=hwm, **publisher.receive())
    subscribers = [group.start("subscriber", options) for _ in range(plan.peers)]
    reports = [subscriber.receive() for subscriber in subscribers]
    sent = publisher.ask("stop")
    elapsed = max(report["finished"] for report in reports) - sent["started"]
    measured = {"count": plan.count * plan.peers, "elapsed": elapsed}
    return stream_values(measured, sum(report["cpu"] for report in reports), sent["cpu"])


def run_broker(group: WorkerGroup, plan: RunPlan) -> Values:
    """Client, broker and worker process; the broker's CPU is shown on the receiving side."""
    bind = {"bind": group.bind_endpoint("tcp"), "bind_back": group.bind_endpoint("tcp")}
    broker = group.start("broker", plan.options(**bind))
    endpoints = broker.receive()
    worker = group.start("worker", plan.options(endpoint=endpoints["back"]))
    client = group.start("requester", plan.options(endpoint=endpoints["endpoint"]))
    client.receive()
    before = [broker.ask("sample")["cpu"], worker.ask("sample")["cpu"]]
    measured = client.ask("go")
    cpu_broker, cpu_worker = broker.ask("sample")["cpu"] - before[0], worker.ask("sample")["cpu"] - before[1]
    return stream_values(measured, cpu_broker, measured["cpu"] + cpu_worker)


def run_xpub(group: WorkerGroup, plan: RunPlan) -> Values:
    """One XPUB with raw subscribers: memory per connection, then the time of single publications."""
    publisher = group.start("xpub", plan.options(bind="tcp://127.0.0.1:0"))
    endpoint = publisher.receive()["endpoint"]
    before = publisher.ask("memory")["resident"]
    subscribers = group.start("raw_subscribers", plan.options(endpoint=endpoint), library="raw")
    while subscribers.receive()["connected"] < plan.peers:
        publisher.ask("drain")  # a library may stop reading from its peers while subscriptions wait to be received
        subscribers.send("connect")
    time.sleep(SETTLE_TIME)
    publisher.ask("drain")
    resident = publisher.ask("memory")["resident"] - before
    for _ in range(MAXIMUM_PROBES):
        subscribers.send("probe")
        publisher.ask("publish")
        received = subscribers.receive()["received"]
        if received == plan.peers:
            break
    else:
        raise WorkerFailedError(f"xpub: a publication reached only {received} of {plan.peers} subscribers")
    times = []
    for _ in range(FAN_OUT_REPETITIONS):
        subscribers.ask("expect")
        started = publisher.ask("publish")["started"]
        report = subscribers.receive()
        if report["received"] != plan.peers:
            raise WorkerFailedError(f"xpub: lost messages, only {report['received']} of {plan.peers} arrived")
        times.append(report["finished"] - started)
    return {"kb_per_connection": resident / plan.peers / 1e3, "fan_out_ms": statistics.median(times) * 1e3}


def run_swap(group: WorkerGroup, plan: RunPlan) -> Values:
    """One process: rates into and out of the swap, also as parts of those of plain file I/O."""
    measured = group.start("swap", plan.options()).receive()
    return {
        "swap_in": measured["write"] / measured["into"],
        "swap_out": measured["read"] / measured["out"],
        "rate_in": measured["count"] / measured["into"],
        "rate_out": measured["count"] / measured["out"],
    }


def run_import(group: WorkerGroup, plan: RunPlan) -> Values:
    """Wall time of a process that imports the library, less that of one that imports nothing."""
    statement = f"import {MODULES[group.library]}"
    time_statement(statement)  # writes the byte code
    pairs = [(time_statement("pass"), time_statement(statement)) for _ in range(plan.repetitions)]
    bare, importing = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {"import_ms": (importing - bare) * 1e3}


def time_statement(statement: str) -> float:
    """Return the seconds that a fresh interpreter needs for `statement`."""
    start = time.perf_counter()
    # Every library from its cached bytecode: where the cache may not be written it's compiled at each start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", statement], capture_output=True, text=True, timeout=30, check=False, env=environment
    )
    elapsed = time.perf_counter() - start
    if done.returncode:
        raise WorkerFailedError(last_line(done.stderr))
    return elapsed


SCENARIOS: dict[str, Callable[[WorkerGroup, RunPlan], Values]] = {
    "push_pull": run_push_pull,
    "req_rep": run_req_rep,
    "inproc_stream": run_inproc_stream,
    "inproc_trip": run_inproc_trip,
    "asyncio": run_asyncio,
    "curve": run_curve,
    "fan_out": run_fan_out,
    "broker": run_broker,
    "xpub": run_xpub,
    "swap": run_swap,
    "import": run_import,
}
