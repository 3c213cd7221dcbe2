"""OpenAI's own SDK through the real program, to both vendors."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

from tests.fakes.dialects import CHAT, READ_FILE_SCHEMA
from tests.fakes.lab import Lab, Pair
from tests.fakes.script import Answer, Refuse, Say, Step, Tokens, dies, first_event_is_error, say
from tests.fakes.script import Ending as Ends
from tests.journeys.test_sdk_anthropic import FILES, reads_files

pytestmark = pytest.mark.journey
MODEL = "gpt-4o"
TOOLS: Any = [
    {"type": "function", "function": {"name": "read_file", "parameters": READ_FILE_SCHEMA | {"additionalProperties": False}}}
]


@pytest.fixture(params=["openai", "anthropic"])
def way(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """An OpenAI client to each vendor."""
    pair = lab.pair(CHAT, request.param)
    yield pair
    if not pair.upstream.expects_complaints:
        assert pair.upstream.complaints == []


@pytest.fixture
def client(way: Pair) -> Iterator[openai.OpenAI]:
    """The SDK, pointed at the program as its users do."""
    with openai.OpenAI(api_key=way.program.token, base_url=f"{way.program.url}/v1", max_retries=0, timeout=60) as sdk:
        yield sdk


def _answer(client: openai.OpenAI, messages: Any, *, is_streamed: bool) -> ChatCompletion:
    if is_streamed:
        with client.chat.completions.stream(
            model=MODEL, messages=messages, tools=TOOLS, stream_options={"include_usage": True}
        ) as stream:
            return stream.get_final_completion()
    return client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)


@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_a_tool_loop_with_two_files(way: Pair, client: openai.OpenAI, is_streamed: bool) -> None:
    """What the tools gave decides the answer."""
    way.upstream.always = reads_files
    messages: list[Any] = [{"role": "user", "content": "Where is the treasure?"}]
    turn = _answer(client, messages, is_streamed=is_streamed).choices[0]
    assert turn.finish_reason == "tool_calls"
    calls = [one for one in turn.message.tool_calls or [] if one.type == "function"]
    assert [one.function.arguments for one in calls] == ['{"path": "a.txt"}', '{"path": "b.txt"}']
    results = [{"role": "tool", "tool_call_id": one.id, "content": text} for one, text in zip(calls, FILES.values(), strict=True)]
    messages += [turn.message.model_dump(include={"role", "content", "tool_calls"}), *results]
    for message in messages:
        for one in message.get("tool_calls") or []:
            one["function"].pop("parsed_arguments", None)
            one.pop("index", None)
    end = _answer(client, messages, is_streamed=is_streamed).choices[0]
    assert end.message.content == "I learned: the treasure is under the oak; the key is in the well"
    assert end.finish_reason == "stop"


def test_a_plain_stream(way: Pair, client: openai.OpenAI) -> None:
    """Chunk by chunk, with the tokens at the end."""
    way.upstream.play(Answer((Say("One two three.", 5),), tokens=Tokens(9, 8, 7)))
    stream = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Count."}], stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert "".join(texts) == "One two three."
    assert len(texts) > 1
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details.cached_tokens) == (16, 8, 7)


class Place(BaseModel):
    """What the structured answer must be."""

    name: str
    depth: int


def test_a_structured_answer(lab: Lab) -> None:
    """`response_format` with a JSON schema, parsed by the SDK."""
    pair = lab.pair(CHAT, "openai")
    pair.upstream.play(say('{"name": "the well", "depth": 12}'))
    with openai.OpenAI(api_key=pair.program.token, base_url=f"{pair.program.url}/v1", max_retries=0) as sdk:
        parsed = sdk.chat.completions.parse(model=MODEL, messages=[{"role": "user", "content": "Where?"}], response_format=Place)
    assert parsed.choices[0].message.parsed == Place(name="the well", depth=12)
    assert pair.upstream.chats[0].json["response_format"]["json_schema"]["name"] == "Place"


def test_listing(way: Pair, client: openai.OpenAI) -> None:
    """The SDK's list of models."""
    names = [model.id for model in client.models.list()]
    assert "lynkr-auto" in names
    assert client.models.retrieve(names[0]).id == names[0]
    assert way.program.url


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Refuse(400, "no such thing"), openai.BadRequestError),
        (Refuse(404, "no such model"), openai.NotFoundError),
        (Refuse(429, "slow", (("retry-after", "99"),)), openai.RateLimitError),
        (Refuse(500, "broken"), openai.InternalServerError),
        (first_event_is_error(), openai.APIError),
        (dies(Ends.RESET, after=5), openai.APIError),
    ],
)
def test_failures_are_the_sdks_own_exceptions(way: Pair, client: openai.OpenAI, step: Step, kind: type[openai.APIError]) -> None:
    """So that its users' handlers work."""
    way.upstream.always = step
    with pytest.raises(kind) as caught:
        list(client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "x"}], stream=True))
    assert caught.value.message


def test_a_wrong_token(way: Pair) -> None:
    """Told as what it is."""
    with (
        openai.OpenAI(api_key="wrong", base_url=f"{way.program.url}/v1", max_retries=0) as sdk,
        pytest.raises(openai.AuthenticationError, match="token"),
    ):
        sdk.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "x"}])
