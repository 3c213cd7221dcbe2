"""A budget that is used up, as the people at real clients see it: in words, at once, and without a storm of new tries."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.test_budgets_served import MODEL, WRITTEN, budgets_in
from tests.fakes.caller import Caller
from tests.fakes.dialects import MESSAGES
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.script import Answer, Say
from tests.fakes.upstream import Upstream
from tests.journeys.clients import find, run_claude
from tests.journeys.test_codex import CodexRun

pytestmark = pytest.mark.journey
Start = Callable[..., Program]
WORDS = "The daily budget of $0.001 is 502 % used"


@pytest.fixture
def used_up(headless: Start, anthropic_upstream: Upstream, tmp_path: Path) -> Program:
    """A program whose budget one request has used up."""
    folder = budgets_in(tmp_path / "kept", {"amount_usd": "0.001"})
    program = headless(MODEL_PROVIDER=f"anthropic:{MODEL}", LYNKR_DATA_DIR=folder, **account(anthropic_upstream))
    anthropic_upstream.always = Answer((Say("hi"),), tokens=WRITTEN)
    assert Caller(program.url, program.token).post(MESSAGES.path, MESSAGES.ask("hello")).status == 200
    return program


def _refused(program: Program) -> int:
    """How many requests the budget has refused; the program must have ended."""
    program.stop()
    connection = sqlite3.connect(program.data_dir / "ledger.db")
    try:
        (count,) = connection.execute("SELECT count(*) FROM exchanges WHERE error = 'budget'").fetchone()
    finally:
        connection.close()
    return int(count)


def test_claude_code_shows_it_and_stops(used_up: Program, tmp_path: Path) -> None:
    ended = run_claude(find("claude"), used_up, "Say hello.", tmp_path)
    assert WORDS in ended.stdout
    assert _refused(used_up) == 1


def test_codex_shows_it_and_stops(used_up: Program, tmp_path: Path) -> None:
    ended, _ = CodexRun(used_up, tmp_path)("Say hello.")
    assert WORDS in ended.stdout
    assert _refused(used_up) == 1
