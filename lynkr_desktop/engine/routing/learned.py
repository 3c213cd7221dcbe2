"""The learned part of the score: what the words of an ask weigh, looked up in a small table. Pure; nothing is learned here.

Each feature of `word_features` has a bucket by its checksum, with one byte to tell strangers apart and one weight for each of
four heads: does the ask need more than SIMPLE, than MEDIUM, than COMPLEX, and would a stronger model do it better?
"""

import functools
import gzip
import struct
from importlib import resources
from typing import Final

import msgspec

from lynkr_desktop.engine.routing.word_features import BUCKETS, START, features_of, kept_words, pair_feature, shrink_of, slot_of

TABLE: Final = "routing_words.bin.gz"
MODEL: Final = "routing_model.json"
_HEADS: Final = 4
_KEPT_WORDS: Final = 8192  # of the words and pairs seen last
_WIDTH: Final = 24  # bits of one head in a packed sum: thousands of weights fit
_HALF: Final = 1 << (_WIDTH - 1)
_FIELD: Final = (1 << _WIDTH) - 1
_unpack: Final = struct.Struct("4b").unpack_from


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is beside the table. `bias`, `scale` (of one step of a weight) and each of `dimensions` have an entry for each head.

    `about` says where it comes from, `quality` how well it did when it was made; `date` is when.
    """

    date: str
    about: str
    bias: tuple[float, float, float, float]
    scale: tuple[float, float, float, float]
    dimensions: dict[str, tuple[float, float, float, float]]
    quality: dict[str, float]


class Opinion(msgspec.Struct, frozen=True):
    """What the words of an ask say to the four heads."""

    medium: float = 0.0
    complex: float = 0.0
    reasoning: float = 0.0
    gain: float = 0.0


def _read(name: str) -> bytes:
    return resources.files("lynkr_desktop.engine.data").joinpath(name).read_bytes()


LEARNED: Final = msgspec.json.decode(_read(MODEL), type=Model)
_TABLE: Final = gzip.decompress(_read(TABLE))


def pack(first: int, second: int, third: int, gain: int) -> int:
    """Four weights in one number, so that one addition adds all four and one multiplication multiplies them."""
    return first + (second << _WIDTH) + (third << 2 * _WIDTH) + (gain << 3 * _WIDTH)


def _packed(feature: tuple[str, int]) -> int:
    bucket, mark = slot_of(feature)
    return pack(*_unpack(_TABLE, BUCKETS + _HEADS * bucket)) if _TABLE[bucket] == mark else 0


def unpack(packed: int) -> tuple[int, int, int, int]:
    """The four sums in a packed number."""
    first = ((packed + _HALF) & _FIELD) - _HALF
    packed = (packed - first) >> _WIDTH
    second = ((packed + _HALF) & _FIELD) - _HALF
    packed = (packed - second) >> _WIDTH
    third = ((packed + _HALF) & _FIELD) - _HALF
    return first, second, third, (packed - third) >> _WIDTH


@functools.lru_cache(maxsize=_KEPT_WORDS)
def _word(word: str) -> int:
    return sum(map(_packed, features_of(word)))


@functools.lru_cache(maxsize=_KEPT_WORDS)
def _pair(first: str, second: str) -> int:
    feature = pair_feature(first, second)
    return _packed(feature) if feature else 0


def _height(word: str) -> int:
    """How far a word speaks for a higher tier."""
    return sum(unpack(_word(word))[:3])


def opinion_of(words: list[str], vocabulary: frozenset[str], cjk: int = 0) -> Opinion:
    """What the words of an ask say, in their order; `cjk` of their characters are Chinese, Japanese or Korean.

    `vocabulary` has each word once.
    """
    if not words:
        return Opinion()
    kept = kept_words(words)
    if kept is not words:
        vocabulary = frozenset(kept)
    pairs = sum(map(_pair, [START, *kept], kept))
    first, second, third, gain = unpack(sum(map(_word, vocabulary)) + pairs)
    shrink = shrink_of(len(vocabulary), cjk)
    scale = LEARNED.scale
    return Opinion(first * scale[0] * shrink, second * scale[1] * shrink, third * scale[2] * shrink, gain * scale[3] * shrink)


def told_words(words: list[str], count: int = 3) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that speak most for a higher tier and those that speak most for a lower one, the strongest first."""
    ranked = sorted(dict.fromkeys(words), key=_height)
    harder = [word for word in reversed(ranked[-count:]) if _height(word) > 0]
    return tuple(harder), tuple(word for word in ranked[:count] if _height(word) < 0)
