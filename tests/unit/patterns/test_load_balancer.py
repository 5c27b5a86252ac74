from __future__ import annotations

from tests.unit.patterns.carrier import ScriptedCarrier

from purezmq.patterns.load_balancer import LoadBalancer
from purezmq.pipe import Pipe


def make_balancer(*marks: int) -> tuple[LoadBalancer, list[Pipe]]:
    balancer = LoadBalancer()
    pipes = [Pipe(ScriptedCarrier(), mark, 0) for mark in marks]
    for pipe in pipes:
        balancer.attach(pipe)
    return balancer, pipes


def test_load_balancer_sends_to_each_pipe_in_turn() -> None:
    """Round robin."""
    balancer, pipes = make_balancer(0, 0, 0)
    assert [pipes[number % 3] for number in range(7)] == [balancer.send(b"x") for _ in range(7)]


def test_load_balancer_skips_full_pipes() -> None:
    """And says None when all are full."""
    balancer, (small, large) = make_balancer(1, 3)
    assert [small, large, large, large, None] == [balancer.send(b"x") for _ in range(5)]
    assert not balancer.can_send()
    assert "all 2 peers are full" in balancer.why_blocked()
    large.outbound.clear()
    assert balancer.can_send()
    assert large is balancer.send(b"x")


def test_load_balancer_keeps_turn_when_pipe_leaves() -> None:
    """Whoever was next is still next."""
    balancer, (a, b, c) = make_balancer(0, 0, 0)
    assert a is balancer.send(b"x")
    balancer.detach(a)
    assert [b, c, b] == [balancer.send(b"x") for _ in range(3)]
    balancer.detach(a)
    balancer.detach(c)
    assert [b, b] == [balancer.send(b"x") for _ in range(2)]


def test_load_balancer_without_pipe_says_so() -> None:
    """The cause is named."""
    balancer, _ = make_balancer()
    assert (None, False, "no peer is connected") == (balancer.send(b"x"), balancer.can_send(), balancer.why_blocked())
    balancer, _ = make_balancer(1)
    balancer.send(b"x")
    assert "the only peer is full" in balancer.why_blocked()
