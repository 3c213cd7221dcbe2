"""What is fuzzed: for each parser a function of bytes that may raise nothing, and seeds that lead deep into it.

A target lets only the errors of the taxonomy pass, and checks what must hold besides: events obey their grammar, any cutting
gives the same events, what is rendered is JSON.
"""

import asyncio
import io
import json
import urllib.parse
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from unittest import mock

from dotenv.parser import parse_stream

from lynkr_desktop import json_reader
from lynkr_desktop.config import environment, migrations
from lynkr_desktop.config import file as settings_file
from lynkr_desktop.config.settings import Settings
from lynkr_desktop.engine.admin.observation import window_ms
from lynkr_desktop.engine.chat.events import StreamEvent
from lynkr_desktop.engine.chat.grammar import GrammarChecker
from lynkr_desktop.engine.chat.response import fold
from lynkr_desktop.engine.embedding import _FORM_AT
from lynkr_desktop.engine.fast_door import FastDoor
from lynkr_desktop.engine.http1 import Connection, HttpError, Origin
from lynkr_desktop.engine.providers import auth
from lynkr_desktop.engine.routing.facts import facts_of
from lynkr_desktop.engine.surfaces import address_at, folded, surface_at, wire_at
from lynkr_desktop.engine.tokens import rough_tokens
from lynkr_desktop.engine.wire import embeddings
from lynkr_desktop.engine.wire.contract import CannotCarryError, Quirks
from lynkr_desktop.engine.wire.gemini.schema import for_google, from_google
from lynkr_desktop.engine.wire.table import PROVIDER_WIRES, WIRES, splitter_of
from lynkr_desktop.errors import ClientError, ConfigError, LynkrError, UpstreamError
from lynkr_desktop.startup import known_names
from tests.engine.wire.hidden.answers import heard, hidden
from tests.engine.wire.hidden.samples import CALLS, WORDS
from tests.engine.wire.test_embeddings import ANSWERS, ASKED
from tests.engine.wire.test_gemini import FULL as GEMINI
from tests.engine.wire.test_gemini_ollama_nonsense import ANSWERED
from tests.engine.wire.test_nonsense import _EVENTS, _REQUEST
from tests.engine.wire.test_ollama import FULL as OLLAMA
from tests.fakes.bedrock import event

MODELS = ("claude-sonnet-4-5", "gpt-5", "gemini-3-pro", "qwen3:8b")
NAMES = known_names()
RESPONSES_REQUEST = {
    "model": "m",
    "instructions": "be brief",
    "input": [
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": "u"}],
        },
        {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "y"}], "encrypted_content": "e"},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "done"},
        {"type": "custom_tool_call", "call_id": "b", "name": "apply_patch", "input": "*** Begin Patch"},
        {"type": "custom_tool_call_output", "call_id": "b", "output": "done"},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": {}}, {"type": "custom", "name": "apply_patch"}],
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}},
    "reasoning": {"effort": "low"},
}
RESPONSES_EVENTS = [
    {"type": "response.created", "response": {"id": "r", "model": "m"}},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "i", "content": []}},
    {"type": "response.output_text.delta", "output_index": 0, "item_id": "i", "content_index": 0, "delta": "hi"},
    {"type": "response.output_item.added", "output_index": 1, "item": {"type": "function_call", "call_id": "a", "name": "f"}},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{}"},
    {"type": "response.completed", "response": {"id": "r", "status": "completed", "usage": {"input_tokens": 1}}},
]


@dataclass(frozen=True, slots=True)
class Target:
    """One parser. `run` returns, whatever the bytes are."""

    run: Callable[[bytes], None]
    seeds: Sequence[bytes]


def _json(*values: Any) -> list[bytes]:
    return [json.dumps(value).encode() for value in values]


def _check_json(made: bytes, content: bytes) -> None:
    """What was made of proper text is JSON. Of what is no UTF-8 parts may go through as they came: the provider refuses them."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return
    json.loads(made)


def _request(wire: str) -> Callable[[bytes], None]:
    def run(content: bytes) -> None:
        with suppress(ClientError):
            request = WIRES[wire].parse_request(content)
            facts_of(request, {"user-agent": "x"})
            rough_tokens(request)
            _check_json(WIRES[wire].renamed(request, "m", asks_usage=True), content)
            for number, other in enumerate(PROVIDER_WIRES.values()):
                with suppress(CannotCarryError, json_reader.ShapeError):  # the pipeline makes a refusal of it
                    model = MODELS[number % len(MODELS)]
                    _check_json(other.render_request(request, model, Quirks(), is_streamed=True).body, content)

    return run


def _events(wire: str, chunks: Sequence[bytes]) -> tuple[list[StreamEvent], bool]:
    """The events of a stream in these pieces, and whether it failed."""
    splitter, parser, checker = splitter_of(wire), PROVIDER_WIRES[wire].stream_parser(), GrammarChecker()
    found: list[StreamEvent] = []
    try:
        for frames in (*(splitter.feed(chunk) for chunk in chunks), splitter.close()):
            for frame in frames:
                for each in parser.feed(frame):
                    checker.check(each)
                    found.append(each)
        for each in parser.close():
            checker.check(each)
            found.append(each)
    except UpstreamError:
        return found, True
    checker.end()
    return found, False


def _stream(wire: str) -> Callable[[bytes], None]:
    """The first byte says where the stream is cut."""

    def run(content: bytes) -> None:
        at, body = (content[0] if content else 0), content[1:]
        place = at * len(body) // 256
        whole, is_broken = _events(wire, [body])
        cut = _events(wire, [body[:place], body[place:]])
        assert cut == (whole, is_broken), "another cutting gave other events"
        if whole and not is_broken:
            fold(whole)
        for client in WIRES.values():
            request = client.parse_request(_ASKS[client.NAME])
            client.stream_renderer(request).feed(whole)

    return run


def _whole(wire: str) -> Callable[[bytes], None]:
    def run(content: bytes) -> None:
        with suppress(UpstreamError):
            fold(PROVIDER_WIRES[wire].parse_response(content))

    return run


def _refusal(wire: str) -> Callable[[bytes], None]:
    """Status, a line of a header, and the body."""

    def run(content: bytes) -> None:
        status = 400 + (content[0] if content else 0) % 200
        header, _, body = content[1:].partition(b"\n")
        error = PROVIDER_WIRES[wire].parse_error(status, {"retry-after": header.decode("latin-1")}, body)
        assert isinstance(error, UpstreamError)
        for client in WIRES.values():
            told, _, text = client.render_error(error, "id")
            assert 400 <= told < 600
            json.loads(text)

    return run


def _embeddings(content: bytes) -> None:
    for form in _FORM_AT.values():
        with suppress(ClientError):
            request = embeddings.parse_request(content, form, None)
            for other in embeddings.Form:
                with suppress(LynkrError):
                    _check_json(embeddings.render_request(request, other, "m"), content)
    for form in embeddings.Form:
        with suppress(UpstreamError):
            embeddings.parse_answer(content, form, 1)


def _hidden(content: bytes) -> None:
    """The first byte says where the text is cut."""
    text = content[1:].decode("utf-8", "replace")
    for leaks in (False, True):
        look = hidden(leaks=leaks, starts=leaks)
        cut = (content[0] if content else 0) * len(text) // 256
        fold(heard(text, look, cuts=[cut]))


def _request_head(content: bytes) -> None:
    """Bytes of a client on the short way in."""

    async def run() -> None:
        served: list[object] = []

        def spawn(coroutine: Any, _: str) -> Any:
            served.append(coroutine)
            coroutine.close()
            return mock.Mock()

        door = FastDoor((b"/v1/messages",), 2**20, mock.Mock(), spawn, mock.Mock)
        door.connection_made(mock.Mock())
        middle = len(content) // 2
        for piece in (content[:middle], content[middle:]):
            if not door.is_gone:
                door.data_received(piece)

    asyncio.run(run())


def _response_head(content: bytes) -> None:
    """Bytes of a provider."""

    async def run() -> None:
        connection = Connection(Origin("http", "127.0.0.1", 1), mock.Mock(deadline=lambda _: 1e9), asyncio.get_running_loop())
        connection.connection_made(mock.Mock(is_closing=lambda: False))
        connection.send(b"", None)
        middle = len(content) // 2
        for piece in (content[:middle], content[middle:]):
            connection.data_received(piece)
        connection.connection_lost(None)
        with suppress(HttpError, UpstreamError):
            await connection.head(1.0)
            while await connection.read(1.0):
                pass

    asyncio.run(run())


def _settings(content: bytes) -> None:
    with suppress(ConfigError):
        settings_file.convert(migrations.migrate(settings_file._object(content)))


def _environment(content: bytes) -> None:
    bindings = parse_stream(io.StringIO(content.decode("utf-8", "replace")))
    env = {each.key: each.value for each in bindings if each.key and each.value is not None and "_FILE" not in each.key}
    with suppress(ConfigError):
        environment.apply_environment(Settings(), env, NAMES)


def _addresses(content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    path, _, query = text.partition("?")
    place = folded(path)
    assert folded(place) == place, "folding twice is folding once"
    surface_at(place)
    address_at(place, query)
    wire_at(place, {})
    with suppress(ClientError):
        window_ms({name: values[-1] for name, values in urllib.parse.parse_qs(query).items()})
    with suppress(ConfigError):
        auth.require_safe(text, has_key=True)
    with suppress(ConfigError):
        environment.base_address(text, "/v1/messages", "X")


def _schema(content: bytes) -> None:
    with suppress(json_reader.ShapeError, ValueError):
        json.loads(content)
        json.loads(json_reader.encode(for_google(content).schema))
        from_google(content)


def _reader(content: bytes) -> None:
    with suppress(json_reader.ShapeError):
        fields = json_reader.Fields.parse(content)
        for key in fields.raw:
            for read in (fields.text, fields.optional_text, fields.flag, fields.array, fields.objects, fields.value, fields.kind):
                with suppress(json_reader.ShapeError):
                    read(key)


_ASKS = {
    name: json.dumps(
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "input": "x", "stream": True}
        | ({"contents": [{"role": "user", "parts": [{"text": "x"}]}]} if name == "gemini" else {})
    ).encode()
    for name in WIRES
}
_STREAM = b"".join(b"data: %s\n\n" % text for text in _json(*_EVENTS))
_STREAMS: dict[str, list[bytes]] = {
    "anthropic": [b"\0" + _STREAM, b"\x80" + b"".join(b"event: x\r\ndata: %s\r\n\r\n" % text for text in _json(*_EVENTS[:6]))],
    "openai_chat": [
        b"\0" + _STREAM + b"data: [DONE]\n\n",
        b"\x80" + b"".join(b"data:%s\n\n" % text for text in _json(*_EVENTS[6:])),
    ],
    "openai_responses": [b"\x40" + b"".join(b"data: %s\n\n" % text for text in _json(*RESPONSES_EVENTS))],
    "gemini": [b"\x40" + b"".join(b"data: %s\n\n" % text for text in _json(*ANSWERED[:4]))],
    "ollama": [b"\x40" + b"\n".join(_json(*ANSWERED[4:]))],
    "bedrock_converse": [
        b"\x40"
        + event("messageStart", {"role": "assistant"})
        + event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "hi"}})
        + event("contentBlockStop", {"contentBlockIndex": 0})
        + event("messageStop", {"stopReason": "end_turn"})
        + event("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2}, "metrics": {"latencyMs": 3}})
    ],
}
_REQUESTS: dict[str, list[bytes]] = {
    "anthropic": _json({**_REQUEST, "messages": [one for one in _REQUEST["messages"] if one["role"] != "tool"]}),
    "openai_chat": _json(_REQUEST),
    "openai_responses": _json(RESPONSES_REQUEST),
    "gemini": _json(*GEMINI),
    "ollama": _json(*OLLAMA),
}
_WHOLES = _json(*_EVENTS, *ANSWERED, *RESPONSES_EVENTS)
_HEADS = (
    b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /v1/messages?x=1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
)
_REPLIES = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b\x08",
)

TARGETS: dict[str, Target] = {
    **{f"request-{wire}": Target(_request(wire), seeds) for wire, seeds in _REQUESTS.items()},
    **{f"stream-{wire}": Target(_stream(wire), seeds) for wire, seeds in _STREAMS.items()},
    **{f"answer-{wire}": Target(_whole(wire), _WHOLES) for wire in _STREAMS},
    **{f"refusal-{wire}": Target(_refusal(wire), [b"\x1d3\n" + each for each in _WHOLES]) for wire in _STREAMS},
    "embeddings": Target(_embeddings, _json(*(asked for _, asked in ASKED), *ANSWERS.values())),
    "hidden": Target(_hidden, [b"\x80" + sample.encode() for sample in (*(text for text, _ in CALLS.values()), *WORDS.values())]),
    "request-head": Target(_request_head, _HEADS),
    "response-head": Target(_response_head, _REPLIES),
    "settings": Target(
        _settings, _json({"version": 1, "budgets": [{"amount_usd": "1"}], "accounts": [{"id": "a", "provider": "openai"}]})
    ),
    "environment": Target(
        _environment, [b"MODEL_PROVIDER=openai:gpt\nOPENAI_API_BASE=http://x/v1\nexport PORT='80'\nTIER_SIMPLE=a:b,c:d"]
    ),
    "addresses": Target(
        _addresses,
        [b"/v1/v1/messages?window=7d", b"/v1beta/models/a:b:streamGenerateContent?alt=sse", b"https://u:p@[::1]:8/v1?k=1#f"],
    ),
    "schema": Target(
        _schema, _json({"type": ["string", "null"], "anyOf": [{"const": 1}], "properties": {"a": {"$ref": "#/$defs/b"}}})
    ),
    "json": Target(_reader, _json({"a": "x", "b": [1, {}], "c": {"d": None}, "e": True})),
}
