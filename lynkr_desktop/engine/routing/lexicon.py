"""Looking words up: which concepts does a text name? Built from `words` once, at import; no weights here."""

import functools
import itertools
import re
from collections.abc import Iterator
from typing import Final

from lynkr_desktop.engine.routing.words import CONCEPTS, FACT_OPENERS, FACT_WORDS, POLITE, SHORT_FACT_OPENERS

LONGEST_LOOKUP: Final = 140  # no question of fact has so many characters
_SHORTEST_STEM: Final = 3
_LONGEST_STEM: Final = 10  # the weights were fitted without longer ones: let them in only with a new fit
_WORDS: Final = re.compile(r"[0-9a-zß-öø-ɏ]+|[Ѐ-ӿ]+|[぀-ヿ㐀-鿿가-힯]+")
_OTHER_SCRIPT: Final = 1.25  # a text with more bytes to the character is not mostly of Latin letters
_GAPS: Final = bytes(code if code > 127 or chr(code).isalnum() else ord(" ") for code in range(256))
_CJK: Final = re.compile("[぀-ヿ㐀-鿿가-힯]")
_FIRST_CJK: Final = "぀"


class _Tables:
    """The lexicon, compiled once at import."""

    def __init__(self) -> None:
        self.words: dict[str, tuple[str, ...]] = {}
        self.stems: dict[str, list[tuple[str, str]]] = {}  # first letters → concept, stem
        self.phrases: dict[str, list[tuple[str, str, bool]]] = {}  # first word → second, concept, is a stem
        self.cjk: dict[str, list[tuple[str, str]]] = {}
        for concept, entries in CONCEPTS.items():
            for entry in entries.split():
                self._add(entry, concept)
        # First words of which every second word is a whole one: without a second word in the text there is no phrase.
        self.seconds = {
            first: frozenset(second for second, _, _ in phrases)
            for first, phrases in self.phrases.items()
            if not any(is_stem for _, _, is_stem in phrases)
        }

    def _add(self, entry: str, concept: str) -> None:
        if entry[0] >= _FIRST_CJK and "_" not in entry:
            self.cjk.setdefault(entry[0], []).append((entry, concept))
        elif "_" in entry:
            first, second = entry.split("_")
            self.phrases.setdefault(first, []).append((second.removesuffix("*"), concept, second.endswith("*")))
        elif entry.endswith("*"):
            if len(entry) - 1 <= _LONGEST_STEM:
                self.stems.setdefault(entry[:_SHORTEST_STEM], []).append((concept, entry[:-1]))
        else:
            self.words[entry] = (*self.words.get(entry, ()), concept)


_TABLES: Final = _Tables()
_OPENERS: Final = frozenset(FACT_OPENERS.split())
_SHORT_OPENERS: Final = frozenset(SHORT_FACT_OPENERS.split())
_FACT_WORDS: Final = tuple(FACT_WORDS.split())
_POLITE: Final = frozenset(POLITE.split())


@functools.lru_cache(maxsize=4096)
def concepts_of(word: str) -> tuple[tuple[str, str], ...]:
    """The concepts of one lower-case word, each with the entry that it matched."""
    if word[0] >= _FIRST_CJK:
        return tuple(_in_run(word))
    stems = _TABLES.stems.get(word[:_SHORTEST_STEM], ())
    whole = [(concept, word) for concept in _TABLES.words.get(word, ())]
    return (*whole, *((concept, stem) for concept, stem in stems if word.startswith(stem)))


def _in_run(run: str) -> Iterator[tuple[str, str]]:
    for index, character in enumerate(run):
        for entry, concept in _TABLES.cjk.get(character, ()):
            if run.startswith(entry, index):
                yield concept, entry


def words_of(text: str) -> list[str]:
    """The words of a lower-case text in their order; a run of Chinese, Japanese or Korean is one word."""
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) > _OTHER_SCRIPT * len(text):
        return _WORDS.findall(text)
    pieces = encoded.translate(_GAPS).decode("utf-8", "surrogatepass").split()  # several times faster than the pattern
    if len(encoded) == len(text):
        return pieces
    return [word for piece in pieces for word in ((piece,) if piece.isascii() else _WORDS.findall(piece))]


def count(words: list[str], vocabulary: frozenset[str]) -> dict[str, int]:
    """How many different entries of each concept are named by these words; `vocabulary` has each of them once."""
    found = set(itertools.chain.from_iterable(map(concepts_of, vocabulary)))
    starts = {
        first
        for first in vocabulary & _TABLES.phrases.keys()
        if not _TABLES.seconds.get(first, vocabulary).isdisjoint(vocabulary)
    }
    if starts:
        seconds = itertools.compress(range(1, len(words)), map(starts.__contains__, words))
        for first, second in {(words[at - 1], words[at]) for at in seconds}:
            found.update(_phrases_of(first, second))
    counts: dict[str, int] = {}
    for concept, _ in found:
        counts[concept] = counts.get(concept, 0) + 1
    return counts


@functools.lru_cache(maxsize=4096)
def _phrases_of(first: str, following: str) -> tuple[tuple[str, str], ...]:
    """The concepts that two neighbouring words name together."""
    return tuple(
        (concept, f"{first} {second}")
        for second, concept, is_stem in _TABLES.phrases[first]
        if following == second or (is_stem and following.startswith(second))
    )


def cjk_characters(text: str, words: list[str]) -> int:
    """How many characters of a text with these words are Chinese, Japanese or Korean."""
    if text.isascii() or not _CJK.search(text):
        return 0
    return sum([len(word) for word in words if word[0] >= _FIRST_CJK])


def is_lookup(words: list[str], text: str, *, is_bare: bool, has_cjk: bool) -> bool:
    """Does an ask open like a question of fact? `text` is lower case. `is_bare`: nothing in it says that work is wanted.

    Where the question word may stand anywhere, only a short text is looked through.
    """
    at = 0
    while at < min(3, len(words)) and words[at] in _POLITE:
        at += 1
    opening = words[at : at + 2]
    if not opening:
        return False
    if opening[0] in _OPENERS or "_".join(opening) in _OPENERS:
        return True
    if is_bare and (opening[0] in _SHORT_OPENERS or "_".join(opening) in _SHORT_OPENERS):
        return True
    return has_cjk and len(text) < LONGEST_LOOKUP and any(entry in text for entry in _FACT_WORDS)
