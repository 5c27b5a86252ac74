"""What a mechanism does to every frame after its handshake. The interface only; ``curve_cipher`` is one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from typing_extensions import Buffer

    from purezmq.wire.error import RemoteProtocolError

    Message = bytes | list[bytes]

__all__ = ["FrameCipher"]


class FrameCipher:
    """Seals the frames of one connection on their way out and opens them on their way in, each exactly once, in order.

    The methods for one frame are the plain reference, and for commands; those for batches are their hot twins.

    Attributes:
        overhead: bytes by which a frame's body grows.
    """

    overhead: ClassVar[int]

    __slots__ = ()

    def encode_frame(self, flags: int, body: bytes) -> tuple[int, bytes]:
        """Seal one frame.

        Args:
            flags: MORE or COMMAND or 0.
            body: the body.

        Returns:
            Flags and body as they go on the wire.

        Raises:
            OverflowError: no frame can be sealed any more.
        """
        raise NotImplementedError

    def decode_frame(self, flags: int, body: bytes) -> tuple[int, bytes]:
        """Open one frame.

        Args:
            flags: the flags of the frame as received.
            body: its body.

        Returns:
            The flags (MORE, COMMAND) and the body that were sealed.

        Raises:
            RemoteProtocolError: the frame is malformed, not authentic, or was there before.
        """
        raise NotImplementedError

    def encode_batch(self, messages: Sequence[Message]) -> list[Buffer]:
        """Seal and encode messages.

        Args:
            messages: a list or tuple; each a single body or a list of parts.

        Returns:
            Chunks to send, in order.

        Raises:
            OverflowError: no frame can be sealed any more.
        """
        raise NotImplementedError

    def open_batch(self, frames: list[bytes]) -> tuple[bytes, list[bytes], RemoteProtocolError | None]:
        """Open the bodies of frames that came without flags.

        Args:
            frames: bodies of frames, in order.

        Returns:
            A byte of flags (MORE, COMMAND) for each frame opened, their bodies, and what is wrong with the next one.
        """
        raise NotImplementedError

    def open_run(
        self, data: bytes, start: int, stride: int, header_size: int, room: int, limit: int
    ) -> tuple[bytes, list[bytes], None] | None:
        """Open frames that lie at equal distances in what was received, as far as they do.

        Args:
            data: bytes received.
            start: where the first frame's header is.
            stride: from one frame to the next.
            header_size: bytes of each header; all must be the same as the first.
            room: frames that there are bytes for.
            limit: most frames to open.

        Returns:
            As `open_batch`, for as many frames as are opened. None, and nothing has changed, where that isn't possible:
            there is none, or something is wrong with one of them.
        """
        raise NotImplementedError

    def open_whole(self, data: bytes) -> bytes | None:
        """Open a frame that is all that was received: the short way for a large one.

        Args:
            data: the frame, which is long, with its header.

        Returns:
            A message of one part. None, and nothing has changed, where it isn't that, or something is wrong with it.
        """
        raise NotImplementedError
