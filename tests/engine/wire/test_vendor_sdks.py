"""The vendors' own SDKs read what we render, from a tiny server on the loopback."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
import openai
import pytest
from openai.types.responses import Response

from lynkr_desktop.engine.chat.events import StreamEvent
from lynkr_desktop.engine.chat.response import fold
from lynkr_desktop.errors import FailureKind, UpstreamError
from tests.engine.wire.speech import A, C, ask, call_delta, chunks, delta, heard, told
from tests.engine.wire.test_openai_responses_request import R, asked

USAGE = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 60}}
TOOL_TURN = chunks(
    delta(reasoning_content="Hm"),
    delta(content="Both é🎉 "),
    delta(content="files."),
    call_delta(0, '{"path":', id="call_a", name="read"),
    call_delta(1, '{"path":"b"}', id="call_b", name="read"),
    call_delta(0, '"a"}'),
    call_delta(2, "", id="call_c", name="list"),
    delta("tool_calls"),
    {"id": "chatcmpl-1", "choices": [], "usage": USAGE},
)


class Player:
    """Answers every request with the same status, headers and bytes."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 200, dict[str, str](), b""
        player = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(player.status)
                for name, value in player.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(player.body)))
                self.end_headers()
                self.wfile.write(player.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def play(self, body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        is_stream = body.startswith((b"event:", b"data:"))
        self.status, self.body = status, body
        self.headers = {"content-type": "text/event-stream" if is_stream else "application/json", **(headers or {})}


@pytest.fixture
def player() -> Iterator[Player]:
    played = Player()
    thread = threading.Thread(target=played.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield played
    played.server.shutdown()
    thread.join()
    played.server.server_close()


@pytest.fixture
def claude(player: Player) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=player.url, api_key="x", max_retries=0) as client:
        yield client


@pytest.fixture
def gpt(player: Player) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=player.url, api_key="x", max_retries=0) as client:
        yield client


@pytest.fixture
def events() -> list[StreamEvent]:
    return heard(C, TOOL_TURN)


def check_message(message: anthropic.types.Message) -> None:
    assert message.model == "asked-model"
    assert message.stop_reason == "tool_use"
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use", "tool_use"]
    assert [block.text for block in message.content if block.type == "text"] == ["Both é🎉 files."]
    calls = [(block.id, block.input) for block in message.content if block.type == "tool_use"]
    assert calls == [("call_a", {"path": "a"}), ("call_b", {"path": "b"}), ("call_c", {})]
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens) == (40, 60, 5)


def test_anthropic_reads_a_stream(player: Player, claude: anthropic.Anthropic, events: list[StreamEvent]) -> None:
    player.play(told(A, ask(A), events))
    with claude.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as stream:
        check_message(stream.get_final_message())


def test_anthropic_reads_a_whole_answer(player: Player, claude: anthropic.Anthropic, events: list[StreamEvent]) -> None:
    player.play(A.render_response(fold(events), ask(A)))
    check_message(claude.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]))


def test_openai_reads_a_stream(player: Player, gpt: openai.OpenAI, events: list[StreamEvent]) -> None:
    player.play(told(C, ask(C, stream=True, stream_options={"include_usage": True}), events))
    arguments: dict[int, str] = {}
    ids: list[str] = []
    text, reasons, usage = "", [], None
    for chunk in gpt.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True):
        usage = chunk.usage or usage
        assert chunk.model == "asked-model"
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasons += [choice.finish_reason] if choice.finish_reason else []
            for call in choice.delta.tool_calls or []:
                ids += [call.id] if call.id else []
                arguments[call.index] = arguments.get(call.index, "") + ((call.function and call.function.arguments) or "")
    assert (text, reasons, ids) == ("Both é🎉 files.", ["tool_calls"], ["call_a", "call_b", "call_c"])
    assert arguments == {0: '{"path":"a"}', 1: '{"path":"b"}', 2: "{}"}
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (100, 5, 105)


def test_openai_accumulates_a_stream(player: Player, gpt: openai.OpenAI, events: list[StreamEvent]) -> None:
    player.play(told(C, ask(C, stream=True), events))
    with gpt.chat.completions.stream(model="m", messages=[{"role": "user", "content": "x"}]) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.content == "Both é🎉 files."
    assert [call.function.arguments for call in message.tool_calls or []] == ['{"path":"a"}', '{"path":"b"}', "{}"]


def test_openai_reads_a_whole_answer(player: Player, gpt: openai.OpenAI, events: list[StreamEvent]) -> None:
    player.play(C.render_response(fold(events), ask(C)))
    completion = gpt.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
    message = completion.choices[0].message
    assert (message.content, completion.choices[0].finish_reason) == ("Both é🎉 files.", "tool_calls")
    assert [call.function.arguments for call in message.tool_calls or [] if call.type == "function"] == [
        '{"path":"a"}',
        '{"path":"b"}',
        "{}",
    ]


OVERLOADED = UpstreamError(
    FailureKind.OVERLOADED, "The provider is overloaded or broken.", "Overloaded", provider="acme", retry_after=3
)


def test_row_112_anthropic_knows_an_overloaded_provider(player: Player, claude: anthropic.Anthropic) -> None:
    status, headers, body = A.render_error(OVERLOADED, "lynkr-1")
    player.play(body, status=status, headers=headers)
    with pytest.raises(anthropic.APIStatusError, match="Overloaded") as caught:
        claude.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}])
    assert (caught.value.status_code, caught.value.response.headers["retry-after"]) == (529, "3")


def test_row_112_openai_knows_an_overloaded_provider(player: Player, gpt: openai.OpenAI) -> None:
    status, headers, body = C.render_error(OVERLOADED, "lynkr-1")
    player.play(body, status=status, headers=headers)
    with pytest.raises(openai.InternalServerError, match="Overloaded") as caught:
        gpt.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
    assert (caught.value.status_code, caught.value.request_id) == (503, "lynkr-1")


def test_row_109_both_raise_on_a_failure_inside_a_stream(
    player: Player, claude: anthropic.Anthropic, gpt: openai.OpenAI, events: list[StreamEvent]
) -> None:
    renderer = A.stream_renderer(ask(A))
    player.play(renderer.feed(events[:4]) + renderer.error(OVERLOADED))
    with (
        pytest.raises(anthropic.APIStatusError, match="Overloaded"),
        claude.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as stream,
    ):
        stream.get_final_message()
    chat = C.stream_renderer(ask(C))
    player.play(chat.feed(events[:4]) + chat.error(OVERLOADED))
    with pytest.raises(openai.APIError, match="Overloaded"):
        list(gpt.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True))


def check_response(response: Response) -> None:
    assert (response.model, response.status) == ("asked-model", "completed")
    assert [item.type for item in response.output] == ["reasoning", "message", *["function_call"] * 3]
    assert response.output_text == "Both é🎉 files."
    calls = [(item.call_id, item.arguments) for item in response.output if item.type == "function_call"]
    assert calls == [("call_a", '{"path":"a"}'), ("call_b", '{"path":"b"}'), ("call_c", "{}")]
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.input_tokens_details.cached_tokens) == (100, 60)


def test_openai_reads_a_stream_of_responses(player: Player, gpt: openai.OpenAI, events: list[StreamEvent]) -> None:
    player.play(told(R, asked(), events))
    with gpt.responses.stream(model="m", input="x") as stream:
        check_response(stream.get_final_response())


def test_openai_reads_a_whole_response(player: Player, gpt: openai.OpenAI, events: list[StreamEvent]) -> None:
    player.play(R.render_response(fold(events), asked()))
    check_response(gpt.responses.create(model="m", input="x"))


def test_openai_sees_a_response_that_broke_off(player: Player, gpt: openai.OpenAI, events: list[StreamEvent]) -> None:
    """An item is still open then, and the helper for streams must bear it."""
    renderer = R.stream_renderer(asked())
    half = b"".join(renderer.feed([event]) for event in events[:4])
    player.play(half + renderer.error(UpstreamError(FailureKind.OVERLOADED, "Gone.")))
    with gpt.responses.stream(model="m", input="x") as stream:
        last = list(stream)[-1]
    assert last.type == "response.failed"
    assert last.response.error is not None
    assert "Gone." in last.response.error.message
