"""Gemini CLI itself, unchanged, through the real program: Google's wire on this side, each other vendor's on the other."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.dialects import CHAT
from tests.fakes.lab import Lab, Pair
from tests.fakes.program import private_environment
from tests.fakes.script import Answer, CallTool, Say, Step, say
from tests.fakes.upstream import Received
from tests.journeys.clients import Ended, find, run

pytestmark = pytest.mark.journey
SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "general": {"enableAutoUpdate": False},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
}


@pytest.fixture(params=["anthropic", "openai"])
def way(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Gemini CLI to each vendor, which must take every request that reaches it."""
    pair = lab.pair(CHAT, request.param)
    yield pair
    assert pair.upstream.complaints == []


def run_gemini(pair: Pair, folder: Path, prompt: str) -> Ended:
    """One prompt in headless mode, with the program as its only way out."""
    home, work = folder / "home", folder / "work"
    (home / ".gemini").mkdir(parents=True)
    work.mkdir(exist_ok=True)
    (home / ".gemini" / "settings.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    env = private_environment(home) | {"GOOGLE_GEMINI_BASE_URL": pair.program.url, "GEMINI_API_KEY": pair.program.token}
    return run([str(find("gemini")), "--skip-trust", "-y", "-o", "json", "-m", "lynkr-auto", "-p", prompt], env, work)


def test_it_answers_and_counts_tokens(way: Pair, tmp_path: Path) -> None:
    way.upstream.always = say("Grüße aus der Wolke ☁.", pieces=5)
    ended = run_gemini(way, tmp_path, "Say hello.")
    assert ended.code == 0, ended.stderr
    assert ended.result["response"] == "Grüße aus der Wolke ☁."
    assert ended.result["stats"]["models"]["lynkr-auto"]["tokens"]["prompt"] == 12


def test_it_reads_a_file_with_its_own_tool_and_says_what_is_in_it(way: Pair, tmp_path: Path) -> None:
    word = f"SECRET-{secrets.token_hex(6)}"
    note = tmp_path / "work" / "note.txt"
    note.parent.mkdir()
    note.write_text(word, encoding="utf-8")

    def keeper(received: Received) -> Step:
        messages: Any = json.dumps(received.json["messages"])
        if word in messages:
            return say(f"The note says {word}.")
        return Answer((Say("Let me look. "), CallTool("read_file", {"file_path": str(note)}, "toolu_01Look")))

    way.upstream.always = keeper
    ended = run_gemini(way, tmp_path, "What does note.txt say?")
    assert ended.code == 0, ended.stderr
    assert ended.result["response"] == f"The note says {word}."
    assert ended.result["stats"]["tools"]["byName"]["read_file"]["success"] == 1
