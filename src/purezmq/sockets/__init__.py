"""Context, Socket, Poller and proxy: what an application touches."""

__all__: list[str] = []
