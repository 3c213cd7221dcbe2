"""Each fuzz target on its seeds and on a bounded number of changes to them, the same in every run."""

import random

import pytest

from tests.fuzz.targets import TARGETS

CHANGES = 40  # for each seed
_TOKENS = (
    b"null",
    b"{}",
    b"[]",
    b"-1",
    b"1e999",
    b'"',
    b"\\",
    b"\n",
    b"\r\n\r\n",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"9" * 400,
    b"[" * 2000,
)


def changed(seed: bytes, chance: random.Random) -> bytes:
    """The seed with a few pieces cut out, doubled, moved or replaced."""
    content = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        start = chance.randint(0, len(content))
        end = min(len(content), start + chance.randint(0, 12))
        match chance.randint(0, 3):
            case 0:
                del content[start:end]
            case 1:
                content[start:start] = content[start:end] * chance.randint(1, 3)
            case 2:
                content[start:end] = chance.choice(_TOKENS)
            case _:
                content[start:end] = chance.randbytes(end - start)
    return bytes(content)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_the_errors_of_the_taxonomy_comes_out(name: str) -> None:
    target, chance = TARGETS[name], random.Random(name)
    target.run(b"")
    for seed in target.seeds:
        target.run(seed)
        for _ in range(CHANGES):
            target.run(changed(seed, chance))
