"""How a vendor's stream is cut into frames and put together again: server-sent events, or lines of JSON. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from lynkr_desktop.engine.wire.sse import MAX_FRAME_BYTES, Frame, SseSplitter
from lynkr_desktop.errors import FailureKind, UpstreamError


class Splitter(Protocol):
    """Cuts a byte stream into frames, however small its chunks are."""

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that are whole now. Raises `UpstreamError(PROTOCOL)` if one grows beyond the limit."""
        ...

    def close(self) -> list[Frame]:
        """What is left when the bytes end."""
        ...


class LineSplitter:
    """One frame for each line that is not blank."""

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max_bytes = max_bytes
        self._pending: list[bytes] = []
        self._pending_bytes = 0

    def feed(self, chunk: bytes) -> list[Frame]:
        """The lines that are whole now. Raises `UpstreamError(PROTOCOL)` if one grows beyond the limit."""
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join((*self._pending, lines[0]))
            self._pending.clear()
            self._pending_bytes = 0
        if rest:
            self._pending.append(rest)
            self._pending_bytes += len(rest)
            if self._pending_bytes > self._max_bytes:
                raise UpstreamError(FailureKind.PROTOCOL, "The stream holds a line that is too large.")
        return [Frame(line) for line in lines if line.strip()]

    def close(self) -> list[Frame]:
        """A last line without its end."""
        line = b"".join(self._pending)
        self._pending.clear()
        return [Frame(line)] if line.strip() else []


@dataclass(frozen=True, slots=True)
class Framing:
    """One way to frame a stream. `ends` are the bytes that may end a frame, `framed` puts one together again."""

    name: str
    splitter: Callable[[], Splitter]
    ends: tuple[bytes, ...]
    framed: Callable[[Frame], bytes]


def _event(frame: Frame) -> bytes:
    name = b"event: %b\n" % frame.event.encode() if frame.event else b""
    return b"%bdata: %b\n\n" % (name, frame.data.replace(b"\n", b"\ndata: "))


def _line(frame: Frame) -> bytes:
    return frame.data + b"\n"


SSE: Final = Framing("sse", SseSplitter, (b"\n\n", b"\r\n\r\n", b"\r\r"), _event)
NDJSON: Final = Framing("ndjson", LineSplitter, (b"\n",), _line)
JSON_ARRAY: Final = "json_array"  # Gemini's stream without `alt=sse`: clients may want it, providers are never asked for it
CONTENT_TYPES: Final = {
    SSE.name: "text/event-stream; charset=utf-8",
    NDJSON.name: "application/x-ndjson",
    JSON_ARRAY: "application/json; charset=utf-8",
}
