"""A real model on this machine: the built-in one, at the very first start with nothing set up; and llama.cpp as an account."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import anthropic
import openai
import pytest

from lynkr_desktop.engine.providers import embedded_server
from tests.fakes.caller import PATIENCE, Caller
from tests.fakes.dialects import CHAT, DIALECTS, MESSAGES, Dialect
from tests.fakes.lab import PROMPT_CANARY
from tests.fakes.program import Program
from tests.journeys.clients import find, run_claude

pytestmark = pytest.mark.journey
BUILT_IN = "smollm2-135m-instruct"


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with no settings, no variables and no key at all."""
    if not embedded_server.is_installed():
        reason = "the built-in model is not installed: it is the extra 'embedded'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    program = Program(tmp_path_factory.mktemp("first"), {}).wait_until_ready()
    yield program
    program.check_end((PROMPT_CANARY,))


@pytest.mark.parametrize("dialect", DIALECTS, ids=["messages", "chat"])
@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_the_first_start_answers(first_start: Program, dialect: Dialect, is_streamed: bool) -> None:
    """Without anything set up, the very first request gets words from a real model, and its tokens are counted."""
    caller = Caller(first_start.url, first_start.token)
    request = dialect.ask("Say hello to Anna.", is_streamed=is_streamed, max_tokens=40)
    reply = caller.post(dialect.path, request)
    assert reply.status == 200, reply.body
    heard = dialect.heard(reply)
    assert heard.text.strip()
    assert heard.stop in {"end", "length"}
    assert heard.usage
    assert reply.headers["x-lynkr-provider"] == "embedded"
    assert reply.headers["x-lynkr-model"] == BUILT_IN
    assert reply.headers["x-lynkr-tier"] == "SIMPLE"


def test_the_limit_on_the_answer_holds(first_start: Program) -> None:
    """And is told as such."""
    reply = Caller(first_start.url, first_start.token).post(CHAT.path, CHAT.ask("Write a long story.", max_tokens=5))
    heard = CHAT.heard(reply)
    assert heard.stop == "length"
    assert heard.usage["completion_tokens"] == 5


def test_it_is_ready(first_start: Program) -> None:
    """The deep look finds the model's server."""
    deep = Caller(first_start.url, first_start.token).get("/health/ready?deep=true")
    assert deep.status == 200, deep.body
    assert deep.json["checks"]["account embedded"] == "ok"


def test_anthropics_sdk(first_start: Program) -> None:
    """A stream of words."""
    with (
        anthropic.Anthropic(api_key=first_start.token, base_url=first_start.url, max_retries=0, timeout=PATIENCE) as client,
        client.messages.stream(
            model="lynkr-auto", max_tokens=30, messages=[{"role": "user", "content": "Say hello to Anna."}]
        ) as stream,
    ):
        message = stream.get_final_message()
    assert message.content[0].type == "text"
    assert message.content[0].text.strip()
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0


def test_openais_sdk(first_start: Program) -> None:
    """A stream of words."""
    with openai.OpenAI(api_key=first_start.token, base_url=f"{first_start.url}/v1", max_retries=0, timeout=PATIENCE) as client:
        stream = client.chat.completions.create(
            model="lynkr-auto", max_tokens=30, messages=[{"role": "user", "content": "Say hello to Anna."}], stream=True
        )
        words = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert words.strip()


def test_a_session_far_beyond_its_window(first_start: Program) -> None:
    """A real agent's request is ten times the model's window; it answers all the same, and what it left out is declared."""
    noise = "The quick brown fox jumps over the lazy dog. " * 6000
    body = MESSAGES.ask(noise + PROMPT_CANARY, is_streamed=True, max_tokens=40)
    reply = Caller(first_start.url, first_start.token).post(MESSAGES.path, body)
    assert reply.status == 200, reply.body
    assert MESSAGES.heard(reply).text.strip()
    assert reply.headers["x-lynkr-losses"]


def test_claude_code(first_start: Program, tmp_path: Path) -> None:
    """The first minute of a new user: Claude Code answers, though nothing was set up."""
    ended = run_claude(find("claude"), first_start, "Say hello.", tmp_path)
    assert ended.code == 0, ended
    assert ended.result["is_error"] is False
    assert ended.result["result"].strip()


def test_a_llama_cpp_server_as_an_account(first_start: Program, headless: Callable[..., Program]) -> None:
    """Any llama.cpp server can be an account; here it is reached through a second program, as a machine of the house would be."""
    names = {
        "MODEL_PROVIDER": "openai-compatible",
        "OPENAI_COMPATIBLE_API_BASE": first_start.url,
        "OPENAI_COMPATIBLE_API_KEY": first_start.token,
        "OPENAI_COMPATIBLE_MODEL": "lynkr-auto",
    }
    program = headless(**names)
    caller = Caller(program.url, program.token)
    reply = caller.post(MESSAGES.path, MESSAGES.ask("Say hello to Anna.", is_streamed=True, max_tokens=40))
    assert MESSAGES.heard(reply).text.strip()
    assert json.loads(caller.get("/health/ready?deep=true").body)["checks"]["account openai-compatible"] == "ok"
