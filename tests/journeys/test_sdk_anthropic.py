"""Anthropic's own SDK through the real program, to both vendors."""

from collections.abc import Iterator

import anthropic
import pytest
from anthropic.types import Message, MessageParam, ToolParam

from tests.fakes.dialects import MESSAGES, READ_FILE_SCHEMA
from tests.fakes.lab import Lab, Pair
from tests.fakes.script import Answer, CallTool, Refuse, Say, Step, Think, Tokens, dies, first_event_is_error, say
from tests.fakes.script import Ending as Ends
from tests.fakes.upstream import Received

pytestmark = pytest.mark.journey
MODEL = "lynkr-auto"
TOOLS: list[ToolParam] = [{"name": "read_file", "description": "Reads.", "input_schema": dict(READ_FILE_SCHEMA)}]
FILES = {"a.txt": "the treasure is under the oak", "b.txt": "the key is in the well"}


@pytest.fixture(params=["anthropic", "openai"])
def way(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """An Anthropic client to each vendor."""
    pair = lab.pair(MESSAGES, request.param)
    yield pair
    if not pair.upstream.expects_complaints:
        assert pair.upstream.complaints == []


@pytest.fixture
def client(way: Pair) -> Iterator[anthropic.Anthropic]:
    """The SDK, pointed at the program as its users do."""
    with anthropic.Anthropic(api_key=way.program.token, base_url=way.program.url, max_retries=0, timeout=60) as sdk:
        yield sdk


def _answer(client: anthropic.Anthropic, messages: list[MessageParam], *, is_streamed: bool) -> Message:
    if is_streamed:
        with client.messages.stream(model=MODEL, max_tokens=8000, messages=messages, tools=TOOLS) as stream:
            return stream.get_final_message()
    return client.messages.create(model=MODEL, max_tokens=8000, messages=messages, tools=TOOLS)


def reads_files(received: Received) -> Step:
    """A model that reads both files at once, and then says what they held."""
    body = received.body.decode()
    found = [text for text in FILES.values() if text in body]
    if found:
        return say("I learned: " + "; ".join(found))
    calls = [CallTool("read_file", {"path": name}, f"toolu_{index}") for index, name in enumerate(FILES)]
    return Answer((Say("I will read them."), *calls), is_interleaved=True)


@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_a_tool_loop_with_two_files(way: Pair, client: anthropic.Anthropic, is_streamed: bool) -> None:
    """What the tools gave decides the answer."""
    way.upstream.always = reads_files
    messages: list[MessageParam] = [{"role": "user", "content": "Where is the treasure?"}]
    turn = _answer(client, messages, is_streamed=is_streamed)
    assert turn.stop_reason == "tool_use"
    calls = [block for block in turn.content if block.type == "tool_use"]
    assert [one.input for one in calls] == [{"path": "a.txt"}, {"path": "b.txt"}]
    messages += [
        {"role": "assistant", "content": turn.content},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": one.id, "content": FILES[str(one.input["path"])]} for one in calls
            ],
        },
    ]
    end = _answer(client, messages, is_streamed=is_streamed)
    assert end.content[0].type == "text"
    assert end.content[0].text == "I learned: the treasure is under the oak; the key is in the well"
    assert end.stop_reason == "end_turn"


def test_the_stream_helper_hears_everything(way: Pair, client: anthropic.Anthropic) -> None:
    """Thinking, text as it comes, tokens."""
    way.upstream.play(Answer((Think("Let me see."), Say("One two three.", 5)), tokens=Tokens(9, 8, 7)))
    with client.messages.stream(model=MODEL, max_tokens=64, messages=[{"role": "user", "content": "Count."}]) as stream:
        texts = list(stream.text_stream)
        message = stream.get_final_message()
    assert "".join(texts) == "One two three."
    assert len(texts) > 1
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert (message.usage.input_tokens, message.usage.output_tokens, message.usage.cache_read_input_tokens) == (9, 8, 7)


def test_counting_and_listing(way: Pair, client: anthropic.Anthropic) -> None:
    """The SDK's other calls."""
    assert client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "hi"}]).input_tokens > 0
    names = [model.id for model in client.models.list()]
    assert "lynkr-auto" in names
    assert client.models.retrieve(names[0]).id == names[0]
    assert way.program.url


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Refuse(400, "no such thing"), anthropic.BadRequestError),
        (Refuse(404, "no such model"), anthropic.NotFoundError),
        (Refuse(429, "slow", (("retry-after", "99"),)), anthropic.RateLimitError),
        (Refuse(500, "broken"), anthropic.InternalServerError),
        (first_event_is_error(), anthropic.APIStatusError),
        (dies(Ends.RESET, after=5), anthropic.APIStatusError),
    ],
)
def test_failures_are_the_sdks_own_exceptions(
    way: Pair, client: anthropic.Anthropic, step: Step, kind: type[anthropic.APIStatusError]
) -> None:
    """So that its users' handlers work."""
    way.upstream.always = step
    with (
        pytest.raises(kind) as caught,
        client.messages.stream(model=MODEL, max_tokens=64, messages=[{"role": "user", "content": "x"}]) as stream,
    ):
        stream.get_final_message()
    assert caught.value.message


def test_a_wrong_token(way: Pair) -> None:
    """Told as what it is."""
    with (
        anthropic.Anthropic(api_key="wrong", base_url=way.program.url, max_retries=0) as sdk,
        pytest.raises(anthropic.AuthenticationError, match="token"),
    ):
        sdk.messages.create(model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "x"}])
