"""A load test without a network: ten users make fifty requests each, and tell their worker's library."""

from __future__ import annotations

from typing import Any

from facts import library_name, tell
from locust import User, constant, events, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

REQUESTS_PER_USER = 50


@events.test_start.add_listener
def on_test_start(environment: Any, **_: Any) -> None:
    """Tell which library this process runs on; the master sends each worker a message of its own."""
    tell("library", library_name())
    if isinstance(environment.runner, MasterRunner):
        for number, client in enumerate(environment.runner.clients):
            environment.runner.send_message("share", {"number": number}, client_id=client)


@events.init.add_listener
def on_init(environment: Any, **_: Any) -> None:
    """Listen to custom messages, which go both ways."""
    if isinstance(environment.runner, WorkerRunner):

        def on_share(environment: Any, msg: Any, **_: Any) -> None:
            environment.runner.send_message("share_taken", msg.data)

        environment.runner.register_message("share", on_share)
    if isinstance(environment.runner, MasterRunner):
        taken: list[int] = []

        def on_taken(environment: Any, msg: Any, **_: Any) -> None:
            taken.append(msg.data["number"])
            tell("shares", sorted(taken))

        environment.runner.register_message("share_taken", on_taken)


class Visitor(User):
    """Makes its requests, then stops."""

    wait_time = constant(0.01)

    def on_start(self) -> None:
        self.made = 0

    @task
    def visit(self) -> None:
        """Report one request; each tenth one fails."""
        self.made += 1
        failure = ValueError("each tenth") if self.made % 10 == 0 else None
        self.environment.events.request.fire(
            request_type="GET",
            name="/page",
            response_time=self.made,
            response_length=100,
            exception=failure,
            context={},
        )
        if self.made == REQUESTS_PER_USER:
            raise StopUser
