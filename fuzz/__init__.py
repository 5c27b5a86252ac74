"""Coverage-guided fuzzing of everything that takes bytes of a stranger.

A *target* is a module of `fuzz.targets`: it runs one input and raises when the library does what it must never do.
`fuzz.model` says in plain words what the wire must make of a stream, `fuzz.driving` plays both sides of a connection,
`fuzz.run` drives the targets with atheris, `fuzz.planted` shows that they find bugs. The replay of the committed corpus
(tests/fuzz) needs none but the standard library.

::

    python -m fuzz.run --seconds 60              every target, two at a time
    python -m fuzz.run --runs 1000000 zmtp_v1v2  one of them
    python -m fuzz.run --in-all 10000000         go on until each target has had so many, with those of earlier runs
    python -m fuzz.planted                       plant bugs, and measure how long each lives
"""

from __future__ import annotations

__all__: list[str] = []
