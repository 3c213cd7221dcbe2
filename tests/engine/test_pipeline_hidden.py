"""A local model prints its tool calls as text: whichever door the client came in by, it gets proper calls."""

from collections.abc import Callable, Iterator

import anthropic
import openai
import pytest

from tests.fakes.caller import PATIENCE, Caller
from tests.fakes.dialects import CHAT, DIALECTS, MESSAGES, Dialect
from tests.fakes.program import Program
from tests.fakes.script import Answer, CallTool, Say, Tokens, say
from tests.fakes.upstream import OPENAI, Upstream

STREAMED = pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
BOTH = pytest.mark.parametrize("dialect", DIALECTS, ids=["messages", "chat"])
PRINTED = 'Let me look.\n<tool_call>\n{"name": "read_file", "arguments": {"path": "ä/b.txt"}}\n</tool_call>'


@pytest.fixture(scope="module")
def server() -> Iterator[Upstream]:
    """A server of the OpenAI wire, as local ones are."""
    upstream = Upstream(OPENAI, "local-key").start()
    yield upstream
    upstream.stop()


@pytest.fixture(scope="module")
def local(server: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program, leading to that server as to one of an unknown maker."""
    names = {
        "MODEL_PROVIDER": "openai-compatible",
        "OPENAI_COMPATIBLE_API_BASE": server.url,
        "OPENAI_COMPATIBLE_API_KEY": server.key,
        "OPENAI_COMPATIBLE_MODEL": "deepseek-r1:8b",
    }
    program = Program(tmp_path_factory.mktemp("local"), names).wait_until_ready()
    yield program
    program.check_end((server.key,))


@pytest.fixture
def ask(server: Upstream, local: Program) -> Caller:
    """A client, with the server's records clean."""
    server.reset()
    return Caller(local.url, local.token)


@BOTH
@STREAMED
def test_a_printed_call_reaches_the_client_as_a_call(server: Upstream, ask: Caller, dialect: Dialect, is_streamed: bool) -> None:
    """With the words before it, the right reason for the end, and the tokens."""
    server.play(say(f"<think>Hm.</think>{PRINTED}", pieces=23, tokens=Tokens(input=7, output=11)))
    reply = ask.post(dialect.path, dialect.ask("What does it say?", is_streamed=is_streamed, tools=["read_file"]))
    assert reply.status == 200, reply.body
    heard = dialect.heard(reply)
    assert heard.text == "Let me look.\n"
    assert [(call.name, call.path) for call in heard.calls] == [("read_file", "ä/b.txt")]
    assert heard.stop == "tools"
    assert b"tool_call>" not in reply.body
    assert 11 in heard.usage.values()


@BOTH
def test_the_loop_goes_on(server: Upstream, ask: Caller, dialect: Dialect) -> None:
    """The call goes back in the history with its result, and the server takes it."""
    server.play(say(PRINTED), say("It says 42."))
    request = dialect.ask("What does it say?", tools=["read_file"])
    heard = dialect.heard(ask.post(dialect.path, request))
    again = ask.post(dialect.path, dialect.next_turn(request, heard, {heard.calls[0].id: "42"}))
    assert dialect.heard(again).text == "It says 42."
    history = server.chats[1].json["messages"]
    assert [message["role"] for message in history] == ["user", "assistant", "tool"]
    assert history[1]["tool_calls"][0]["id"] == history[2]["tool_call_id"] == heard.calls[0].id


@BOTH
@STREAMED
def test_code_that_only_shows_it_stays_text(server: Upstream, ask: Caller, dialect: Dialect, is_streamed: bool) -> None:
    """An explanation of the format is no call."""
    text = f"<think></think>It prints:\n```\n{PRINTED}\n```\nas you see."
    server.play(say(text, pieces=9))
    heard = dialect.heard(ask.post(dialect.path, dialect.ask("How?", is_streamed=is_streamed, tools=["read_file"])))
    assert heard.text == text.removeprefix("<think></think>")
    assert heard.calls == []
    assert heard.stop == "end"


@STREAMED
def test_a_proper_call_is_left_alone(server: Upstream, ask: Caller, is_streamed: bool) -> None:
    """Servers that read the calls themselves are not second-guessed."""
    server.play(Answer((Say("Let me look. ", 2), CallTool("read_file", {"path": "<tool_call>"}, "call_of_the_server"))))
    heard = CHAT.heard(ask.post(CHAT.path, CHAT.ask("hi", is_streamed=is_streamed, tools=["read_file"])))
    assert [(call.id, call.path) for call in heard.calls] == [("call_of_the_server", "<tool_call>")]


@STREAMED
def test_what_a_reading_anew_loses_is_said(server: Upstream, ask: Caller, is_streamed: bool) -> None:
    """Probabilities of tokens do not fit to words that were moved; who asked for them is told."""
    server.play(say(PRINTED), say(PRINTED))
    asked = CHAT.ask("hi", is_streamed=is_streamed, tools=["read_file"])
    assert "log probabilities" in ask.post(CHAT.path, asked | {"logprobs": True, "top_logprobs": 2}).headers["x-lynkr-losses"]
    assert "x-lynkr-losses" not in ask.post(CHAT.path, asked | {"logprobs": False}).headers


def test_the_sdks_take_it(server: Upstream, ask: Caller, local: Program) -> None:
    """Both vendors' own programs find the call in the stream."""
    server.play(say(PRINTED, pieces=40), say(PRINTED, pieces=40))
    with (
        anthropic.Anthropic(api_key=local.token, base_url=local.url, max_retries=0, timeout=PATIENCE) as client,
        client.messages.stream(**MESSAGES.ask("hi", tools=["read_file"], model="lynkr-auto")) as stream,
    ):
        message = stream.get_final_message()
    assert message.stop_reason == "tool_use"
    assert [block.input for block in message.content if block.type == "tool_use"] == [{"path": "ä/b.txt"}]
    with (
        openai.OpenAI(api_key=local.token, base_url=f"{local.url}/v1", max_retries=0, timeout=PATIENCE) as other,
        other.chat.completions.stream(**CHAT.ask("hi", tools=["read_file"])) as chunks,
    ):
        choice = chunks.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls
    assert choice.message.tool_calls[0].function.arguments == '{"path": "ä/b.txt"}'


def test_without_tools_and_thinking_bytes_go_through(openai_upstream: Upstream, headless: Callable[..., Program]) -> None:
    """Where nothing can be hidden, nothing is read anew: the same bytes come back."""
    names = {"API_BASE": openai_upstream.url, "API_KEY": openai_upstream.key, "MODEL": "some-model"}
    program = headless(
        MODEL_PROVIDER="openai-compatible", **{f"OPENAI_COMPATIBLE_{name}": value for name, value in names.items()}
    )
    openai_upstream.play(say(PRINTED, pieces=5))
    reply = Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi", is_streamed=True))
    assert reply.body == bytes(openai_upstream.chats[0].sent)
