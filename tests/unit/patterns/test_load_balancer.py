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


def test_load_balancer_tells_of_a_batch_once_all_is_queued() -> None:
    """Or the first message would leave alone; what doesn't fit stays with the caller."""
    balancer, (pipe,) = make_balancer(3)
    queued: list[int] = []
    pipe.carrier.handle_write = lambda told: queued.append(len(told.outbound))
    assert 3 == balancer.send_many([b"0", b"1", b"2", b"3"])
    assert ([3], [b"0", b"1", b"2"]) == (queued, pipe.outbound)


def test_load_balancer_tells_an_inproc_peer_of_each_message_of_a_batch() -> None:
    """And counts it; when the peer ends in the midst, the rest stays with the caller."""
    balancer, (pipe,) = make_balancer(0)
    pipe.count_writes()

    def handle_write(told: Pipe) -> None:
        told.ended = len(told.outbound) == 2

    pipe.carrier.handle_write = handle_write
    assert 2 == balancer.send_many([b"0", b"1", b"2"])
    assert (2, [b"0", b"1"]) == (pipe.written, pipe.outbound)
