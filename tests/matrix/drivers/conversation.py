"""What the programs share: the tool, the schema, what a user has heard so far, and the loop over tasks. It imports no SDK."""

import base64
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

MOST_TURNS = 8
SECONDS = 60
ANTHROPIC_MODEL = "claude-sonnet-4-5"
OPENAI_MODEL = "gpt-4o"
ABOUT = "Reads a file."
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"path": {"type": "string", "description": "Where the file is."}},
    "required": ["path"],
    "additionalProperties": False,
}


class Place(BaseModel):
    """What a structured answer must be."""

    name: str
    depth: int


class Heard:
    """What the user has so far; it outlives an error. `cached_tokens` is of the last turn."""

    def __init__(self) -> None:
        self.text = ""
        self.pieces = 0
        self.cached_tokens: int | None = None
        self.place: Any = None

    def begin_turn(self) -> None:
        """The text of the last turn is what counts."""
        self.text, self.pieces = "", 0

    def add(self, text: str | None) -> None:
        """A piece of the answer's text."""
        if text:
            self.text += text
            self.pieces += 1


Task = Mapping[str, Any]
Driver = Callable[[Task, Heard], None]


def is_picture(path: str) -> bool:
    """Does the tool give a picture for this file?"""
    return path.endswith(".png")


def base64_of(path: str) -> str:
    """A picture in base64."""
    return base64.b64encode(Path(path).read_bytes()).decode()


def url_of(path: str) -> str:
    """A picture as an address that holds it."""
    return f"data:image/png;base64,{base64_of(path)}"


def text_of(path: str) -> str:
    """A file's text."""
    return Path(path).read_text(encoding="utf-8")


def serve(drivers: Mapping[str, Driver]) -> None:
    """Answer tasks until stdin ends; the first argument names the driver."""
    driver = drivers[sys.argv[1]]
    for line in sys.stdin:
        heard, error = Heard(), ""
        try:
            driver(json.loads(line), heard)
        except Exception as caught:  # whatever the SDK raises is what its user gets
            error = f"{type(caught).__name__}: {caught}"
        sys.stdout.write(json.dumps(vars(heard) | {"error": error}) + "\n")
        sys.stdout.flush()
