"""Reasoning that a server left in the text, between tags at its very beginning. Pure.

Tags that come later, or inside code, are words of the answer. So is a closing tag alone, unless the model is known to begin
inside its reasoning because its template opened the tag for it.
"""

from typing import Final

from lynkr_desktop.engine.wire.hidden.pieces import Pieces, Repeated, Said, Thought
from lynkr_desktop.engine.wire.hidden.source import Mismatch, Source

_TAGS: Final[dict[str, tuple[str, ...]]] = {
    "<think>": ("</think>",),
    "<thinking>": ("</thinking>",),
    "<|channel|>analysis<|message|>": ("<|end|>",),
}
_UNOPENED: Final = ("</think>", "</thinking>")


def read_thoughts(source: Source, *, starts_inside: bool) -> Pieces:
    """The text's reasoning, then its words. `starts_inside`: the opening tag may be missing."""
    start = source.at
    closings: tuple[str, ...] = _UNOPENED
    try:
        yield from source.blank()
        closings = _TAGS[(yield from source.literal(*_TAGS))]
        starts_inside = False
    except Mismatch:
        source.at = start
        if not starts_inside:
            yield from _words(source)
            return
    thought: list[str] = []
    is_closed = False
    while not is_closed and not source.is_over:
        words, is_closed = source.take_until(*closings)
        source.drop()
        if words:
            if starts_inside:
                thought.append(words)
            yield Thought(words)
        if not is_closed and not source.is_over:
            yield None
    if is_closed:
        yield from source.maybe("<|start|>assistant")
        yield from source.maybe("<|channel|>final<|message|>")
    elif starts_inside:
        yield Repeated("".join(thought))
    yield from _words(source)


def _words(source: Source) -> Pieces:
    """All that is left, as it comes."""
    while not source.is_over:
        words, source.at = source.text[source.at :], len(source.text)
        source.drop()
        yield Said(words) if words else None
