"""Claude Code itself, unchanged, through the real program: to Anthropic's wire and to OpenAI's."""

import json
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.dialects import MESSAGES
from tests.fakes.lab import Lab, Pair
from tests.fakes.script import Answer, CallTool, Ending, Refuse, Say, Step, Think, dies, say
from tests.fakes.upstream import Received
from tests.journeys.clients import Ended, find, run_claude

pytestmark = pytest.mark.journey
SECRET = re.compile(r"SECRET-[0-9a-f]{12}")


@pytest.fixture(params=["anthropic", "openai"])
def way(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Claude Code to each vendor, which must take every request that reaches it."""
    pair = lab.pair(MESSAGES, request.param)
    yield pair
    assert pair.upstream.complaints == []


@pytest.fixture
def claude(way: Pair, tmp_path: Path) -> Callable[[str], Ended]:
    """Run one prompt."""
    command = find("claude")
    return lambda prompt: run_claude(command, way.program, prompt, tmp_path)


def _file(folder: Path, name: str) -> tuple[Path, str]:
    """A file with a secret that nobody could guess."""
    path, secret = folder / name, f"SECRET-{secrets.token_hex(6)}"
    path.write_text(f"the secret of {name} is {secret}\n", encoding="utf-8")
    return path, secret


def _reader(*paths: Path) -> Callable[[Received], Step]:
    """A model that reads all files in one turn, and then tells the secrets that it was given back."""

    def model(received: Received) -> Step:
        found = sorted(set(SECRET.findall(json.dumps(received.json["messages"]))))
        if found:
            return say("The secrets are: " + ", ".join(found))
        calls = [CallTool("Read", {"file_path": str(path)}, f"toolu_0{number}") for number, path in enumerate(paths)]
        return Answer((Think("I need the files."), Say("I will look."), *calls), is_interleaved=True)

    return model


def test_a_plain_answer(way: Pair, claude: Callable[[str], Ended]) -> None:
    """Text in, text out, with the tokens that the vendor told."""
    way.upstream.always = say("Hello from the other side. ☁")
    ended = claude("Say hello.")
    assert ended.code == 0, ended
    assert ended.result["result"] == "Hello from the other side. ☁"
    assert ended.result["is_error"] is False
    assert ended.result["usage"]["output_tokens"] == 7


@pytest.mark.parametrize("count", [1, 2])
def test_files_decide_the_answer(way: Pair, claude: Callable[[str], Ended], tmp_path: Path, count: int) -> None:
    """One tool call, and two at once: Claude Code really reads the files, and what they hold comes back in the answer."""
    files = [_file(tmp_path, f"file{number}.txt") for number in range(count)]
    way.upstream.always = _reader(*(path for path, _ in files))
    ended = claude("What are the secrets in the files?")
    assert ended.code == 0, ended
    assert ended.result["is_error"] is False
    assert sorted(SECRET.findall(ended.result["result"])) == sorted(secret for _, secret in files)


def test_a_wait_that_the_vendor_asked_for(way: Pair, claude: Callable[[str], Ended]) -> None:
    """429 with Retry-After, then success: nobody notices."""
    way.upstream.play(Refuse(429, "Slow down.", (("retry-after", "1"),)))
    way.upstream.always = say("after the wait")
    ended = claude("Say something.")
    assert ended.code == 0, ended
    assert ended.result["result"] == "after the wait"


def test_a_broken_stream_is_tried_again(way: Pair, claude: Callable[[str], Ended]) -> None:
    """The stream dies in the middle; Claude Code sees it and asks again, so the answer is whole."""
    way.upstream.play(dies(Ending.RESET, after=6))
    way.upstream.always = say("whole at the second time")
    ended = claude("Say something.")
    assert ended.code == 0, ended
    assert ended.result["result"] == "whole at the second time"


def test_a_refused_key_is_told_and_not_tried_for_ever(way: Pair, claude: Callable[[str], Ended]) -> None:
    """The user reads what to do, and is not asked to log in to Claude Code."""
    way.upstream.always = Refuse(401, "the key was revoked by penguins")
    ended = claude("Say something.")
    assert ended.code != 0
    assert "penguins" in ended.stdout
    assert len(way.upstream.chats) <= 2
