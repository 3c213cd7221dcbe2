"""What the learned part of the score sees of an ask: words, pairs of neighbours, groups of letters. Pure; no weights here.

Shared by `learned`, which looks weights up, and by `packaging/train_router.py`, which makes them.
"""

from typing import Final
from zlib import crc32

BUCKETS: Final = 1 << 16
MOST_HEAD_WORDS: Final = 160  # of a long ask; its end often says what is wanted
MOST_TAIL_WORDS: Final = 80
START: Final = "^"  # stands before the first word
FIRST_CJK: Final = "぀"
_EVEN: Final = 4.0  # added to the number of words, so that a very short ask does not weigh more than it says
_LETTERS: Final = 4  # in a group; a word of so many is its own
_WORD_SEED, _GROUP_SEED, _PAIR_SEED, _SIGN_SEED = 1, 2, 3, 4
Feature = tuple[str, int]  # its text, and the seed of its kind


def slot_of(feature: Feature) -> tuple[int, int]:
    """The bucket of a feature, and the byte, never 0, by which it knows its own."""
    text, seed = feature
    number = crc32(text.encode("utf-8", "surrogatepass"), seed)
    return number & (BUCKETS - 1), (number >> 16 & 0xFF) or 1


def features_of(word: str) -> list[Feature]:
    """The features of one lower-case word; of a run of Chinese, Japanese or Korean its characters and their pairs."""
    if word[0] >= FIRST_CJK:
        return [(word[at : at + width], _SIGN_SEED) for width in (1, 2) for at in range(len(word) - width + 1)]
    if word.isdigit():
        return [("0", _WORD_SEED)]
    if len(word) <= _LETTERS:
        return [(word, _WORD_SEED)]
    edged = f"<{word}>"
    return [(word, _WORD_SEED), *((edged[at : at + _LETTERS], _GROUP_SEED) for at in range(len(edged) - _LETTERS + 1))]


def pair_feature(first: str, second: str) -> Feature | None:
    """The feature of two neighbouring words; None beside a run, which has pairs of its own."""
    if first[0] >= FIRST_CJK or second[0] >= FIRST_CJK:
        return None
    return f"{first} {second}", _PAIR_SEED


def kept_words(words: list[str]) -> list[str]:
    """Head and tail of the words of a long ask."""
    if len(words) <= MOST_HEAD_WORDS + MOST_TAIL_WORDS:
        return words
    return words[:MOST_HEAD_WORDS] + words[-MOST_TAIL_WORDS:]


def shrink_of(different_words: int, cjk: int) -> float:
    """What the sums are multiplied by, so that an ask does not weigh more only because it is long."""
    return float((different_words + cjk / 2 + _EVEN) ** -0.5)
