"""Vendors that fall silent: before the first byte, in the middle, and those that are only slow."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.caller import PATIENCE, Caller, events_of
from tests.fakes.dialects import DIALECTS, MESSAGES, Dialect
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.script import Delivery, Ending, Hang, dies, say
from tests.fakes.upstream import Upstream

Start = Callable[..., Program]
BOTH = pytest.mark.parametrize("dialect", DIALECTS, ids=["messages", "chat"])


def _limited(folder: Path, *, first_byte: float = 30, idle: float = 30) -> dict[str, str]:
    """A data folder whose settings have short limits."""
    settings = {"version": 1, "limits": {"first_byte_seconds": first_byte, "idle_seconds": idle}}
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    return {"LYNKR_DATA_DIR": str(folder)}


def test_row_099_silence_before_the_first_byte_moves_on(
    headless: Start, openai_upstream: Upstream, anthropic_upstream: Upstream, tmp_path: Path
) -> None:
    """The next target serves, and the silent one is hung up on."""
    openai_upstream.always = Hang()
    tiers = dict.fromkeys(("TIER_SIMPLE", "TIER_MEDIUM", "TIER_COMPLEX", "TIER_REASONING"), "openai:gpt-4o,anthropic:claude-x")
    program = headless(**_limited(tmp_path, first_byte=1), **tiers, **account(openai_upstream), **account(anthropic_upstream))
    reply = Caller(program.url, program.token).post(MESSAGES.path, MESSAGES.ask("hi", is_streamed=True))
    assert MESSAGES.heard(reply).text == "pong"
    assert reply.headers["x-lynkr-provider"] == "anthropic"
    assert openai_upstream.chats[0].hung_up.wait(PATIENCE)


@BOTH
def test_a_lone_target_that_never_answers(headless: Start, openai_upstream: Upstream, tmp_path: Path, dialect: Dialect) -> None:
    """The client hears of it instead of waiting for ever."""
    openai_upstream.always = Hang()
    program = headless(MODEL_PROVIDER="openai", **_limited(tmp_path, first_byte=1), **account(openai_upstream))
    reply = Caller(program.url, program.token).post(dialect.path, dialect.ask("hi", is_streamed=True))
    assert reply.status == 504
    assert "1 s" in dialect.error_of(reply.json)


@BOTH
def test_silence_in_the_middle_is_told(headless: Start, openai_upstream: Upstream, tmp_path: Path, dialect: Dialect) -> None:
    """An error in the client's dialect after the words that came."""
    openai_upstream.always = dies(Ending.HANG, after=4)
    program = headless(MODEL_PROVIDER="openai", **_limited(tmp_path, idle=1), **account(openai_upstream))
    with Caller(program.url, program.token).stream(dialect.path, dialect.ask("hi", is_streamed=True)) as stream:
        events = [event for event in events_of(stream.rest()) if event != "[DONE]"]
    assert b"one t" in stream.seen
    assert "nothing for 1 s" in dialect.error_of(events[-1])
    assert openai_upstream.chats[0].hung_up.wait(PATIENCE)


@BOTH
def test_row_097_a_slow_stream_is_not_a_silent_one(
    headless: Start, openai_upstream: Upstream, tmp_path: Path, dialect: Dialect
) -> None:
    """Only silence is limited, never the whole: keep-alive comments and slow words carry a stream beyond the limit."""
    slow = Delivery(gap_seconds=0.4, has_comments=True)
    openai_upstream.always = say("a slow story of six words", pieces=6, delivery=slow)
    program = headless(MODEL_PROVIDER="openai", **_limited(tmp_path, idle=3, first_byte=3), **account(openai_upstream))
    with Caller(program.url, program.token).stream(dialect.path, dialect.ask("hi", is_streamed=True)) as stream:
        body = stream.rest().replace(b": keep-alive\n\n", b"")
    assert not any("error" in event for event in events_of(body))
    assert b"words" in body or b"ords" in body
