"""Text that is still growing, and how a grammar reads it as if it were all there: it pauses where the text ends. Pure.

A grammar is a generator that yields while it waits for more. Nothing that it looked at is given up before it has decided, so what
does not match can be read again as something else.
"""

import re
from collections.abc import Generator
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

T = TypeVar("T")
Reading: TypeAlias = Generator[None, None, T]

HELD_LIMIT: Final = 400_000  # characters: more than any call's arguments, little enough to keep
HEAD_LIMIT: Final = 200  # characters: of a name, or of a header
_PLAIN: Final = {0xFF5C: "|", 0x2581: "_"}  # DeepSeek's own bar and blank, as what other servers print for them
_MARK: Final = re.compile(r'["{}\[\]]')
_IN_STRING: Final = re.compile(r'["\\]')
_WORD: Final = re.compile(r"[\w.:/-]*")
_BLANK: Final = re.compile(r"\s*")


class Mismatch(Exception):  # noqa: N818 - not an error: the text is something else
    """The text is not what the grammar says."""


class Source:
    """Text so far, with a place in it. `is_ended`: no more will come. `effort` counts the characters that were searched."""

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.is_ended = False
        self.effort = 0

    def add(self, text: str) -> None:
        """More of it."""
        self.text += text

    def drop(self) -> None:
        """Forget what lies before the place."""
        self.text, self.at = self.text[self.at :], 0

    @property
    def is_over(self) -> bool:
        """Is nothing left and nothing to come?"""
        return self.is_ended and self.at >= len(self.text)

    def more(self) -> Reading[None]:
        """Wait for more text. Raises `Mismatch` if there will be none, or if too much is held already."""
        length = len(self.text)
        if self.is_ended or length > HELD_LIMIT:
            raise Mismatch
        while len(self.text) == length and not self.is_ended:
            yield

    def peek(self) -> Reading[str]:
        """The next character."""
        while self.at >= len(self.text):
            yield from self.more()
        return self.text[self.at]

    def blank(self) -> Reading[None]:
        """Pass over white space, and over the end."""
        while (found := _BLANK.match(self.text, self.at)) is not None:
            self.at = found.end()
            if self.at < len(self.text) or self.is_ended:
                return
            yield from self.more()

    def word(self) -> Reading[str]:
        """Letters, digits and what else names are made of."""
        start = self.at
        while (found := _WORD.match(self.text, start)) is not None and found.end() == len(self.text):
            if found.end() - start > HEAD_LIMIT:
                raise Mismatch
            yield from self.more()
        self.at = found.end() if found else start
        return self.text[start : self.at]

    def literal(self, *choices: str) -> Reading[str]:
        """The longest of some fixed texts. It fails at the first character that none of them has."""
        longest = max(map(len, choices))
        while True:
            ahead = self.text[self.at : self.at + longest].translate(_PLAIN)
            if self.is_ended or not any(len(choice) > len(ahead) and choice.startswith(ahead) for choice in choices):
                break
            yield from self.more()
        found = max((choice for choice in choices if ahead.startswith(choice)), key=len, default="")
        if not found:
            raise Mismatch
        self.at += len(found)
        return found

    def maybe(self, *choices: str) -> Reading[str]:
        """The longest of some fixed texts, or nothing."""
        try:
            return (yield from self.literal(*choices))
        except Mismatch:
            return ""

    def is_followed_by(self, *choices: str) -> Reading[bool]:
        """Does one of these come next, after white space? The place stays."""
        kept = self.at
        yield from self.blank()
        found = yield from self.maybe(*choices)
        self.at = kept
        return bool(found)

    def until(self, *ends: str, limit: int = HELD_LIMIT) -> Reading[str]:
        """What comes before the first of these; the place is after it."""
        start = searched = self.at
        pattern, overlap = _any_of(ends), max(map(len, ends)) - 1
        while (found := pattern.search(self.text, searched)) is None:
            self.effort += len(self.text) - searched
            if len(self.text) - start > limit + overlap:
                raise Mismatch
            searched = max(start, len(self.text) - overlap)
            yield from self.more()
        self.effort += found.end() - searched
        if found.start() - start > limit:
            raise Mismatch
        self.at = found.end()
        return self.text[start : found.start()]

    def json(self) -> Reading[str]:
        """One JSON object or array as its text; only brackets and strings are looked at."""
        start, depth = self.at, 0
        if (yield from self.peek()) not in "{[":
            raise Mismatch
        while True:
            found = yield from self._next(_MARK)
            if found == '"':
                yield from self._string()
            elif found in "{[":
                depth += 1
            else:
                depth -= 1
                if not depth:
                    return self.text[start : self.at]

    def _string(self) -> Reading[None]:
        """The rest of a JSON string."""
        while (yield from self._next(_IN_STRING)) != '"':
            yield from self.peek()
            self.at += 1

    def _next(self, pattern: re.Pattern[str]) -> Reading[str]:
        while (found := pattern.search(self.text, self.at)) is None:
            self._pass(len(self.text))
            yield from self.more()
        self._pass(found.end())
        return found[0]

    def _pass(self, place: int) -> None:
        self.effort += place - self.at
        self.at = place

    def take_until(self, *ends: str) -> tuple[str, bool]:
        """What certainly comes before the first of these, at once; and whether that end was reached and passed."""
        places = [(place, len(end)) for end in ends if (place := self.text.find(end, self.at)) >= 0]
        if places:
            place, length = min(places)
            words, self.at = self.text[self.at : place], place + length
            return words, True
        stop = len(self.text)
        if not self.is_ended:
            start = max(self.at, stop - max(map(len, ends)) + 1)
            tails = ((place, self.text[place:]) for place in range(start, stop))
            stop = next((place for place, tail in tails if any(end.startswith(tail) for end in ends)), stop)
        words, self.at = self.text[self.at : stop], stop
        return words, False


@lru_cache(maxsize=256)
def _any_of(ends: tuple[str, ...]) -> re.Pattern[str]:
    """Finds the first of some fixed texts, in either spelling."""
    spelled = "|".join(map(re.escape, ends))
    return re.compile(spelled.replace(r"\|", "[|\uff5c]").replace("_", "[_\u2581]"))
