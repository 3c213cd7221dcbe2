"""OpenAI's own SDK through the real program, in the Responses API, to both vendors."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from tests.fakes.dialects import CHAT, READ_FILE_SCHEMA
from tests.fakes.lab import Lab, Pair
from tests.fakes.script import Answer, CallTool, Ending, Refuse, Say, Think, Tokens, dies, say
from tests.journeys.test_sdk_anthropic import FILES, reads_files

pytestmark = pytest.mark.journey
MODEL = "gpt-4o"
TOOLS: Any = [{"type": "function", "name": "read_file", "parameters": READ_FILE_SCHEMA | {"additionalProperties": False}}]
STREAMED = pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])


@pytest.fixture(params=["openai", "anthropic"])
def way(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A client of the Responses API to each vendor."""
    pair = lab.pair(CHAT, request.param)
    yield pair
    if not pair.upstream.expects_complaints:
        assert pair.upstream.complaints == []


@pytest.fixture
def client(way: Pair) -> Iterator[openai.OpenAI]:
    """The SDK, pointed at the program as its users do."""
    with openai.OpenAI(api_key=way.program.token, base_url=f"{way.program.url}/v1", max_retries=0, timeout=60) as sdk:
        yield sdk


def _answer(client: openai.OpenAI, given: Any, *, is_streamed: bool, **more: Any) -> Response:
    if is_streamed:
        with client.responses.stream(model=MODEL, input=given, **more) as stream:
            return stream.get_final_response()
    answer: Response = client.responses.create(model=MODEL, input=given, **more)
    return answer


@STREAMED
def test_a_plain_answer(way: Pair, client: openai.OpenAI, is_streamed: bool) -> None:
    way.upstream.play(Answer((Think("Hm."), Say("One two ☁.", 4)), tokens=Tokens(input=9, output=8, cache_read=7)))
    answer = _answer(client, "Count.", is_streamed=is_streamed, instructions="Be brief.")
    assert answer.output_text == "One two ☁."
    assert (answer.status, answer.model) == ("completed", MODEL)
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (16, 8, 24)
    assert answer.usage.input_tokens_details.cached_tokens == 7
    assert "Be brief." in way.upstream.chats[0].body.decode()


@STREAMED
@pytest.mark.parametrize("is_named", [False, True], ids=["in-full", "by-id"])
def test_a_tool_loop_with_two_files(way: Pair, client: openai.OpenAI, is_streamed: bool, is_named: bool) -> None:
    """What the tools gave decides the answer, whether the client sends everything again or names the answer before."""
    way.upstream.always = reads_files
    first = _answer(client, "Where is the treasure?", is_streamed=is_streamed, tools=TOOLS)
    calls = [item for item in first.output if item.type == "function_call"]
    assert [one.arguments for one in calls] == ['{"path": "a.txt"}', '{"path": "b.txt"}']
    results: list[Any] = [
        {"type": "function_call_output", "call_id": one.call_id, "output": text}
        for one, text in zip(calls, FILES.values(), strict=True)
    ]
    if is_named:
        end = _answer(client, results, is_streamed=is_streamed, tools=TOOLS, previous_response_id=first.id)
    else:
        said: list[Any] = [
            {key: value for key, value in item.to_dict().items() if key != "parsed_arguments"} for item in first.output
        ]
        given = [{"role": "user", "content": "Where is the treasure?"}, *said, *results]
        end = _answer(client, given, is_streamed=is_streamed, tools=TOOLS, store=False)
    assert end.output_text == "I learned: the treasure is under the oak; the key is in the well"
    assert "Where is the treasure?" in way.upstream.chats[1].body.decode()


def test_every_event_of_a_stream(way: Pair, client: openai.OpenAI) -> None:
    """Text piece by piece, then a custom tool's bare text piece by piece."""
    call = CallTool("patch", {"input": "line one\nline two"}, "toolu_01C", pieces=5)
    way.upstream.play(Answer((Say("One two three.", 5), call)))
    stream = client.responses.create(model=MODEL, input="x", stream=True, tools=[{"type": "custom", "name": "patch"}])
    events = list(stream)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "One two three."
    inputs = [event.delta for event in events if event.type == "response.custom_tool_call_input.delta"]
    assert "".join(inputs) == "line one\nline two"
    assert len(inputs) > 1
    last = events[-1]
    assert last.type == "response.completed"
    assert [item.type for item in last.response.output] == ["message", "custom_tool_call"]


class Weather(BaseModel):
    """A form for the answer."""

    city: str
    degrees: int


@STREAMED
def test_an_answer_in_a_form(way: Pair, client: openai.OpenAI, is_streamed: bool) -> None:
    way.upstream.play(say('{"city": "Ulm", "degrees": 7}'))
    if is_streamed:
        with client.responses.stream(model=MODEL, input="Weather?", text_format=Weather) as stream:
            parsed = stream.get_final_response().output_parsed
    else:
        parsed = client.responses.parse(model=MODEL, input="Weather?", text_format=Weather).output_parsed
    assert parsed == Weather(city="Ulm", degrees=7)
    assert "degrees" in way.upstream.chats[0].body.decode()


@STREAMED
def test_an_answer_that_reached_its_limit(way: Pair, client: openai.OpenAI, is_streamed: bool) -> None:
    way.upstream.play(Answer((Say("and so on and"),), stop="length"))
    if is_streamed:  # the SDK's helper for streams knows only whole answers
        *_, last = client.responses.create(model=MODEL, input="Tell.", stream=True, max_output_tokens=20)
        assert last.type == "response.incomplete"
        answer = last.response
    else:
        answer = client.responses.create(model=MODEL, input="Tell.", max_output_tokens=20)
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert answer.output_text == "and so on and"


def test_a_failure_in_the_middle_is_seen(way: Pair, client: openai.OpenAI) -> None:
    """The stream ends with a failure that the SDK understands, after what had come."""
    way.upstream.play(dies(Ending.ERROR_EVENT, after=6))
    events = list(client.responses.create(model=MODEL, input="x", stream=True))
    last = events[-1]
    assert last.type == "response.failed"
    assert last.response.error is not None
    assert last.response.error.message


def test_a_refusal_is_an_error_of_the_sdk(way: Pair, client: openai.OpenAI) -> None:
    way.upstream.play(Refuse(400, "There are penguins in the prompt."))
    with pytest.raises(openai.BadRequestError, match="penguins"):
        client.responses.create(model=MODEL, input="x")


def test_answers_can_be_read_again_and_dropped(way: Pair, client: openai.OpenAI) -> None:
    way.upstream.play(say("kept"))
    answer = client.responses.create(model=MODEL, input="x")
    assert client.responses.retrieve(answer.id).output_text == "kept"
    client.responses.delete(answer.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(answer.id)
    with pytest.raises(openai.BadRequestError, match="Send the whole conversation"):
        client.responses.create(model=MODEL, input="y", previous_response_id=answer.id)


def test_compaction_is_left_to_the_client(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="nothing at /v1/responses/compact"):
        client.responses.compact(model=MODEL, input="x")
