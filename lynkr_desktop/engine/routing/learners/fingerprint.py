"""A fingerprint of an ask: 256 bits in which like asks are alike. Pure, the same on every machine.

Each bit is a vote of all words and pairs of words of the ask, so the words cannot be read back from it. It is no secret keeper
either: whoever has the file and guesses a whole sentence can see that it fits.
"""

import functools
import hashlib
import itertools
import math
import re
from typing import Final

BITS: Final = 256
_LANE_BYTES: Final = 2  # a vote of each feature; far fewer features than would overflow
_MOST_WORDS: Final = 400
_WORD: Final = re.compile(r"[^\W_]+")
_LONG: Final = 8  # from so many letters on, a word of a script without spaces is cut into pairs
_LANES: Final = tuple(b"".join((byte >> bit & 1).to_bytes(_LANE_BYTES, "little") for bit in range(8)) for byte in range(256))


@functools.lru_cache(maxsize=64)
def fingerprint(text: str) -> int:
    """The fingerprint of an ask; 0 where it has no words."""
    features = _features(text)
    if not features:
        return 0
    votes = sum(map(_votes, features)).to_bytes(BITS * _LANE_BYTES, "little")
    half = len(features) / 2
    found = 0
    for bit, count in enumerate(memoryview(votes).cast("H")):
        if count > half:
            found |= 1 << bit
    return found


def likeness(one: int, other: int) -> float:
    """How alike two asks are: 1 the same words, about 0 nothing in common."""
    return LIKENESS[(one ^ other).bit_count()]


LIKENESS: Final = tuple(max(0.0, math.cos(math.pi * bits / BITS)) for bits in range(BITS + 1))  # by how many bits differ


def _features(text: str) -> frozenset[str]:
    words: list[str] = []
    for word in _WORD.findall(text.casefold())[:_MOST_WORDS]:
        if len(word) >= _LONG and not word.isascii():
            words += [word[place : place + 2] for place in range(len(word) - 1)]
        else:
            words.append("0" if word.isdecimal() else word)
    pairs = [f"{one} {other}" for one, other in itertools.pairwise(words)]
    return frozenset((*words, *pairs))


@functools.lru_cache(maxsize=4096)
def _votes(feature: str) -> int:
    digest = hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=BITS // 8).digest()
    return int.from_bytes(b"".join([_LANES[byte] for byte in digest]), "little")
