"""Amazon's binary event stream, cut into frames. Only providers speak it, so nothing here puts one together.

The bytes are read by botocore, which also checks their sums. It is an extra, and takes a third of a second to import: so it is
imported with the first stream, and a client of other providers never pays for it.
"""

import json
from typing import Any

from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.sse import Frame

FAILURE = "!"  # begins the event name of a frame that tells a failure


class EventStreamSplitter:
    """Cuts a byte stream into frames, however small its chunks are. A frame's event is its type, a failure's begins with `!`."""

    def __init__(self) -> None:
        from botocore.eventstream import EventStreamBuffer  # noqa: PLC0415  heavy and optional, see above

        self._buffer = EventStreamBuffer()

    def feed(self, chunk: bytes) -> list[Frame]:
        """The messages that are whole now. Raises `UpstreamError(PROTOCOL)` if one is damaged or too large."""
        from botocore.eventstream import ParserError  # noqa: PLC0415

        self._buffer.add_data(chunk)
        try:
            return [_frame(message.headers, message.payload) for message in self._buffer]
        except ParserError as error:
            raise refusals.broken(str(error)) from None

    def close(self) -> list[Frame]:
        """Nothing: half a message is none, and the answer's parser misses its end."""
        return []


def _frame(headers: dict[str, Any], payload: bytes) -> Frame:
    match headers.get(":message-type"):
        case "exception":
            return Frame(payload, f"{FAILURE}{headers.get(':exception-type', '')}")
        case "error":
            text = json.dumps({"message": str(headers.get(":error-message", ""))})
            return Frame(text.encode(), f"{FAILURE}{headers.get(':error-code', '')}")
        case _:
            return Frame(payload, str(headers.get(":event-type", "")))
