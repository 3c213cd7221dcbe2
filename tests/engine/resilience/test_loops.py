"""Conversations that go in circles: what counts as one, and how often the user hears of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lynkr_desktop.config.settings import Limits
from lynkr_desktop.engine.chat.request import ChatRequest, Message, TextPart, ToolCallPart
from lynkr_desktop.engine.events import RequestFinished, Trouble
from lynkr_desktop.engine.resilience.loops import (
    MOST_TURNS,
    NEWEST_CALLS,
    QUIET_SECONDS,
    RATE_SECONDS,
    SAME_CALLS,
    LoopWatch,
    circle_in,
)
from lynkr_desktop.errors import ClientError
from tests.engine.store.exchanges import exchange
from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, MESSAGES
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.upstream import Upstream


def conversation(*calls: tuple[str, str], turns: int = 0) -> ChatRequest:
    messages = [Message("assistant", (ToolCallPart("id", name, arguments),)) for name, arguments in calls]
    messages += [Message("assistant", (TextPart("on"),))] * turns
    return ChatRequest("anthropic", "m", tuple(messages), b"", {})


SAME = ("read_file", '{"path":"a.py"}')
CIRCLE = conversation(*[SAME] * SAME_CALLS)
STRAIGHT = conversation(*[("read_file", f'{{"path":"{number}.py"}}') for number in range(200)])


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (CIRCLE, f"read_file was called {SAME_CALLS} times with the same arguments."),
        (conversation(*[SAME] * (SAME_CALLS - 1)), ""),
        (STRAIGHT, ""),
        (conversation(*[SAME] * SAME_CALLS, *[("run", str(number)) for number in range(NEWEST_CALLS)]), ""),
        (conversation(*[step for number in range(SAME_CALLS) for step in (SAME, ("run", str(number)))]), f"{SAME_CALLS} times"),
        (conversation(turns=MOST_TURNS + 1), f"The conversation has {MOST_TURNS + 1} turns."),
        (conversation(turns=MOST_TURNS), ""),
    ],
    ids=["same", "one less", "other arguments", "long ago", "with others between", "long", "one turn less"],
)
def test_what_is_a_circle(request_: ChatRequest, words: str) -> None:
    found = circle_in(request_)
    assert words in found
    assert bool(found) == bool(words)


class Room:
    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[Trouble] = []
        self.watch = LoopWatch(lambda: self.now, self.told.append)

    def look(self, request: ChatRequest, session: str = "s1", *, stops: bool = False) -> str:
        return self.watch.look(request, "claude-code", session, Limits(stops_loops=stops, fast_spending_usd=5))


def test_the_user_hears_of_each_conversation_once() -> None:
    room = Room()
    assert all(room.look(CIRCLE) for _ in range(5))
    assert room.look(CIRCLE, "s2")
    assert [each.key for each in room.told] == ["loop-s1", "loop-s2"]
    assert "claude-code: read_file was called" in room.told[0].detail


def test_a_conversation_that_goes_on_well_ends_the_warning() -> None:
    room = Room()
    room.look(CIRCLE)
    assert room.look(STRAIGHT) == ""
    room.look(CIRCLE)
    assert [(each.key, each.is_over) for each in room.told] == [("loop-s1", False), ("loop-s1", True)]


def test_silence_ends_the_warning() -> None:
    room = Room()
    room.look(CIRCLE)
    room.now = QUIET_SECONDS + 1
    room.watch.refresh()
    assert room.told[-1].is_over


def test_only_so_many_conversations_are_remembered() -> None:
    room = Room()
    for number in range(1000):
        room.look(CIRCLE, str(number))
    assert len(room.watch._seen) < 300
    assert sum(each.is_over for each in room.told) > 700


def test_it_stops_only_what_it_is_told_to_stop() -> None:
    room = Room()
    assert room.look(STRAIGHT, stops=True) == ""
    with pytest.raises(ClientError) as refusal:
        room.look(CIRCLE, stops=True)
    assert refusal.value.status == 429
    assert "stops_loops" in str(refusal.value)


def test_money_that_goes_fast_is_told_and_slow_money_is_not() -> None:
    room = Room()
    for minute in range(30):
        room.now = minute * 60.0
        room.watch.hear(RequestFinished(exchange(minute, session="slow", cost_usd="0.4")))
        assert room.look(STRAIGHT, "slow") == ""
    for number in range(20):
        room.watch.hear(RequestFinished(exchange(number, session="fast", cost_usd="0.26")))
    room.watch.hear(RequestFinished(exchange(number, session="free", cost_usd=None)))
    assert room.look(STRAIGHT, "fast") == "The conversation spent $5.20 in the last ten minutes."
    assert room.look(STRAIGHT, "free") == ""
    with pytest.raises(ClientError, match="runs away"):
        room.look(STRAIGHT, "fast", stops=True)
    room.now += RATE_SECONDS + 1
    assert room.look(STRAIGHT, "fast") == ""
    assert room.told[-1].is_over


Start = Callable[..., Program]


@pytest.mark.parametrize("stops", [False, True])
def test_a_real_client_hears_of_it(headless: Start, openai_upstream: Upstream, tmp_path: Path, stops: bool) -> None:
    """In a header as a rule; with 429 and the reason where the user wants it so. The vendor is asked only in the first case."""
    (tmp_path / "settings.json").write_text(json.dumps({"version": 1, "limits": {"stops_loops": stops}}), encoding="utf-8")
    program = headless(MODEL_PROVIDER="openai", LYNKR_DATA_DIR=str(tmp_path), **account(openai_upstream))
    for dialect in (MESSAGES, CHAT):
        body = dialect.ask("hi", tools=["read_file"])
        for number in range(SAME_CALLS):
            body["messages"] += _round(dialect is MESSAGES, number)
        reply = Caller(program.url, program.token).post(dialect.path, body)
        if stops:
            assert reply.status == 429
            assert f"called {SAME_CALLS} times" in dialect.error_of(reply.json)
        else:
            assert (reply.status, f"called {SAME_CALLS} times" in reply.headers["x-lynkr-warning"]) == (200, True)
    assert len(openai_upstream.chats) == (0 if stops else 2)
    assert "may be running away" in program.stderr


def _round(is_anthropic: bool, number: int) -> list[dict[str, object]]:
    key = f"call_{number}"
    if is_anthropic:
        call = {"type": "tool_use", "id": key, "name": "read_file", "input": {"path": "a.py"}}
        answer = {"type": "tool_result", "tool_use_id": key, "content": "x"}
        return [{"role": "assistant", "content": [call]}, {"role": "user", "content": [answer]}]
    function = {"name": "read_file", "arguments": '{"path": "a.py"}'}
    turn: dict[str, object] = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": key, "type": "function", "function": function}],
    }
    return [turn, {"role": "tool", "tool_call_id": key, "content": "x"}]
