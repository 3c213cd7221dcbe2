"""Keys and prompts stay where they belong, also when vendors talk too much, redirect us, or the log is at its loudest."""

import concurrent.futures
from collections.abc import Callable

import pytest

from tests.fakes.caller import PATIENCE, Caller
from tests.fakes.dialects import CHAT, DIALECTS, MESSAGES
from tests.fakes.lab import PROMPT_CANARY, Pair, account
from tests.fakes.program import Program
from tests.fakes.script import Ending, Refuse, Reset, Step, dies, say
from tests.fakes.upstream import Received, Upstream

Start = Callable[..., Program]


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_row_207_the_loudest_log_holds_no_secret(headless: Start, openai_upstream: Upstream, level: str) -> None:
    """Success, failures and broken streams at full volume; the fixture looks through all output and files."""
    steps: tuple[Step, ...] = (
        Refuse(500, "down"),
        Refuse(401, "no"),
        Reset(),
        Reset(),
        dies(Ending.RESET, after=4),
        say(PROMPT_CANARY),
    )
    openai_upstream.play(*steps)
    program = headless(MODEL_PROVIDER="openai:gpt-4o-mini", LOG_LEVEL=level, **account(openai_upstream))
    caller = Caller(program.url, program.token)
    for _ in range(4):
        caller.post(MESSAGES.path, MESSAGES.ask(PROMPT_CANARY, is_streamed=True, system=PROMPT_CANARY))
    caller.post(MESSAGES.path, b'{"model": "%b", "messages": 5}' % PROMPT_CANARY.encode())
    caller.get(f"/v1/{PROMPT_CANARY}?key={program.token}")
    assert len(openai_upstream.chats) >= 5


def test_a_vendor_that_repeats_our_key(headless: Start, openai_upstream: Upstream) -> None:
    """Some put the whole key into their refusal. It reaches neither the client, who has only our token, nor the ledger."""
    openai_upstream.always = Refuse(401, f"Incorrect API key provided: {openai_upstream.key}. Find yours on our page.")
    program = headless(MODEL_PROVIDER="openai:gpt-4o-mini", **account(openai_upstream))
    for dialect in DIALECTS:
        reply = Caller(program.url, program.token).post(dialect.path, dialect.ask("hi"))
        assert "Incorrect API key provided" in dialect.error_of(reply.json)
        assert openai_upstream.key.encode() not in reply.body


def test_a_redirect_is_not_followed(headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream) -> None:
    """A key goes nowhere but to the address that it was entered for."""
    elsewhere = anthropic_upstream.url + "/v1/chat/completions"
    openai_upstream.always = Refuse(307, "moved", (("location", elsewhere),))
    program = headless(MODEL_PROVIDER="openai:gpt-4o-mini", **account(openai_upstream))
    reply = Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi"))
    assert reply.status == 502
    assert "redirect" in CHAT.error_of(reply.json)
    assert anthropic_upstream.received == []


def test_a_model_name_cannot_write_headers(to_openai: Pair) -> None:
    """It is the client's text, and one of our headers names the model."""
    to_openai.upstream.expects_complaints = True
    reply = to_openai.caller.post(CHAT.path, CHAT.ask("hi", model="openai:é\r\nx-evil: 1"))
    assert "x-evil" not in reply.headers
    assert to_openai.caller.get("/health").status == 200


def test_row_098_many_at_once_are_not_mixed_up(pair: Pair) -> None:
    """More streams at once than HTTP libraries allow by themselves: each hears its own answer, and none waits in a line."""
    pair.upstream.always = _echo
    numbers = [f"number-{index:03}" for index in range(120)]

    def ask(number: str) -> str:
        return pair.hear(pair.dialect.ask(number, is_streamed=True)).text

    with concurrent.futures.ThreadPoolExecutor(len(numbers)) as pool:
        answers = list(pool.map(ask, numbers, timeout=PATIENCE))
    assert answers == [f"You said {number}." for number in numbers]


def _echo(received: Received) -> Step:
    content = received.json["messages"][0]["content"]
    text = content if isinstance(content, str) else content[0]["text"]
    return say(f"You said {text}.", pieces=9)
