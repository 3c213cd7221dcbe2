"""What a text turns out to be made of: words, thoughts, calls. Values only."""

from collections.abc import Generator
from typing import NamedTuple, TypeAlias

from lynkr_desktop.engine.wire.hidden.known_tools import Call


class Said(NamedTuple):
    """Words of the answer."""

    text: str


class Thought(NamedTuple):
    """Words of the model's reasoning."""

    text: str


class Repeated(NamedTuple):
    """What was given as reasoning, and is the answer if nothing else comes."""

    text: str


Piece: TypeAlias = Said | Thought | Repeated | Call
Pieces: TypeAlias = Generator[Piece | None, None, None]  # None: nothing certain until there is more text
