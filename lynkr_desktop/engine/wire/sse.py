"""Server-sent events as bytes: split, and nothing else. Pure.

Follows the WHATWG HTML standard, section "Server-sent events": lines end in LF, CRLF or CR; one space after the colon is
dropped; comments are ignored; several `data` lines are joined by LF. Works on bytes, so a character cut in two survives.
One thing is kinder than the standard: a last event without its blank line is not lost.
"""

import re
from typing import Final

import msgspec

from lynkr_desktop.errors import FailureKind, UpstreamError

MAX_FRAME_BYTES: Final = 32 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_CARRIAGE_RETURN: Final = re.compile(rb"\r\n?")


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One event: its `event:` name (empty if none) and its data."""

    data: bytes
    event: str = ""


class SseSplitter:
    """Cuts a byte stream into frames. The time is linear in the bytes, however small the chunks are."""

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max_bytes = max_bytes
        self._pending: list[bytes] = []  # pieces of the event that is not whole yet, lines ending in LF
        self._pending_bytes = 0
        self._opening: bytes | None = b""  # the first bytes while they may be a byte order mark; None afterwards
        self._skips_line_feed = False  # the last chunk ended in CR: an LF now belongs to it

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that are whole now. Raises `UpstreamError(PROTOCOL)` if one grows beyond the limit."""
        if self._opening is not None:
            chunk = self._without_mark(chunk)
        if self._skips_line_feed or b"\r" in chunk:
            chunk = self._with_line_feeds(chunk)
        if not chunk:
            return []
        if self._pending:
            last = self._pending[-1]
            if b"\n\n" not in chunk and not (chunk[0] == 10 and last[-1] == 10):
                self._keep(chunk)
                return []
            chunk = b"".join((*self._pending, chunk))
            self._pending.clear()
            self._pending_bytes = 0
        blocks = chunk.split(b"\n\n")
        rest = blocks.pop()
        if rest:
            self._keep(rest)
        frames: list[Frame] = []
        for block in blocks:
            if block[:6] == b"data: " and b"\n" not in block:  # most events of most streams, so without a call
                frames.append(Frame(block[6:]))
            elif (frame := parse_block(block)) is not None:
                frames.append(frame)
        return frames

    def _without_mark(self, chunk: bytes) -> bytes:
        text = (self._opening or b"") + chunk
        if len(text) < len(_BOM) and _BOM.startswith(text):
            self._opening = text
            return b""
        self._opening = None
        return text.removeprefix(_BOM)

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        if self._skips_line_feed and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._skips_line_feed = False
        if chunk.endswith(b"\r"):
            self._skips_line_feed = True
        return _CARRIAGE_RETURN.sub(b"\n", chunk)

    def _keep(self, piece: bytes) -> None:
        self._pending.append(piece)
        self._pending_bytes += len(piece)
        if self._pending_bytes > self._max_bytes:
            raise UpstreamError(FailureKind.PROTOCOL, "The stream holds an event that is too large.")

    def close(self) -> list[Frame]:
        """What is left when the bytes end."""
        frame = parse_block(b"".join(self._pending))
        self._pending.clear()
        return [] if frame is None else [frame]


def parse_block(block: bytes) -> Frame | None:
    """One block of lines that end in LF; None if it carries no data. A name and one line of data are read without a loop."""
    if block[:7] == b"event: " and block.count(b"\n") == 1:
        end = block.index(b"\n")
        if block[end + 1 : end + 7] == b"data: ":
            return Frame(block[end + 7 :], block[7:end].decode("utf-8", "replace"))
    event = b""
    lines: list[bytes] = []
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            lines.append(value)
        elif name == b"event":
            event = value
    if not lines:
        return None
    return Frame(b"\n".join(lines), event.decode("utf-8", "replace"))
