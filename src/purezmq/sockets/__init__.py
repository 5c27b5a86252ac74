"""Context, Socket, Poller and proxy: what an application touches."""
