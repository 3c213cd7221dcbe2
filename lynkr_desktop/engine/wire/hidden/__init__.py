"""What servers leave in an answer's text although it is something else: printed tool calls, leaked reasoning. Pure.

Sits between a provider's parser and everything after it, for providers and models whose quirks say so. Knows no vendor's JSON:
events in, events out.
"""

from collections.abc import Callable, Mapping, Sequence

from lynkr_desktop.engine.chat.events import StreamEvent
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.wire.contract import Quirks, StreamParser
from lynkr_desktop.engine.wire.hidden.calls import read_calls
from lynkr_desktop.engine.wire.hidden.known_tools import KnownTools
from lynkr_desktop.engine.wire.hidden.pieces import Pieces
from lynkr_desktop.engine.wire.hidden.rewriter import Rewriter
from lynkr_desktop.engine.wire.hidden.source import Source
from lynkr_desktop.engine.wire.hidden.thoughts import read_thoughts
from lynkr_desktop.engine.wire.sse import Frame


class Hidden:
    """What to look for in the answers to one request."""

    def __init__(self, tools: KnownTools, *, leaks_thinking: bool, starts_thinking: bool) -> None:
        self._tools = tools
        self._leaks_thinking = leaks_thinking
        self._starts_thinking = starts_thinking

    def rewriter(self) -> Callable[[Sequence[StreamEvent]], Sequence[StreamEvent]]:
        """A reader of one answer: its events in, as many at a time as there are, and those that are meant out."""
        chain: list[Rewriter] = []
        if self._leaks_thinking or self._starts_thinking:
            chain.append(Rewriter(self._thoughts))
        if self._tools:
            chain.append(Rewriter(self._calls))

        def rewritten(events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
            for each in chain:
                events = each.feed(events)
            return events

        return rewritten

    def _thoughts(self, source: Source, is_first: bool) -> Pieces | None:
        return read_thoughts(source, starts_inside=self._starts_thinking) if is_first else None

    def _calls(self, source: Source, is_first: bool) -> Pieces:
        return read_calls(source, self._tools)


def hidden_in(request: ChatRequest, quirks: Quirks, tool_names: Mapping[str, str] = {}) -> Hidden | None:
    """What to look for; None if nothing. `tool_names`: the provider's name → the client's, of those that were renamed."""
    may_call = request.tool_choice is None or request.tool_choice.mode != "none"
    tools = KnownTools(request.tools if quirks.prints_tool_calls and may_call else (), tool_names)
    if not (tools or quirks.leaks_thinking or quirks.starts_thinking):
        return None
    return Hidden(tools, leaks_thinking=quirks.leaks_thinking, starts_thinking=quirks.starts_thinking)


class UnhidingParser:
    """A provider's parser, and what was hidden in its answer found."""

    def __init__(self, parser: StreamParser, hidden: Hidden) -> None:
        self._parser = parser
        self._rewritten = hidden.rewriter()

    def feed(self, frame: Frame) -> Sequence[StreamEvent]:
        """The events of one frame. Raises what the parser raises."""
        return self._rewritten(self._parser.feed(frame))

    def close(self) -> Sequence[StreamEvent]:
        """The bytes have ended. Raises what the parser raises."""
        return self._rewritten(self._parser.close())
