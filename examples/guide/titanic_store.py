"""What titanic keeps on disk: a file for each request, and one for its reply. A crash leaves whole files only."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

__all__ = ["Store"]

_LENGTH_SIZE = 4


class Store:
    """Requests and their replies, in a folder.

    Args:
        folder: exists, and is nobody else's.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def add_request(self, parts: list[bytes]) -> str:
        """Keep a request, and return the name that it has from now on."""
        name = uuid4().hex
        self._write(f"{name}.request", parts)
        return name

    def add_reply(self, name: str, parts: list[bytes]) -> None:
        """Keep the reply to a request, unless the request was closed meanwhile."""
        if self._path(name, "request").exists():
            self._write(f"{name}.reply", parts)

    def get_request(self, name: str) -> list[bytes] | None:
        """Return a request, or None when there is none of this name."""
        return self._read(self._path(name, "request"))

    def get_reply(self, name: str) -> list[bytes] | None:
        """Return the reply to a request, or None as long as there is none."""
        return self._read(self._path(name, "reply"))

    def close(self, name: str) -> None:
        """Forget a request and its reply."""
        for kind in ("request", "reply"):
            self._path(name, kind).unlink(missing_ok=True)

    def unanswered(self) -> list[str]:
        """Return the names of the requests that have no reply."""
        names = [path.stem for path in self._folder.glob("*.request")]
        return [name for name in names if not self._path(name, "reply").exists()]

    def _path(self, name: str, kind: str) -> Path:
        if not name.isalnum():  # it comes from a client, and must not lead out of the folder
            raise ValueError(f"not a name of a request: {name!r}")
        return self._folder / f"{name}.{kind}"

    def _write(self, name: str, parts: list[bytes]) -> None:
        path = self._folder / name
        draft = path.with_suffix(f"{path.suffix}.draft")
        with draft.open("wb") as file:
            for part in parts:
                file.write(len(part).to_bytes(_LENGTH_SIZE, "big") + part)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def _read(self, path: Path) -> list[bytes] | None:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        parts = []
        while data:
            end = _LENGTH_SIZE + int.from_bytes(data[:_LENGTH_SIZE], "big")
            parts.append(data[_LENGTH_SIZE:end])
            data = data[end:]
        return parts
