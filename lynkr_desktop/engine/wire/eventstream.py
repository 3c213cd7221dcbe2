"""Amazon's binary event stream, cut into frames. Only providers speak it, so nothing here puts one together.

The bytes are read by botocore, which also checks their sums. It is an extra, and takes a third of a second to import: so it is
imported with the first stream, and a client of other providers never pays for it.
"""

import base64
import binascii
import json
from typing import Any, Final

import msgspec

from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.sse import Frame

FAILURE: Final = "!"  # begins the event name of a frame that tells a failure
AWS_CHUNKS: Final = "aws_chunks"  # of InvokeModel: another vendor's events, each inside a message
_ERRORS: Final = {  # Amazon's exceptions → status and type of errors in Anthropic's wire
    "throttlingException": (429, "rate_limit_error"),
    "validationException": (400, "invalid_request_error"),
    "serviceUnavailableException": (503, "overloaded_error"),
    "modelTimeoutException": (504, "timeout_error"),
}


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


class _Chunk(msgspec.Struct, gc=False):
    bytes: str


class _Typed(msgspec.Struct, gc=False):
    type: str = ""


class _Told(msgspec.Struct, gc=False):
    message: str = ""


_CHUNK: Final = msgspec.json.Decoder(_Chunk)
_TYPED: Final = msgspec.json.Decoder(_Typed)
_TOLD: Final = msgspec.json.Decoder(_Told)


class ChunkSplitter:
    """Cuts a stream of InvokeModel into the frames that Anthropic itself would send."""

    def __init__(self) -> None:
        self._messages = EventStreamSplitter()

    def feed(self, chunk: bytes) -> list[Frame]:
        """The events that are whole now. Raises `UpstreamError(PROTOCOL)` if one is damaged."""
        try:
            return [_unpacked(frame) for frame in self._messages.feed(chunk)]
        except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError) as error:
            raise refusals.broken(str(error)) from None

    def close(self) -> list[Frame]:
        """Nothing, as with the messages themselves."""
        return []


def _unpacked(frame: Frame) -> Frame:
    if frame.event.startswith(FAILURE):
        status, kind = _ERRORS.get(frame.event.removeprefix(FAILURE), (500, "api_error"))
        words = _TOLD.decode(frame.data or b"{}").message
        error = {"type": "error", "error": {"type": kind, "message": words, "code": str(status)}}
        return Frame(json.dumps(error).encode(), "error")
    data = base64.b64decode(_CHUNK.decode(frame.data).bytes)
    return Frame(data, _TYPED.decode(data).type)
