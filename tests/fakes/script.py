"""What a scripted model server answers: values only. How each vendor says it is in `anthropic_wire` and `openai_wire`."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from tests.fakes.upstream import Received


def signature_of(thinking: str) -> str:
    """The signature that the fake gives to a thought, and wants back with exactly that thought."""
    return base64.b64encode(hashlib.sha256(b"signed:" + thinking.encode()).digest() * 3).decode()


REDACTED = base64.b64encode(b"an encrypted thought").decode()


@dataclass(frozen=True, slots=True)
class Say:
    """A text part, streamed in `pieces` events."""

    text: str
    pieces: int = 2


@dataclass(frozen=True, slots=True)
class Think:
    """A reasoning part; signed where the wire signs. `is_redacted` gives only the encrypted form."""

    text: str = "Let me think."
    is_redacted: bool = False


@dataclass(frozen=True, slots=True)
class CallTool:
    """A tool call. `raw_arguments` replaces the JSON text of the arguments, for numbers that Python would change."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    id: str = "toolu_01A"
    pieces: int = 3
    raw_arguments: str = ""


Part: TypeAlias = Say | Think | CallTool


@dataclass(frozen=True, slots=True)
class Tokens:
    """Usage as told. `input` does not include the cached tokens; each vendor's wire adds them as its vendor does."""

    input: int = 12
    output: int = 7
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


class Ending(Enum):
    """How a stream ends, at the place where `Delivery` cuts it."""

    WHOLE = auto()
    ERROR_EVENT = auto()  # the vendor's own error inside the stream
    RESET = auto()  # TCP reset
    CLOSE = auto()  # an orderly close in the middle of a chunked body
    HANG = auto()  # nothing more, until the client leaves
    HOLD = auto()  # waits for `Received.release`, then goes on to the end


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the bytes of a stream travel.

    The ending comes after `cut_after` events, or before the first event that holds `cut_before`. `write_bytes` cuts the bytes
    into writes of that size; 0 writes event by event. An answer in one JSON knows only the ending, which comes in its middle.
    """

    ending: Ending = Ending.WHOLE
    cut_after: int = 0
    cut_before: bytes = b""
    write_bytes: int = 0
    gap_seconds: float = 0.0  # between two writes
    line_end: bytes = b"\n"
    has_space: bool = True  # after `data:`
    has_comments: bool = False
    has_final_blank: bool = True
    has_done: bool = True  # `[DONE]`, or `message_stop`
    content_type: str = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer. `stop` empty is what follows from the parts: END or TOOL."""

    parts: tuple[Part, ...] = (Say("pong"),)
    stop: str = ""  # "", "length", "refusal", "stop_sequence"
    tokens: Tokens = Tokens()
    delivery: Delivery = Delivery()
    is_interleaved: bool = False  # openai: fragments of parallel calls take turns
    model: str = ""  # what the server says it is; empty is the requested one


@dataclass(frozen=True, slots=True)
class Refuse:
    """An error status with the vendor's own body, or with `body`."""

    status: int
    message: str = "no"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class RawReply:
    """Bytes that are not the vendor's wire at all."""

    body: bytes
    status: int = 200
    content_type: str = "text/html"


@dataclass(frozen=True, slots=True)
class Hang:
    """No byte at all, until the client leaves."""


@dataclass(frozen=True, slots=True)
class Reset:
    """A TCP reset before the first byte."""


Step: TypeAlias = Answer | Refuse | RawReply | Hang | Reset
Scripted: TypeAlias = "Step | Callable[[Received], Step]"


def say(text: str, *, pieces: int = 2, delivery: Delivery | None = None, tokens: Tokens | None = None) -> Answer:
    """An answer of one text."""
    return Answer((Say(text, pieces),), delivery=delivery or Delivery(), tokens=tokens or Tokens())


def call(*calls: CallTool, is_interleaved: bool = False) -> Answer:
    """An answer of tool calls only."""
    return Answer(calls, is_interleaved=is_interleaved)


def first_event_is_error() -> Answer:
    """Status 200, and the first event is the vendor's overloaded error."""
    return Answer(delivery=Delivery(ending=Ending.ERROR_EVENT, cut_after=0))


def dies(ending: Ending, *, after: int) -> Answer:
    """A long text whose stream ends badly after so many events."""
    return say("one two three four five six seven eight", pieces=8, delivery=Delivery(ending=ending, cut_after=after))


EMPTY = Answer(parts=(), tokens=Tokens(output=0))
GARBAGE = RawReply(b"\x00\xff\x1b not json, not events \xfe" * 20, content_type="application/octet-stream")
HTML = RawReply(b"<html><body><h1>Welcome to nginx</h1></body></html>")
