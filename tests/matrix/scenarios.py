"""The scenarios: what the model does, and what the user of a client must notice of it."""

import base64
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.script import (
    GARBAGE,
    Answer,
    CallTool,
    Ending,
    Hang,
    Refuse,
    Say,
    Scripted,
    Step,
    Think,
    Tokens,
    dies,
    first_event_is_error,
    say,
)
from tests.fakes.upstream import Received, Upstream
from tests.matrix.values import Ability, Client, Outcome, Task

HELLO = "Hello from the other side. ☁"
PLACE = {"name": "the well", "depth": 12}
RED_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
# What a vendor's own thought has in it, where the client's wire has a place for that.
_SIGNATURES = {
    ("anthropic", "messages"): b'"signature"',
    ("bedrock", "messages"): b'"signature"',
    ("azure-openai", "responses"): b'"encrypted_content"',
    ("azure-openai", "messages"): b'"encrypted_content"',
    ("google", "gemini"): b"Z2VtaW5p",
    ("google", "messages"): b"Z2VtaW5p",
}
LONG = " ".join(f"word{number}" for number in range(400)) + " end"
ASK = "Say something."
MOST_TURNS = 6
# Where each wire has the schema of an answer.
_FORMATS = (
    "generation_config",
    "response_format",
    "output_config",
    "output_format",
    "text",
    "generationConfig",
    "format",
    "outputConfig",
)
_PICTURES = re.compile(rb"iVBORw0KGgo|/9j/4|UklGR")


@dataclass(slots=True)
class Stage:
    """Where one cell is played. `second` is the vendor that a conversation changes to."""

    client: Client
    upstream: Upstream
    second: Upstream
    folder: Path
    secrets: dict[str, str] = field(default_factory=dict)

    def files(self, *names: str) -> list[Path]:
        """Files with secrets that nobody could guess, in the client's folder."""
        return [self._file(name) for name in names]

    def _file(self, name: str) -> Path:
        path = self.folder / name
        self.secrets[name] = f"SECRET-{secrets.token_hex(6)}"
        path.write_text(f"The secret of {name} is {self.secrets[name]}.\n", encoding="utf-8")
        return path

    def picture(self) -> Path:
        """A picture in the client's folder."""
        path = self.folder / "dot.png"
        path.write_bytes(base64.b64decode(RED_DOT))
        return path

    def play(self, *steps: Scripted, then: Scripted) -> None:
        """What the model does. Side requests of the client, e.g. for a title, get an answer of their own."""
        queue = list(steps)

        def model(received: Received) -> Step:
            if self.client.has_side_requests and not _tools(received.json):
                return say("A title")
            step = queue.pop(0) if queue else then
            return step(received) if callable(step) else step

        self.upstream.always = model


@dataclass(frozen=True, slots=True)
class Scenario:
    """`setting` tells the model what to do and gives the client's task; `judge` raises `AssertionError` in a user's words."""

    name: str
    title: str
    setting: Callable[[Stage], Task]
    judge: Callable[[Stage, Outcome], None]
    needs: frozenset[Ability] = frozenset()
    changes_vendor: bool = False


def _plain(stage: Stage) -> Task:
    stage.play(then=say(HELLO))
    return Task(ASK)


def _stream(stage: Stage) -> Task:
    stage.play(then=say(LONG, pieces=400))
    return Task(ASK, is_streamed=True)


def _after(*steps: Step) -> Callable[[Stage], Task]:
    def setting(stage: Stage) -> Task:
        stage.play(*steps, then=say(HELLO))
        return Task(ASK, is_streamed=True)

    return setting


def _cached(stage: Stage) -> Task:
    stage.play(then=say(HELLO, tokens=Tokens(100, 7, cache_read=900)))
    return Task(ASK, is_streamed=True)


def _reader(stage: Stage, paths: list[Path], *, thinks: bool = False) -> Callable[[Received], Step]:
    """A model that reads all files in one turn, and then tells the secrets that it was given back."""

    def model(received: Received) -> Step:
        body = received.body.decode()
        found = [secret for secret in stage.secrets.values() if secret in body]
        if len(found) == len(paths):
            return say(f"The secrets: {', '.join(found)}")
        if len(stage.upstream.chats) > MOST_TURNS:
            return say("I was never told what the files hold.")
        calls = [stage.client.reading(path, number) for number, path in enumerate(paths)]
        thoughts = (Think("I need the files."),) if thinks else _thoughts(received)
        return Answer((*thoughts, Say("I will look."), *calls), is_interleaved=True)

    return model


def _loop(*names: str, thinks: bool = False) -> Callable[[Stage], Task]:
    def setting(stage: Stage) -> Task:
        paths = stage.files(*names)
        stage.play(then=_reader(stage, paths, thinks=thinks))
        listed = " and ".join(str(path) for path in paths)
        return Task(f"What are the secrets in {listed}?", is_streamed=thinks, reads_files=True, thinks=thinks)

    return setting


def _thoughts(received: Received) -> tuple[Think, ...]:
    """Anthropic's models think before a call where it is asked for, and the vendor wants that thought back with the result."""
    body = received.json
    asked = body.get("thinking") or (body.get("additionalModelRequestFields") or {}).get("thinking") or {}
    return (Think("I need a tool."),) if asked.get("type") == "enabled" else ()


def _seen(received: Received) -> bool:
    return _PICTURES.search(received.body) is not None


def _picture(stage: Stage) -> Task:
    stage.play(then=lambda received: say("A red dot." if _seen(received) else "I see nothing."))
    return Task("What is in the picture?", picture=str(stage.picture()))


def _picture_result(stage: Stage) -> Task:
    path = stage.picture()

    def model(received: Received) -> Step:
        if _seen(received):
            return say("A red dot.")
        is_first = len(stage.upstream.chats) < 3
        return Answer((*_thoughts(received), stage.client.reading(path, 0))) if is_first else say("I see nothing.")

    stage.play(then=model)
    return Task(f"What is in the picture {path}?", reads_files=True)


def _place(stage: Stage) -> Task:
    def model(received: Received) -> Step:
        body = received.json
        if "depth" in json.dumps([body.get(key) for key in _FORMATS]):
            return say(json.dumps(PLACE))
        tool = next((name for name, schema in _tools(body) if "depth" in schema), None)
        if tool is None:
            return say("Nobody told me in which form to answer.")
        if "toolu_place" in received.body.decode():
            return say("I have told you.")
        return Answer((*_thoughts(received), CallTool(tool, PLACE, "toolu_place")))

    stage.play(then=model)
    return Task("Where is the treasure, and how deep?", wants_place=True)


def _tools(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and schema of each tool, in any wire."""
    listed = body.get("tools") or (body.get("toolConfig") or {}).get("tools") or []
    plain = [tool.get("function") or tool.get("toolSpec") or tool for tool in listed]
    for tool in listed:
        plain += tool.get("functionDeclarations") or tool.get("function_declarations") or ()
    return [(tool["name"], json.dumps(tool)) for tool in plain if "name" in tool]


def _change(stage: Stage) -> Task:
    paths = stage.files("map.txt")
    reader = _reader(stage, paths, thinks=True)
    stage.play(reader, then=Refuse(401, "The key was revoked."))
    stage.second.always = reader
    return Task(f"What is the secret in {paths[0]}?", reads_files=True, thinks=Ability.THINKING not in stage.client.lacks)


def _says_hello(stage: Stage, outcome: Outcome) -> None:
    _succeeded(outcome)
    assert outcome.text.strip() == HELLO, f"the user read {_short(outcome.text)}"


def _says_it_or_why(stage: Stage, outcome: Outcome) -> None:
    if not outcome.error:  # some clients ask again, and leave the broken part before the whole answer
        assert outcome.text.strip().endswith(HELLO), f"a silent end: the user read {_short(outcome.text)} and no error"


def _says_all(stage: Stage, outcome: Outcome) -> None:
    _succeeded(outcome)
    assert outcome.text.strip() == LONG, f"the text is not the whole one: {len(outcome.text)} characters"
    assert outcome.pieces is None or outcome.pieces > 20, f"the text came in {outcome.pieces} pieces"


def _knows_secrets(stage: Stage, outcome: Outcome) -> None:
    _succeeded(outcome)
    missing = [name for name, secret in stage.secrets.items() if secret not in outcome.text]
    assert missing == [], f"the answer does not hold what is in {', '.join(missing)}: {_short(outcome.text)}"


def _thought_was_kept(stage: Stage, outcome: Outcome) -> None:
    _knows_secrets(stage, outcome)
    mark = _SIGNATURES.get((stage.upstream.vendor.name, stage.client.api))
    if mark == b'"encrypted_content"' and b"reasoning.encrypted_content" not in stage.upstream.chats[0].body:
        mark = None  # a client that did not ask to hear of reasoning
    assert mark is None or mark in stage.upstream.chats[-1].body, "the signed thought was not sent back to the vendor"


def _changed(stage: Stage, outcome: Outcome) -> None:
    _knows_secrets(stage, outcome)
    assert stage.second.chats, "the second vendor was never asked"


def _saw(stage: Stage, outcome: Outcome) -> None:
    _succeeded(outcome)
    assert "A red dot." in outcome.text, f"the user read {_short(outcome.text)}"


def _has_place(stage: Stage, outcome: Outcome) -> None:
    _succeeded(outcome)
    assert outcome.place == PLACE, f"the value is {outcome.place!r}, the text {_short(outcome.text)}"


def _shows_cached(stage: Stage, outcome: Outcome) -> None:
    _says_hello(stage, outcome)
    assert outcome.cached_tokens == 900, f"the user was told {outcome.cached_tokens} cached tokens of 900"


def _succeeded(outcome: Outcome) -> None:
    assert not outcome.error, f"the user got an error: {_short(outcome.error)}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 300 else text[:300] + "…")


SCENARIOS = (
    Scenario("text", "plain text", _plain, _says_hello),
    Scenario("stream", "long stream, whole and in order", _stream, _says_all),
    Scenario("tool", "a tool's result decides the answer", _loop("map.txt"), _knows_secrets, frozenset({Ability.TOOLS})),
    Scenario(
        "parallel",
        "two tools called at once",
        _loop("a.txt", "b.txt"),
        _knows_secrets,
        frozenset({Ability.TOOLS, Ability.PARALLEL}),
    ),
    Scenario(
        "thinking",
        "a thought is kept over a tool call",
        _loop("map.txt", thinks=True),
        _thought_was_kept,
        frozenset({Ability.TOOLS, Ability.THINKING}),
    ),
    Scenario("picture", "a picture in the prompt", _picture, _saw, frozenset({Ability.PICTURE})),
    Scenario("picture result", "a picture as a tool's result", _picture_result, _saw, frozenset({Ability.PICTURE_RESULT})),
    Scenario("schema", "structured output", _place, _has_place, frozenset({Ability.SCHEMA})),
    Scenario("429", "429 with Retry-After, then success", _after(Refuse(429, "Slow.", (("retry-after", "1"),))), _says_hello),
    Scenario("500", "500 twice, then success", _after(Refuse(500, "Broken."), Refuse(500, "Broken.")), _says_hello),
    Scenario("error first", "an error as the first event, then success", _after(first_event_is_error()), _says_hello),
    Scenario(
        "disconnect", "the stream breaks off: an error or the whole answer", _after(dies(Ending.RESET, after=6)), _says_it_or_why
    ),
    Scenario(
        "hang", "the stream stops: an error or the whole answer in time", _after(dies(Ending.HANG, after=6)), _says_it_or_why
    ),
    Scenario("silence", "no byte comes: an error or the whole answer in time", _after(Hang()), _says_it_or_why),
    Scenario("garbage", "bytes of no wire: an error or the whole answer", _after(GARBAGE), _says_it_or_why),
    Scenario("cache", "cached tokens are shown", _cached, _shows_cached, frozenset({Ability.CACHED})),
    Scenario("change", "the vendor dies between two turns, another goes on", _change, _changed, frozenset({Ability.TOOLS}), True),
)
