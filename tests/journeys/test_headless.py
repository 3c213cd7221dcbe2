"""The program without a window: how it starts, tells where it serves, is stopped, and what it remembers."""

import contextlib
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.caller import PATIENCE, Caller
from tests.fakes.dialects import CHAT, MESSAGES
from tests.fakes.lab import PROMPT_CANARY, account
from tests.fakes.program import ROOT, START_SECONDS, Program
from tests.fakes.script import Delivery, Ending, Refuse, say
from tests.fakes.upstream import Upstream

pytestmark = pytest.mark.journey
Start = Callable[..., Program]


def test_it_says_where_it_serves(headless: Start, openai_upstream: Upstream) -> None:
    """One line of JSON, when it really serves; its own pid; the port that was asked for; loopback only."""
    program = headless(MODEL_PROVIDER="openai", **account(openai_upstream))
    assert program.announced == {"url": f"http://127.0.0.1:{program.env['PORT']}", "pid": program.process.pid}
    assert Caller(program.url, "").request("GET", "/health", has_token=False).status == 200
    assert program.stop() == 0
    assert len(program.stdout.splitlines()) == 1
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", program.port)) != 0, "the port must be free again"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_asked(headless: Start, openai_upstream: Upstream, number: signal.Signals) -> None:
    """With exit code 0, also while an answer hangs: that one is cut, and the vendor is hung up on."""
    openai_upstream.play(say("first second", delivery=Delivery(ending=Ending.HOLD, cut_before=b"second")))
    program = headless(MODEL_PROVIDER="openai", **account(openai_upstream))
    with Caller(program.url, program.token).stream(CHAT.path, CHAT.ask("hi", is_streamed=True)) as stream:
        stream.read_until(b"first")
        program.process.send_signal(number)
        assert program.wait() == 0
    assert openai_upstream.chats[0].hung_up.wait(PATIENCE)


def test_an_answer_in_progress_may_end(headless: Start, openai_upstream: Upstream) -> None:
    """A stop lets it finish, if it does so soon; and nobody new comes in."""
    openai_upstream.play(say("first second", delivery=Delivery(ending=Ending.HOLD, cut_before=b"second")))
    program = headless(MODEL_PROVIDER="openai", **account(openai_upstream))
    with Caller(program.url, program.token).stream(CHAT.path, CHAT.ask("hi", is_streamed=True)) as stream:
        stream.read_until(b"first")
        program.process.send_signal(signal.SIGTERM)
        openai_upstream.chats[0].release()
        assert stream.rest().endswith(b"data: [DONE]\n\n")
    assert program.wait() == 0


def test_an_env_file_configures_it(headless: Start, openai_upstream: Upstream, tmp_path: Path) -> None:
    """Lynkr's variables from a file; the environment wins over it."""
    lines = [f"{name}={value}" for name, value in account(openai_upstream).items()]
    file = tmp_path / "lynkr.env"
    file.write_text("\n".join(["# mine", *lines, "MODEL_PROVIDER=openai", "OPENAI_MODEL=gpt-from-file"]), encoding="utf-8")
    program = headless(arguments=("--env-file", str(file)), OPENAI_MODEL="gpt-from-environment")
    assert Caller(program.url, program.token).post(CHAT.path, CHAT.ask("hi")).status == 200
    assert openai_upstream.chats[0].json["model"] == "gpt-from-environment"


def test_the_ledger_outlives_it(headless: Start, openai_upstream: Upstream) -> None:
    """What was served is in the ledger when it has ended: with its route and its tokens, without its words."""
    openai_upstream.play(say(PROMPT_CANARY), Refuse(500, "down"), Refuse(500, "down"))
    program = headless(MODEL_PROVIDER="openai:gpt-4o-mini", **account(openai_upstream))
    caller = Caller(program.url, program.token)
    assert caller.post(MESSAGES.path, MESSAGES.ask(PROMPT_CANARY, system=PROMPT_CANARY)).status == 200
    assert caller.post(CHAT.path, CHAT.ask(PROMPT_CANARY)).status >= 500
    assert program.stop() == 0
    rows = _ledger_rows(program)
    assert [(row["surface"], row["model"], row["status"]) for row in rows] == [
        ("messages", "gpt-4o-mini", 200),
        ("chat_completions", "", 503),
    ]
    assert (rows[0]["input_tokens"], rows[0]["output_tokens"], rows[0]["fidelity"]) == (12, 7, "translated")


def test_row_101_a_client_that_left_is_nobodys_failure(headless: Start, openai_upstream: Upstream) -> None:
    """The ledger notes 499, and no error of the vendor."""
    openai_upstream.play(say("first second", delivery=Delivery(ending=Ending.HOLD, cut_before=b"second")))
    program = headless(MODEL_PROVIDER="openai:gpt-4o-mini", **account(openai_upstream))
    with Caller(program.url, program.token).stream(MESSAGES.path, MESSAGES.ask("hi", is_streamed=True)) as stream:
        stream.read_until(b"first")
        stream.leave()
    assert openai_upstream.chats[0].hung_up.wait(PATIENCE)
    assert program.stop() == 0
    assert [(row["status"], row["error"], row["model"]) for row in _ledger_rows(program)] == [(499, "", "gpt-4o-mini")]


def _ledger_rows(program: Program) -> list[dict[str, object]]:
    with contextlib.closing(sqlite3.connect(program.data_dir / "ledger.db")) as ledger:
        ledger.row_factory = sqlite3.Row
        return [dict(row) for row in ledger.execute("SELECT * FROM exchanges ORDER BY id")]


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_it_explains_itself(option: str) -> None:
    """At once, without a screen and without touching anything."""
    ended = subprocess.run(
        [sys.executable, "-m", "lynkr_desktop", option],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert ended.returncode == 0
    assert "lynkr-desktop" in ended.stdout
    assert ended.stderr == ""
