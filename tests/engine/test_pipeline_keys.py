"""An account with several keys: one is refused, used up or asked too often, and the next one serves the same request."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, DIALECTS
from tests.fakes.program import Program, canary
from tests.fakes.script import Refuse, Step, first_event_is_error, say
from tests.fakes.upstream import Received, Upstream

Start = Callable[..., Program]
FIRST, SECOND, THIRD = (canary(name) for name in ("first", "second", "third"))


def key_of(received: Received) -> str:
    return received.headers["authorization"].removeprefix("Bearer ")


def by_key(**steps: Step) -> Callable[[Received], Step]:
    """What the vendor answers to each key; `pong` to a key that is not named."""
    named = {"first": FIRST, "second": SECOND, "third": THIRD}
    return lambda received: next((step for name, step in steps.items() if named[name] == key_of(received)), say("pong"))


@pytest.fixture
def started(headless: Start, openai_upstream: Upstream) -> Program:
    openai_upstream.key = ""  # the script decides which keys it takes
    return headless(
        MODEL_PROVIDER="openai:gpt-4o-mini",
        OPENAI_API_BASE=openai_upstream.url,
        OPENAI_API_KEY=FIRST,
        OPENAI_API_KEY_2=SECOND,
        OPENAI_API_KEY_3=THIRD,
    )


def health(program: Program) -> list[tuple[str, str]]:
    (row,) = Caller(program.url, program.token).get("/v1/health/providers").json["providers"]
    return [(key["name"], key["state"]) for key in row["keys"]]


KEYS_OWN: dict[str, Step] = {
    "401": Refuse(401, "Incorrect API key provided."),
    "402": Refuse(402, "You exceeded your current quota."),
    "429": Refuse(429, "Slow down."),
    "429-short": Refuse(429, "Slow down.", (("retry-after", "1"),)),
}


@pytest.mark.parametrize("name", KEYS_OWN)
@pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
def test_the_next_key_serves_at_once_and_the_first_rests(
    started: Program, openai_upstream: Upstream, name: str, is_streamed: bool
) -> None:
    openai_upstream.always = by_key(first=KEYS_OWN[name])
    caller = Caller(started.url, started.token)
    for dialect in DIALECTS:
        reply = caller.post(dialect.path, dialect.ask("hi", is_streamed=is_streamed))
        assert reply.status == 200, reply.body
        assert dialect.heard(reply).text == "pong"
        if dialect is DIALECTS[0]:
            assert "openai:gpt-4o-mini, key 1, failed" in reply.headers["x-lynkr-fallback"]
    used = [key_of(each) for each in openai_upstream.chats]
    assert used[:2] == [FIRST, SECOND]
    if name != "429-short":  # that one may be over already
        assert used == [FIRST, SECOND, SECOND], "the first key was asked again while it rests"
        assert health(started) == [("key 1", "resting"), ("key 2", "healthy"), ("key 3", "unknown")]


def test_each_attempt_is_in_the_ledger_with_its_key_and_no_key_is_in_it(started: Program, openai_upstream: Upstream) -> None:
    openai_upstream.always = by_key(first=KEYS_OWN["401"], second=KEYS_OWN["402"])
    caller = Caller(started.url, started.token)
    assert caller.post(CHAT.path, CHAT.ask("hi")).status == 200
    (row,) = caller.get("/v1/health/providers").json["providers"]
    assert [(key["state"], key["rests_seconds"] > 500) for key in row["keys"]] == [
        ("resting", True),
        ("resting", True),
        ("healthy", False),
    ]
    assert "Incorrect API key provided." in row["keys"][0]["detail"]
    assert row["state"] == "healthy", "the account serves"
    assert not {FIRST, SECOND, THIRD} & set(json.dumps(caller.get("/v1/config").json).split('"'))
    started.stop()
    assert "A key of openai was refused." in started.stderr.replace("OpenAI", "openai")
    with sqlite3.connect(started.data_dir / "ledger.db") as rows:
        (attempts,) = rows.execute("select attempts from exchanges").fetchone()
    told = [(each["key"], each["error"]) for each in json.loads(attempts)]
    assert told == [("key 1", "auth"), ("key 2", "quota"), ("key 3", "")]


def test_if_all_are_refused_the_vendors_words_are_told_and_later_only_one_is_tried(
    started: Program, openai_upstream: Upstream
) -> None:
    openai_upstream.always = KEYS_OWN["401"]
    caller = Caller(started.url, started.token)
    reply = caller.post(CHAT.path, CHAT.ask("hi"))
    assert reply.status == 502, "to the client a key that it does not know is no fault of its own"
    assert "Incorrect API key provided." in reply.body.decode()
    assert [key_of(each) for each in openai_upstream.chats] == [FIRST, SECOND, THIRD]
    assert caller.post(CHAT.path, CHAT.ask("hi")).status == 502
    assert len(openai_upstream.chats) == 4


@pytest.mark.parametrize("step", [Refuse(500, "The server had an error."), Refuse(400, "bad"), first_event_is_error()])
def test_what_is_not_the_keys_fault_is_not_tried_with_others(started: Program, openai_upstream: Upstream, step: Step) -> None:
    openai_upstream.always = step
    Caller(started.url, started.token).post(CHAT.path, CHAT.ask("hi", is_streamed=True))
    assert {key_of(each) for each in openai_upstream.chats} == {FIRST}


def test_keys_in_files(headless: Start, openai_upstream: Upstream, tmp_path: Path) -> None:
    openai_upstream.key = ""
    openai_upstream.always = by_key(first=KEYS_OWN["401"])
    (tmp_path / "second").write_text(SECOND + "\n")
    program = headless(
        MODEL_PROVIDER="openai:gpt-4o-mini",
        OPENAI_API_BASE=openai_upstream.url,
        OPENAI_API_KEY=FIRST,
        OPENAI_API_KEY_2_FILE=str(tmp_path / "second"),
    )
    assert Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi")).status == 200
    assert [key_of(each) for each in openai_upstream.chats] == [FIRST, SECOND]
