"""A whole answer: the fold of its stream. Pure."""

from collections.abc import Iterable
from typing import Final

import msgspec

from lynkr_desktop.engine.chat.events import (
    Closed,
    Delta,
    Finished,
    Opened,
    OpenOpaque,
    OpenText,
    OpenThinking,
    OpenToolCall,
    Signed,
    Started,
    StopReason,
    StreamEvent,
    Usage,
)
from lynkr_desktop.engine.chat.request import OpaquePart, Part, TextPart, ThinkingPart, ToolCallPart


class ChatResponse(msgspec.Struct, frozen=True):
    """One whole answer in the order in which the model gave it."""

    id: str
    model: str
    parts: tuple[Part, ...]
    reason: StopReason
    usage: Usage
    stop_sequence: str | None = None

    @property
    def is_empty(self) -> bool:
        """Is there nothing that a client could use? Such an answer is a failure, never a success."""
        return not any(has_content(part) for part in self.parts)


def has_content(part: Part) -> bool:
    """Does a part carry anything? White space alone does not."""
    match part:
        case TextPart(text=text):
            return bool(text.strip())
        case ThinkingPart(text=text, signature=signature, redacted=redacted):
            return bool(text.strip() or signature or redacted)
        case _:
            return True


def fold(events: Iterable[StreamEvent]) -> ChatResponse:
    """The response that a finished stream adds up to. Raises `ValueError` if the stream breaks the grammar."""
    builder = ResponseBuilder()
    for event in events:
        builder.add(event)
    return builder.response()


_RUN: Final = 1024  # deltas


class ResponseBuilder:
    """Adds a stream up, event by event."""

    def __init__(self) -> None:
        self._started: Started | None = None
        self._finished: Finished | None = None
        self._open: Opened | None = None
        self._runs: list[str] = []  # of the open part's text; a long one is not joined and let go piece by piece all at once
        self._text: list[str] = []
        self._signature: str | None = None
        self._parts: list[Part] = []

    def add(self, event: StreamEvent) -> None:
        """Take one event."""
        match event:
            case Started():
                self._started = event
            case Opened():
                self._open, self._runs, self._text, self._signature = event, [], [], None
            case Delta(text=text):
                self._text.append(text)
                if len(self._text) == _RUN:
                    self._runs.append("".join(self._text))
                    self._text.clear()
            case Signed(signature=signature):
                self._signature = (self._signature or "") + signature
            case Closed():
                if self._open is None:
                    raise ValueError("a part was closed that was never opened")
                self._parts.append(self._close(self._open))
                self._open = None
            case Finished():
                self._finished = event

    def _close(self, opened: Opened) -> Part:
        text = "".join((*self._runs, *self._text))
        match opened.part:
            case OpenText():
                return TextPart(text)
            case OpenThinking(redacted=redacted):
                return ThinkingPart(text, self._signature, redacted)
            case OpenToolCall(id=call_id, name=name):
                return ToolCallPart(call_id, name, text if text.strip() else "{}")
            case OpenOpaque(kind=kind, native=native):
                return OpaquePart(kind, native)

    def response(self) -> ChatResponse:
        """The whole. Raises `ValueError` if the stream did not start or did not finish."""
        if self._started is None or self._finished is None:
            raise ValueError("the stream did not finish")
        return ChatResponse(
            id=self._started.id,
            model=self._started.model,
            parts=tuple(self._parts),
            reason=self._finished.reason,
            usage=self._started.usage.merged(self._finished.usage),
            stop_sequence=self._finished.stop_sequence,
        )
