"""Codex itself, unchanged, through the real program: its Responses API on this side, each vendor's wire on the other."""

import base64
import json
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.dialects import CHAT
from tests.fakes.lab import Lab, Pair
from tests.fakes.program import Program, private_environment
from tests.fakes.script import Answer, CallTool, Ending, Refuse, Say, Step, Think, dies, say
from tests.fakes.upstream import Received
from tests.journeys.clients import Ended, find, run

pytestmark = pytest.mark.journey
SECRET = re.compile(r"SECRET-[0-9a-f]{12}")
# A model that Codex knows is offered its free-form patch tool and plain functions; any other one gets tools in namespaces.
KNOWN_MODEL, OWN_MODEL = "gpt-5.5", "lynkr-auto"
RED_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
CONFIG = """
model = "{model}"
model_provider = "lynkr"
check_for_update_on_startup = false

[model_providers.lynkr]
name = "Lynkr"
base_url = "{url}/v1"
env_key = "LYNKR_KEY"
wire_api = "responses"
request_max_retries = 2
stream_max_retries = 2

[analytics]
enabled = false
"""


@pytest.fixture(params=["anthropic", "openai"])
def way(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Codex to each vendor, which must take every request that reaches it."""
    pair = lab.pair(CHAT, request.param)
    yield pair
    assert pair.upstream.complaints == []


class CodexRun:
    """One prompt after another in one folder."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.work = folder / "work"
        self._home = folder / "codex-home"
        self._program = program
        self._command = find("codex")
        for each in (self.work, self._home):
            each.mkdir()

    def __call__(self, prompt: str, model: str = KNOWN_MODEL) -> tuple[Ended, list[Any]]:
        """Run a prompt: how it ended, and the events that it printed."""
        (self._home / "config.toml").write_text(CONFIG.format(model=model, url=self._program.url), encoding="utf-8")
        env = private_environment(self._home) | {"CODEX_HOME": str(self._home), "LYNKR_KEY": self._program.token}
        arguments = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "--json", prompt]
        ended = run([str(self._command), *arguments], env, self.work)
        return ended, [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]


@pytest.fixture
def codex(way: Pair, tmp_path: Path) -> CodexRun:
    """Codex with the program as its only way out."""
    return CodexRun(way.program, tmp_path)


def _last_words(events: list[Any]) -> str:
    said = [event["item"]["text"] for event in events if event.get("item", {}).get("type") == "agent_message"]
    return str(said[-1]) if said else ""


@pytest.mark.parametrize("model", [KNOWN_MODEL, OWN_MODEL])
def test_row_166_a_plain_answer(way: Pair, codex: CodexRun, model: str) -> None:
    """Text in, text out, with the tokens that the vendor told."""
    way.upstream.always = say("Hello from the other side. ☁")
    ended, events = codex("Say hello.", model)
    assert ended.code == 0, ended
    assert _last_words(events) == "Hello from the other side. ☁"
    usage = next(event["usage"] for event in events if event["type"] == "turn.completed")
    assert (usage["input_tokens"], usage["output_tokens"]) == (12, 7)


def _reader(*paths: Path) -> Callable[[Received], Step]:
    """A model that reads all files in one turn, and then tells the secrets that it was given back."""

    def model(received: Received) -> Step:
        found = sorted(set(SECRET.findall(json.dumps(received.json["messages"]))))
        if found:
            return say("The secrets are: " + ", ".join(found))
        calls = [CallTool("exec_command", {"cmd": f"cat '{path}'"}, f"toolu_0{number}") for number, path in enumerate(paths)]
        return Answer((Think("I need the files."), Say("I will look."), *calls), is_interleaved=True)

    return model


@pytest.mark.parametrize("count", [1, 2])
def test_files_decide_the_answer(way: Pair, codex: CodexRun, tmp_path: Path, count: int) -> None:
    """One tool call, and two at once: Codex really reads the files, and what they hold comes back in the answer."""
    files = {tmp_path / f"file{number}.txt": f"SECRET-{secrets.token_hex(6)}" for number in range(count)}
    for path, secret in files.items():
        path.write_text(f"the secret is {secret}\n", encoding="utf-8")
    way.upstream.always = _reader(*files)
    ended, events = codex("What are the secrets in the files?")
    assert ended.code == 0, ended
    assert sorted(SECRET.findall(_last_words(events))) == sorted(files.values())
    first, second = (chat.json for chat in way.upstream.chats)
    assert second["messages"][: len(first["messages"])] == first["messages"], "or the vendor's prompt cache is lost"
    assert (second["tools"], second.get("system")) == (first["tools"], first.get("system"))


def test_a_free_form_patch_is_applied(way: Pair, codex: CodexRun) -> None:
    """`apply_patch` is no function for Codex: the model calls one all the same, and Codex gets the bare patch."""
    content = f'Zeile mit "Anführung", \\ und ☁ SECRET-{secrets.token_hex(6)}'
    patch = f"*** Begin Patch\n*** Add File: out.txt\n+{content}\n*** End Patch\n"

    def model(received: Received) -> Step:
        if "Success. Updated" in received.body.decode():
            return say("It is done.")
        return Answer((Say("Writing."), CallTool("apply_patch", {"input": patch}, "toolu_01P", pieces=9)))

    way.upstream.always = model
    ended, events = codex("Create out.txt with the agreed text.")
    assert ended.code == 0, ended
    assert (codex.work / "out.txt").read_text(encoding="utf-8") == content + "\n"
    assert _last_words(events) == "It is done."
    offered = json.dumps(way.upstream.chats[0].json["tools"])
    assert "lark grammar" in offered and "begin_patch" in offered


def test_a_picture_reaches_the_model(way: Pair, codex: CodexRun, tmp_path: Path) -> None:
    """`view_image` gives its result as a picture, which no tool message of Chat Completions can hold."""
    picture = tmp_path / "dot.png"
    picture.write_bytes(base64.b64decode(RED_DOT))
    way.upstream.play(Answer((CallTool("view_image", {"path": str(picture)}, "toolu_01V"),)))
    way.upstream.always = say("A red dot.")
    ended, events = codex("What is in dot.png?")
    assert ended.code == 0, ended
    assert _last_words(events) == "A red dot."
    sent = json.dumps(way.upstream.chats[1].json["messages"][-2:])
    assert "image/png" in sent and "base64" in sent


def test_a_tool_that_codex_finds_by_a_search(way: Pair, codex: CodexRun) -> None:
    """Codex hides tools behind a search of its own: the search works, and what it finds is offered from then on."""

    def model(received: Received) -> Step:
        names = [tool.get("name") or tool["function"]["name"] for tool in received.json["tools"]]
        if "multi_agent_v1__spawn_agent" in names:
            return say("Now I could.")
        return Answer((CallTool("tool_search", {"query": "spawn agents"}, "toolu_01S"),))

    way.upstream.always = model
    ended, events = codex("Find a tool to spawn agents.")
    assert ended.code == 0, ended
    assert _last_words(events) == "Now I could."


def test_a_wait_that_the_vendor_asked_for(way: Pair, codex: CodexRun) -> None:
    """429 with Retry-After, then success: nobody notices."""
    way.upstream.play(Refuse(429, "Slow down.", (("retry-after", "1"),)))
    way.upstream.always = say("after the wait")
    ended, events = codex("Say something.")
    assert ended.code == 0, ended
    assert _last_words(events) == "after the wait"


def test_a_broken_stream_is_tried_again(way: Pair, codex: CodexRun) -> None:
    """The stream dies in the middle; Codex sees it and asks again, so the answer is whole."""
    way.upstream.play(dies(Ending.RESET, after=6))
    way.upstream.always = say("whole at the second time")
    ended, events = codex("Say something.")
    assert ended.code == 0, ended
    assert _last_words(events) == "whole at the second time"


def test_a_refused_key_is_told(way: Pair, codex: CodexRun) -> None:
    """The user reads what to do."""
    way.upstream.always = Refuse(401, "the key was revoked by penguins")
    ended, _ = codex("Say something.")
    assert ended.code != 0
    assert "penguins" in ended.stdout
