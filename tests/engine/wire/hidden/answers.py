"""Short ways to say an answer's text and to hear what was hidden in it."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from msgspec import Raw

from lynkr_desktop.engine.chat.events import Closed, Delta, Finished, Opened, OpenText, Started, StopReason, StreamEvent
from lynkr_desktop.engine.chat.grammar import checked
from lynkr_desktop.engine.chat.request import Part, TextPart, ThinkingPart, Tool, ToolCallPart
from lynkr_desktop.engine.chat.response import fold
from lynkr_desktop.engine.wire.hidden import Hidden
from lynkr_desktop.engine.wire.hidden.known_tools import KnownTools


def tool(name: str, **properties: Any) -> Tool:
    """A tool; each property is a JSON type or a schema."""
    kinds = {key: {"type": kind} if isinstance(kind, str) else kind for key, kind in properties.items()}
    return Tool(name, schema=Raw(json.dumps({"type": "object", "properties": kinds}).encode()))


TOOLS = (
    tool("get_weather", city="string", days="integer", exact="boolean", where={"type": "object"}, ids={"type": "array"}),
    tool("Write", file_path="string", content="string"),
    tool("mcp__disk__read_file", path="string"),
)


def hidden(
    tools: Iterable[Tool] = TOOLS, *, names: dict[str, str] | None = None, leaks: bool = False, starts: bool = False
) -> Hidden:
    """What to look for."""
    return Hidden(KnownTools(tools, names or {}), leaks_thinking=leaks, starts_thinking=starts)


def heard(
    text: str,
    look: Hidden | None = None,
    *,
    cuts: Iterable[int] = (),
    reason: StopReason = StopReason.END,
    answer: str = "answer-1",
) -> list[StreamEvent]:
    """The events of an answer of one text, cut at those places, checked against the grammar."""
    rewritten = (look or hidden()).rewriter()
    events = [*rewritten((Started(answer, "a-model"), Opened(OpenText())))]
    for start, end in pairwise([0, *sorted(cuts), len(text)]):
        if end > start:
            events += rewritten((Delta(text[start:end]),))
    events += rewritten((Closed(), Finished(reason)))
    return checked(events)


def joined(events: Iterable[StreamEvent]) -> list[StreamEvent]:
    """The same events with neighbouring deltas as one: how a text is cut is nobody's meaning."""
    out: list[StreamEvent] = []
    for event in events:
        if isinstance(event, Delta) and out and isinstance(out[-1], Delta):
            out[-1] = Delta(out[-1].text + event.text)
        else:
            out.append(event)
    return out


def told(text: str, look: Hidden | None = None, *, reason: StopReason = StopReason.END) -> list[tuple[str, Any]]:
    """The parts of the answer: ("text", …), ("thinking", …), (a tool's name, its arguments)."""
    return [_short(part) for part in fold(heard(text, look, reason=reason)).parts]


def _short(part: Part) -> tuple[str, Any]:
    match part:
        case TextPart(text=text):
            return "text", text
        case ThinkingPart(text=text):
            return "thinking", text
        case ToolCallPart(name=name, arguments=arguments):
            return name, json.loads(arguments)
    raise AssertionError(part)
