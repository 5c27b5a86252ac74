"""Who does the I/O, and when: Leader/Followers with an I/O thread as back-stop.

A map of the room: `socket_engine` is the engine half of one socket; `lease` says who may touch its descriptors,
`leader` who waits for them; `session` carries one peer's pipe over one connection, `dialer` and `listener` make
connections; `loop` is the I/O thread. Patterns are not known here: the socket gives the engine one to talk to.
"""

from __future__ import annotations

__all__: list[str] = []
