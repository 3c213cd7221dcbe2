"""The canonical stream: what a model answers, piece by piece. Values only.

Grammar:  Started (Opened Delta* Closed)* Finished, at most one part open at a time.
A vendor that interleaves parallel tool calls is untangled by its own parser, so that no renderer needs flags.
"""

from enum import StrEnum

import msgspec

from lynkr_desktop.engine.chat.request import Native


class StopReason(StrEnum):
    """Why the model stopped."""

    END = "end"  # it was done
    TOOL_CALLS = "tool_calls"  # it waits for tools
    LENGTH = "length"  # the output limit
    STOP_SEQUENCE = "stop_sequence"
    REFUSAL = "refusal"  # content policy
    PAUSE = "pause"  # a long turn to be continued by sending it back
    CONTEXT = "context"  # the context window is full


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one exchange. None is "not told", which is not zero.

    `input_tokens` does not include what was read from or written to the provider's cache; `output_tokens` includes reasoning.
    `cost_usd` is the provider's own figure (a decimal number as text) where it gives one.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None  # both buckets
    cache_write_1h_tokens: int | None = None  # of which are kept for an hour
    reasoning_tokens: int | None = None
    cost_usd: str | None = None

    def merged(self, newer: "Usage") -> "Usage":
        """This usage overridden by every figure that the newer one tells; a zero never overwrites a figure."""
        if newer == _UNTOLD:
            return self
        if self == _UNTOLD:
            return newer
        changes = {name: new for name in self.__struct_fields__ if (new := getattr(newer, name)) or getattr(self, name) is None}
        return msgspec.structs.replace(self, **changes)


_UNTOLD = Usage()


class Started(msgspec.Struct, frozen=True):
    """The first event. `id` is the provider's name for the answer, `model` what it says it is."""

    id: str
    model: str
    usage: Usage = Usage()


class OpenText(msgspec.Struct, frozen=True):
    """A text part begins."""


class OpenThinking(msgspec.Struct, frozen=True):
    """A reasoning part begins. `redacted` holds encrypted reasoning, which has no text."""

    redacted: str | None = None


class OpenToolCall(msgspec.Struct, frozen=True):
    """A tool call begins; its arguments follow as deltas of JSON text."""

    id: str
    name: str


class OpenOpaque(msgspec.Struct, frozen=True):
    """A whole block that only its own wire understands; no deltas."""

    kind: str
    native: Native


class Opened(msgspec.Struct, frozen=True):
    """A part begins."""

    part: OpenText | OpenThinking | OpenToolCall | OpenOpaque

    @property
    def is_shell(self) -> bool:
        """Is nothing in it yet? Then its first delta is the first that a client can use."""
        part = self.part
        return isinstance(part, OpenText) or (isinstance(part, OpenThinking) and part.redacted is None)


class Delta(msgspec.Struct, frozen=True):
    """More of the open part: its text, its reasoning, or its arguments as JSON text. Never empty."""

    text: str


class Signed(msgspec.Struct, frozen=True):
    """The signature of the open reasoning part; after its last delta."""

    signature: str


class Closed(msgspec.Struct, frozen=True):
    """The open part is whole. `is_complete` is false for a tool call that was cut off by the output limit."""

    is_complete: bool = True


class Finished(msgspec.Struct, frozen=True):
    """The last event."""

    reason: StopReason
    usage: Usage = Usage()
    stop_sequence: str | None = None


StreamEvent = Started | Opened | Delta | Signed | Closed | Finished
