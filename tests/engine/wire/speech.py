"""Short ways to say vendors' requests and streams in tests, and to read what the wires make of them."""

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lynkr_desktop.engine.chat.events import StreamEvent
from lynkr_desktop.engine.chat.grammar import checked
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.chat.response import ChatResponse, fold
from lynkr_desktop.engine.wire import anthropic, openai_chat
from lynkr_desktop.engine.wire.contract import Quirks, Rendered, Wire
from lynkr_desktop.engine.wire.sse import SseSplitter
from lynkr_desktop.engine.wire.table import WIRES

A: Wire = WIRES[anthropic.NAME]
C: Wire = WIRES[openai_chat.NAME]
PLAIN = Quirks()
KEY = "test-key"

_RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"


def recorded() -> list[Any]:
    """Requests of real programs in one of the two wires, as pytest parameters; none where there are no recordings."""
    found = []
    for file in sorted(_RECORDINGS.glob("*.json")) if _RECORDINGS.is_dir() else ():
        for index, request in enumerate(json.loads(file.read_text("utf-8"))):
            wire = A if "/messages" in request["path"] else C if request["path"].endswith("/completions") else None
            if wire is not None:
                found.append(pytest.param(wire, json.dumps(request["body"]).encode(), id=f"{file.stem}-{index}"))
    return found


def ask(wire: Wire, **body: Any) -> ChatRequest:
    """A parsed request; model, messages and (for Messages) max_tokens have defaults."""
    defaults: dict[str, Any] = {"model": "asked-model", "messages": [{"role": "user", "content": "hello"}]}
    if wire is A:
        defaults["max_tokens"] = 100
    return wire.parse_request(json.dumps({**defaults, **body}).encode())


def sent(wire: Wire, request: ChatRequest, quirks: Quirks = PLAIN, *, is_streamed: bool = False) -> tuple[Any, Rendered]:
    """What a provider of that wire gets: the body as plain Python, and the rendering."""
    rendered = wire.render_request(request, "served-model", quirks, is_streamed=is_streamed)
    return json.loads(rendered.body), rendered


def named(*events: dict[str, Any]) -> bytes:
    """A stream of Messages events."""
    return b"".join(b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode()) for event in events)


def chunks(*values: Any, done: bool = True) -> bytes:
    """A stream of Chat Completions chunks."""
    return b"".join(b"data: %s\n\n" % json.dumps(value).encode() for value in values) + (b"data: [DONE]\n\n" if done else b"")


def delta(finish: str | None = None, **values: Any) -> dict[str, Any]:
    """One chunk with one choice."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "served-model",
        "choices": [{"index": 0, "delta": values, "finish_reason": finish}],
    }


def call_delta(index: int | None, arguments: str = "", **values: Any) -> dict[str, Any]:
    """One chunk with a fragment of one tool call."""
    name = {"name": values.pop("name")} if "name" in values else {}
    fragment = {"function": {**name, "arguments": arguments}, **values}
    return delta(tool_calls=[fragment if index is None else {"index": index, **fragment}])


def heard(wire: Wire, stream: bytes, *, cuts: Iterable[int] = (), tool_names: dict[str, str] | None = None) -> list[StreamEvent]:
    """The events of a whole stream, cut at those places, checked against the grammar."""
    splitter, parser = SseSplitter(), wire.stream_parser(tool_names or {})
    places = [0, *sorted(cuts), len(stream)]
    events: list[StreamEvent] = []
    for start, end in itertools.pairwise(places):
        for frame in splitter.feed(stream[start:end]):
            events += parser.feed(frame)
    for frame in splitter.close():
        events += parser.feed(frame)
    events += parser.close()
    return checked(events)


def answer(wire: Wire, stream: bytes) -> ChatResponse:
    """What a stream adds up to."""
    return fold(heard(wire, stream))


def told(wire: Wire, request: ChatRequest, events: Sequence[StreamEvent]) -> bytes:
    """The stream that a client gets, event by event."""
    renderer = wire.stream_renderer(request)
    return b"".join(renderer.feed((event,)) for event in events)


def frames(stream: bytes) -> list[Any]:
    """The JSON values of a rendered stream; `[DONE]` as text."""
    splitter = SseSplitter()
    return [
        "[DONE]" if frame.data == b"[DONE]" else json.loads(frame.data) for frame in [*splitter.feed(stream), *splitter.close()]
    ]
