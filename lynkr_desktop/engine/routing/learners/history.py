"""What the user said of asks like this one before. Pure: the examples come in, an opinion goes out.

Of the most like asks, those with a verdict speak for the tier that was wished; those without speak, with a quarter of a voice,
for the tier that they had. So one verdict carries over to the same ask, and is outvoted where many like it were fine.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from lynkr_desktop.config.settings import TIERS, Boundaries, Tier
from lynkr_desktop.engine.routing.learners.fingerprint import LIKENESS
from lynkr_desktop.engine.routing.route import Dimension, Score

NEIGHBOURS: Final = 10
LEAST_LIKENESS: Final = 0.5
RAISING_SHARE: Final = 0.5  # of the voices that a higher tier needs
LOWERING_SHARE: Final = 0.7  # that a lower one needs: a model too small costs more than one too large
SILENT_VOICE: Final = 0.25
DIMENSION: Final = "yourHistory"
_BY_SCORE: Final = frozenset(("score", "sticky", "window"))
_MOST_BITS: Final = next(bits for bits, likeness in enumerate(LIKENESS) if likeness < LEAST_LIKENESS) - 1


class Example(msgspec.Struct, frozen=True):
    """An ask that was served: its fingerprint, the tier that it had, and the verdict: 1 higher, -1 lower, 0 none."""

    fingerprint: int
    tier: Tier
    verdict: int = 0

    @property
    def wished(self) -> Tier:
        """The tier that it should have had."""
        return TIERS[min(len(TIERS) - 1, max(0, self.tier.rank + self.verdict))]


class Opinion(msgspec.Struct, frozen=True):
    """The tier that like asks speak for, and how many of them had a verdict."""

    tier: Tier
    judged: int


def example_of(fingerprint: str, tier: str, method: str, verdict: int) -> Example | None:
    """An exchange of the ledger as an example; None if the score had no say in it."""
    if not fingerprint or not tier or method not in _BY_SCORE:
        return None
    return Example(int(fingerprint, 16), Tier(tier), verdict)


def opinion(fingerprint: int, tier: Tier, examples: Sequence[Example]) -> Opinion | None:
    """Another tier than the score's for an ask of this fingerprint; None where like asks have nothing to say against it."""
    if not fingerprint:
        return None
    apart = [((fingerprint ^ each.fingerprint).bit_count(), place) for place, each in enumerate(examples)]
    near = [(bits, examples[place]) for bits, place in heapq.nsmallest(NEIGHBOURS, apart) if bits <= _MOST_BITS]
    judged = sum(each.verdict != 0 for _, each in near)
    if not judged:
        return None
    voices: defaultdict[Tier, float] = defaultdict(float)
    for bits, each in near:
        voices[each.wished] += LIKENESS[bits] * (1.0 if each.verdict else SILENT_VOICE)
    wished = max(TIERS, key=lambda each: (voices[each], each is tier))
    share = voices[wished] / sum(voices.values())
    is_enough = share >= RAISING_SHARE if wished.rank > tier.rank else share >= LOWERING_SHARE
    return Opinion(wished, judged) if wished is not tier and is_enough else None


def adjusted(score: Score, found: Opinion | None, boundaries: Boundaries) -> Score:
    """The score moved into the tier that like asks speak for, with a dimension that says so. Floor, work and risk stay."""
    if found is None or score.forced:
        return score
    low, high = boundaries.range_of(found.tier)
    value = min(high, max(low, score.value))
    times = "once" if found.judged == 1 else f"{found.judged} times"
    said = "higher" if value > score.value else "lower"
    moved = Dimension(DIMENSION, 100.0, float(value - score.value), f"You said {times} that asks like this should go {said}.")
    return msgspec.structs.replace(score, value=value, dimensions=(*score.dimensions, moved))


class Effect(msgspec.Struct, frozen=True):
    """Measured over the examples, each judged by all the others: how many verdicts would have been met, and how many asks
    that nobody complained of would have moved."""

    examples: int = 0
    verdicts: int = 0
    met: int = 0
    moved: int = 0


def effect(examples: Sequence[Example]) -> Effect:
    """What the examples would have done to one another: each is judged by the others alone."""
    verdicts = met = moved = 0
    for each in _sampled(examples):
        others = [other for other in examples if other is not each]
        found = opinion(each.fingerprint, each.tier, others)
        if each.verdict:
            verdicts += 1
            met += found is not None and (found.tier.rank - each.tier.rank) * each.verdict > 0
        else:
            moved += found is not None
    return Effect(len(examples), verdicts, met, moved)


_MOST_MEASURED: Final = 200


def _sampled(examples: Sequence[Example]) -> Iterable[Example]:
    """The newest with a verdict and the newest without: measuring each against all grows with the square."""
    judged = [each for each in examples if each.verdict]
    silent = [each for each in examples if not each.verdict]
    return (*judged[-_MOST_MEASURED:], *silent[-_MOST_MEASURED:])
