"""Where the tiers would end by the user's own verdicts, "should have been higher" or "lower". Pure.

Each verdict is for or against every place where one boundary may stand: who wanted more than the tier that served wants that tier
to end below the request's score, who wanted less wants the tier beneath it to reach up to the score. A boundary moves where the
most verdicts want it, and stays where it is unless at least two more are for the move than against it: one press of a button
decides nothing.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from lynkr_desktop.config.settings import TIERS, Boundaries, Tier

LEAST_GAIN: Final = 2  # so many more verdicts must be for a move than against it
MOST_STEPS: Final = 20  # points by which a boundary moves at once
NARROWEST: Final = 5  # points that every tier keeps
_LAST: Final = 99


class Verdict(msgspec.Struct, frozen=True):
    """What a user said of one exchange: served in `tier` by its `score`, it should have been higher or lower."""

    score: int
    tier: Tier
    is_higher: bool

    @property
    def boundary(self) -> int | None:
        """Which boundary it concerns: 0 for the end of SIMPLE to 2 for that of COMPLEX. None: there is no tier further on."""
        place = self.tier.rank if self.is_higher else self.tier.rank - 1
        return place if 0 <= place < len(TIERS) - 1 else None

    def agrees(self, end: int) -> bool:
        """Is the wish met where the boundary that it concerns stands at `end`?"""
        return self.score > end if self.is_higher else self.score <= end


class Fit(msgspec.Struct, frozen=True):
    """Boundaries by verdicts. `agreed` of `verdicts` are met by the boundaries in force, `would_agree` by these."""

    boundaries: Boundaries
    verdicts: int = 0
    agreed: int = 0
    would_agree: int = 0


def fitted(verdicts: Sequence[Verdict], now: Boundaries) -> Fit:
    """The boundaries that the verdicts ask for, near those in force. Verdicts that concern no boundary are left out."""
    ends = [now.simple, now.medium, now.complex]
    telling = [each for each in verdicts if each.boundary is not None]
    before = _agreed(telling, ends)
    for place in range(len(ends)):
        concerned = [each for each in telling if each.boundary == place]
        low = ends[place - 1] + NARROWEST if place else NARROWEST
        high = ends[place + 1] - NARROWEST if place + 1 < len(ends) else _LAST - NARROWEST
        ends[place] = _best(concerned, ends[place], low, high)
    return Fit(Boundaries(*ends), len(telling), before, _agreed(telling, ends))


def _best(concerned: Sequence[Verdict], now: int, low: int, high: int) -> int:
    """The place that the most verdicts speak for; of equal ones the nearest. The old place unless they are enough."""
    places = [end for end in range(now - MOST_STEPS, now + MOST_STEPS + 1) if low <= end <= high]
    found = min(places, key=lambda end: (-_gain(concerned, now, end), abs(end - now), end), default=now)
    return found if _gain(concerned, now, found) >= LEAST_GAIN else now


def _gain(concerned: Sequence[Verdict], now: int, end: int) -> int:
    """How many more speak for the move than against it. Against it is whoever wanted the other way and is not met there."""
    is_up = end > now
    pro = sum(each.is_higher is not is_up and each.agrees(end) and not each.agrees(now) for each in concerned)
    contra = sum(each.is_higher is is_up and not each.agrees(end) for each in concerned)
    return pro - contra


def _agreed(verdicts: Sequence[Verdict], ends: Sequence[int]) -> int:
    return sum(each.boundary is not None and each.agrees(ends[each.boundary]) for each in verdicts)
