"""The scripted vendors are judged by the vendors' own SDKs, so that a test against them proves something."""

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.fakes import anthropic_rules, openai_rules
from tests.fakes.anthropic_rules import RefusalError
from tests.fakes.script import Answer as Scripted
from tests.fakes.script import CallTool, Delivery, Ending, Refuse, Say, Think, Tokens, call, dies, say, signature_of
from tests.fakes.upstream import Upstream

KEY = "k"
A_HEADERS = {"x-api-key": KEY, "anthropic-version": "2023-06-01", "content-type": "application/json"}
C_HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
USER = {"role": "user", "content": "hi"}
TOOL_USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}
CALLS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}],
}


@pytest.fixture
def claude(anthropic_upstream: Upstream) -> Iterator[anthropic.Anthropic]:
    """The vendor's SDK, straight to the fake."""
    with anthropic.Anthropic(api_key=anthropic_upstream.key, base_url=anthropic_upstream.url, max_retries=0) as client:
        yield client


@pytest.fixture
def gpt(openai_upstream: Upstream) -> Iterator[openai.OpenAI]:
    """The vendor's SDK, straight to the fake."""
    with openai.OpenAI(api_key=openai_upstream.key, base_url=openai_upstream.url + "/v1", max_retries=0) as client:
        yield client


def test_anthropic_sdk_reads_a_scripted_stream(anthropic_upstream: Upstream, claude: anthropic.Anthropic) -> None:
    """Thinking, text and parallel tool calls arrive whole."""
    thought = Think("I need both files.")
    calls = (CallTool("f", {"path": "ä.txt"}, "toolu_1"), CallTool("f", {}, "toolu_2"))
    anthropic_upstream.play(Scripted((thought, Say("Sure."), *calls), tokens=Tokens(3, 4, 5, 6)))
    with claude.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as stream:
        message = stream.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert message.content[0].type == "thinking"
    assert message.content[0].signature == signature_of("I need both files.")
    assert message.content[2].type == "tool_use"
    assert message.content[2].input == {"path": "ä.txt"}
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (3, 5)


def test_openai_sdk_reads_a_scripted_stream(openai_upstream: Upstream, gpt: openai.OpenAI) -> None:
    """Interleaved parallel tool calls arrive whole."""
    openai_upstream.play(call(CallTool("f", {"path": "a"}, "c1"), CallTool("g", {"path": "b"}, "c2"), is_interleaved=True))
    with gpt.chat.completions.stream(
        model="gpt-4o", messages=[{"role": "user", "content": "x"}], stream_options={"include_usage": True}
    ) as stream:
        completion = stream.get_final_completion()
    calls = completion.choices[0].message.tool_calls or []
    assert [(one.id, one.function.name, one.function.arguments) for one in calls] == [
        ("c1", "f", '{"path": "a"}'),
        ("c2", "g", '{"path": "b"}'),
    ]
    assert completion.usage is not None
    assert completion.usage.prompt_tokens == 12


def test_it_tells_when_a_client_hangs_up(openai_upstream: Upstream, gpt: openai.OpenAI) -> None:
    """A client that leaves in the middle is noticed; one that stays is not."""
    openai_upstream.play(say("whole"), say("long", pieces=4, delivery=Delivery(ending=Ending.HOLD, cut_after=2)))
    for _ in gpt.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x"}], stream=True):
        pass
    stream = gpt.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x"}], stream=True)
    next(iter(stream))
    stream.close()
    assert openai_upstream.wait_for_chat(2).hung_up.wait(20)
    assert not openai_upstream.chats[0].hung_up.is_set()


@pytest.mark.parametrize("ending", [Ending.RESET, Ending.CLOSE])
def test_a_stream_can_die(anthropic_upstream: Upstream, claude: anthropic.Anthropic, ending: Ending) -> None:
    """The SDK sees a broken connection."""
    anthropic_upstream.play(dies(ending, after=3))
    with (
        pytest.raises(Exception, match=r"(?i)peer closed|reset|disconnected|incomplete|connection"),
        claude.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as stream,
    ):
        stream.get_final_message()


def test_a_wrong_key_is_refused(anthropic_upstream: Upstream, claude: anthropic.Anthropic) -> None:
    """With the vendor's own error."""
    anthropic_upstream.expects_complaints = True
    client = claude.with_options(api_key="wrong")
    with pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"):
        client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}])


def test_scripted_refusals_carry_their_headers(openai_upstream: Upstream, gpt: openai.OpenAI) -> None:
    """Retry-After and status as scripted."""
    openai_upstream.play(Refuse(429, "slow down", (("retry-after", "7"),)))
    with pytest.raises(openai.RateLimitError) as caught:
        gpt.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x"}])
    assert caught.value.response.headers["retry-after"] == "7"


def _anthropic(**changes: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 2000, "messages": [USER]} | changes


def _thinking_turns(first: dict[str, Any]) -> dict[str, Any]:
    turn = {"role": "assistant", "content": [first, *TOOL_USE["content"]]}
    thinking = {"type": "enabled", "budget_tokens": 1024}
    return _anthropic(thinking=thinking, messages=[USER, turn, {"role": "user", "content": [RESULT]}])


ANTHROPIC_REFUSES: list[tuple[dict[str, Any], str]] = [
    (_anthropic(frequency_penalty=1), "frequency_penalty: Extra inputs"),
    (_anthropic(context_management={}), "context_management: Extra inputs"),
    ({"model": "m", "messages": [USER]}, "max_tokens: Field required"),
    (_anthropic(messages=[{"role": "user", "content": ""}]), "non-empty"),
    (_anthropic(messages=[{"role": "developer", "content": "x"}]), "Unexpected role"),
    (_anthropic(messages=[USER, TOOL_USE, USER]), "without `tool_result`"),
    (_anthropic(messages=[USER, TOOL_USE]), "without `tool_result`"),
    (
        _anthropic(messages=[USER, TOOL_USE, {"role": "user", "content": [{"type": "text", "text": "first"}, RESULT]}]),
        "without `tool_result`",
    ),
    (_anthropic(messages=[{"role": "user", "content": [RESULT]}]), "unexpected `tool_use_id`"),
    (_anthropic(tool_choice={"type": "any"}), "while providing tools"),
    (_anthropic(tools=[{"name": "a.b", "input_schema": {"type": "object"}}]), "should match pattern"),
    (_anthropic(thinking={"type": "enabled", "budget_tokens": 2000}), "must be greater"),
    (_anthropic(thinking={"type": "enabled", "budget_tokens": 1024}, temperature=0.2), "temperature"),
    (_thinking_turns({"type": "text", "text": "no thought"}), "Expected `thinking`"),
    (_thinking_turns({"type": "thinking", "thinking": "x", "signature": "forged"}), "Invalid `signature`"),
    (_anthropic(temperature=1.5), "temperature"),
]


@pytest.mark.parametrize(("body", "words"), ANTHROPIC_REFUSES)
def test_anthropic_rules(body: dict[str, Any], words: str) -> None:
    """What the vendor refuses is refused."""
    with pytest.raises(RefusalError) as caught:
        anthropic_rules.check(A_HEADERS, body, KEY)
    assert words in caught.value.message


def test_anthropic_rules_take_what_is_right() -> None:
    """A signed thought and its tool result pass."""
    signed = {"type": "thinking", "thinking": "x", "signature": signature_of("x")}
    anthropic_rules.check(A_HEADERS, _thinking_turns(signed), KEY)
    anthropic_rules.check(A_HEADERS | {"anthropic-beta": "context-management-2025-06-27"}, _anthropic(context_management={}), KEY)


def _openai(**changes: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [USER]} | changes


FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
OPENAI_REFUSES: list[tuple[dict[str, Any], str]] = [
    (_openai(top_k=3), "Unknown parameter: 'top_k'"),
    (_openai(thinking={}), "Unknown parameter: 'thinking'"),
    (_openai(model="gpt-5-mini", max_tokens=9), "max_completion_tokens"),
    (_openai(model="o3", temperature=0.2), "'temperature'"),
    (_openai(stop=["1", "2", "3", "4", "5"]), "'stop'"),
    (_openai(user="u" * 65), "'user'"),
    (_openai(stream_options={"include_usage": True}), "stream_options"),
    (_openai(parallel_tool_calls=True), "parallel_tool_calls"),
    (_openai(tools=[]), "empty array"),
    (_openai(tools=[FUNCTION], tool_choice={"type": "function", "function": {"name": "g"}}), "tool_choice"),
    (_openai(messages=[{"role": "user", "content": []}]), "empty array"),
    (_openai(messages=[USER, CALLS, USER]), "did not have response messages: c1"),
    (_openai(messages=[USER, {"role": "tool", "tool_call_id": "c1", "content": "x"}]), "preceeding message"),
    (_openai(messages=[USER, CALLS, {"role": "tool", "tool_call_id": "c1", "content": [IMAGE]}]), "role 'user'"),
    (_openai(messages=[{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]}]), "cache_control"),
    (_openai(messages=[USER, {"role": "assistant", "content": None}]), "got null"),
    (_openai(messages=[USER, {"role": "assistant", "content": "x", "reasoning_content": "y"}]), "reasoning_content"),
]


@pytest.mark.parametrize(("body", "words"), OPENAI_REFUSES)
def test_openai_rules(body: dict[str, Any], words: str) -> None:
    """What the vendor refuses is refused."""
    with pytest.raises(RefusalError) as caught:
        openai_rules.check(C_HEADERS, body, KEY)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("check", "headers", "body"),
    [
        (anthropic_rules.check, A_HEADERS | {"authorization": "Bearer other"}, _anthropic()),
        (openai_rules.check, C_HEADERS | {"x-api-key": "other"}, _openai()),
    ],
)
def test_two_credentials_are_refused(check: Callable[..., None], headers: dict[str, str], body: dict[str, Any]) -> None:
    """A client's own token must never travel on."""
    with pytest.raises(RefusalError, match="two credentials"):
        check(headers, body, KEY)
