"""What a client is asked to do, and what its user gets. Values only."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from tests.fakes.script import CallTool


class Ability(StrEnum):
    """What a client must be able to do for a scenario to make sense."""

    TOOLS = "tools"
    PARALLEL = "parallel tools"
    THINKING = "thinking"
    PICTURE = "a picture in the prompt"
    PICTURE_RESULT = "a picture as a tool's result"
    SCHEMA = "structured output"
    CACHED = "cache tokens"
    PIECES = "streaming"


@dataclass(frozen=True, slots=True)
class Task:
    """One prompt. `reads_files`: the client shall offer its tool that reads files. `wants_place`: the answer has a schema."""

    prompt: str
    is_streamed: bool = False
    reads_files: bool = False
    thinks: bool = False
    picture: str = ""
    wants_place: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the client finds the proxy: its root address, and the key that opens it."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the user of a client gets. `pieces`: in how many the text came. None: the client does not tell."""

    text: str = ""
    error: str = ""
    pieces: int | None = None
    cached_tokens: int | None = None
    place: Any = None


class Client(Protocol):
    """A client. `api` is the wire that it speaks; `lacks` gives the reason for each ability that it has not.

    `part` is the part of the installation that holds it. `has_side_requests`: it asks more than it was asked, without tools.
    """

    name: str
    title: str
    version: str
    api: str
    part: str
    lacks: dict[Ability, str]
    has_side_requests: bool

    def reading(self, path: Path, number: int) -> CallTool:
        """How a model calls this client's tool to read a file."""
        ...

    def run(self, task: Task, endpoint: Endpoint, folder: Path) -> Outcome:
        """One run in a folder of its own. Raises `TimeoutError`."""
        ...

    def close(self) -> None:
        """End what it kept running."""
        ...
