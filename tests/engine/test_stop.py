"""The end of the program while answers are on their way: they may end, or are told in their own wire; nobody new comes in."""

import json
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, DIALECTS, MESSAGES, Dialect
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.script import Delivery, Ending, Hang, Refuse, say
from tests.fakes.upstream import Upstream

Start = Callable[..., Program]
HELD = say("first second", delivery=Delivery(ending=Ending.HOLD, cut_before=b"second"))
LONG = 60  # seconds: no test waits so long


def data_folder(folder: Path, **limits: float) -> str:
    """A data folder whose settings file holds these limits."""
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps({"version": 1, "limits": limits}), encoding="utf-8")
    return str(folder)


def ledger_rows(folder: str) -> list[tuple[int, str]]:
    connection = sqlite3.connect(Path(folder) / "ledger.db")
    try:
        return connection.execute("SELECT status, error FROM exchanges ORDER BY id").fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["fast", "aiohttp"])
@pytest.mark.parametrize("dialect", DIALECTS, ids=["messages", "chat"])
def test_a_stream_that_must_end_is_told_why(
    headless: Start, openai_upstream: Upstream, tmp_path: Path, dialect: Dialect, path: str
) -> None:
    """By an error event of its own wire at the end of a whole stream, on both ways in; and the ledger knows."""
    openai_upstream.play(HELD)
    data = data_folder(tmp_path / "data", stop_seconds=0.05)
    program = headless(MODEL_PROVIDER="openai", LYNKR_DATA_DIR=data, **account(openai_upstream))
    extra = {"connection": "close"} if path == "aiohttp" else {}
    with Caller(program.url, program.token).stream(dialect.path, dialect.ask("hi", is_streamed=True), extra) as stream:
        stream.read_until(b"first")
        program.process.send_signal(signal.SIGTERM)
        last = [line for line in stream.rest().decode().splitlines() if line.startswith("data:") and "[DONE]" not in line][-1]
    assert "stopping" in dialect.error_of(json.loads(last.removeprefix("data:")))
    assert program.wait() == 0
    assert ledger_rows(data) == [(200, "busy")]


@pytest.mark.parametrize("step", ["silent", "asked to wait"])
def test_who_waits_for_the_first_byte_is_told_too(headless: Start, openai_upstream: Upstream, tmp_path: Path, step: str) -> None:
    """With 503 and when to come back, also while a second try is waited for."""
    openai_upstream.always = Hang() if step == "silent" else Refuse(429, "slow down", (("retry-after", "25"),))
    data = data_folder(tmp_path / "data", stop_seconds=0.05)
    program = headless(MODEL_PROVIDER="openai", LYNKR_DATA_DIR=data, **account(openai_upstream))
    connection = Caller(program.url, program.token).open(CHAT.path, CHAT.ask("hi"))
    openai_upstream.wait_for_chat()
    program.process.send_signal(signal.SIGTERM)
    reply = connection.getresponse()
    assert (reply.status, reply.getheader("retry-after")) == (503, "10")
    assert "stopping" in CHAT.error_of(json.loads(reply.read()))
    connection.close()
    assert program.wait() == 0


def test_an_answer_in_one_piece_is_refused_whole(headless: Start, openai_upstream: Upstream, tmp_path: Path) -> None:
    """The provider was in the middle of it; the client, who had heard nothing, gets 503, and the ledger says the same."""
    openai_upstream.play(HELD)
    data = data_folder(tmp_path / "data", stop_seconds=0.05)
    program = headless(MODEL_PROVIDER="openai", LYNKR_DATA_DIR=data, **account(openai_upstream))
    connection = Caller(program.url, program.token).open(MESSAGES.path, MESSAGES.ask("hi", max_tokens=8000))
    openai_upstream.wait_for_chat()
    program.process.send_signal(signal.SIGTERM)
    reply = connection.getresponse()
    assert reply.status == 503
    assert "stopping" in MESSAGES.error_of(json.loads(reply.read()))
    connection.close()
    assert program.wait() == 0
    assert ledger_rows(data) == [(503, "busy")]


def test_nobody_new_comes_in_while_the_rest_ends(headless: Start, openai_upstream: Upstream, tmp_path: Path) -> None:
    """New requests get 503 in their dialect, whoever watches sees it, and the one in progress comes to its proper end."""
    openai_upstream.play(HELD)
    data = data_folder(tmp_path / "data", stop_seconds=LONG)
    program = headless(MODEL_PROVIDER="openai", LYNKR_DATA_DIR=data, **account(openai_upstream))
    caller = Caller(program.url, program.token)
    with caller.stream(CHAT.path, CHAT.ask("hi", is_streamed=True)) as stream:
        stream.read_until(b"first")
        program.process.send_signal(signal.SIGTERM)
        while caller.get("/health/ready").json["status"] != "shutting_down":
            pass
        assert caller.get("/health/ready").status == 503
        for dialect in DIALECTS:
            reply = caller.post(dialect.path, dialect.ask("hi"))
            assert (reply.status, reply.headers["retry-after"]) == (503, "10")
            assert "stopping" in dialect.error_of(reply.json)
        assert caller.request("POST", MESSAGES.path, {}, has_token=False).status == 401
        openai_upstream.chats[0].release()
        assert stream.rest().endswith(b"data: [DONE]\n\n")
    assert program.wait() == 0
    assert len(openai_upstream.chats) == 1
    assert ledger_rows(data) == [(200, "")]
