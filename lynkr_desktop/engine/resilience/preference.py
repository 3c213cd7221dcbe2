"""How targets do from minute to minute, and which of a tier's is tried first if the user lets that decide. Pure: seconds come in.

What was seen more than five minutes ago counts no longer: a target that was slow or failed is then unknown, and the unknown goes
first, so that it is seen again. Bounded: the last twenty outcomes of each target.
"""

from collections import deque
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final, assert_never

import msgspec

from lynkr_desktop.config.settings import Target, TargetOrder, Tier

SEEN_SECONDS: Final = 300.0
KEPT: Final = 20
Rung = tuple[Target, Tier | None]


class Doing(msgspec.Struct, frozen=True):
    """A target in numbers: requests in progress, outcomes of the last minutes, and how many of those it served.

    `first_token_ms` is the median of those it served; None where nothing is known.
    """

    in_progress: int = 0
    seen: int = 0
    served: int = 0
    first_token_ms: float | None = None


class TargetBook:
    """What each target did. One entry per target that was ever asked; those of the settings are few."""

    def __init__(self) -> None:
        self._in_progress: dict[Target, int] = {}
        self._outcomes: dict[Target, deque[tuple[float, bool, float | None]]] = {}

    def begin(self, target: Target) -> None:
        """A request goes to it; follow with `end`."""
        self._in_progress[target] = self._in_progress.get(target, 0) + 1

    def end(self, target: Target) -> None:
        """That request is over, however it ended."""
        left = self._in_progress.pop(target, 1) - 1
        if left > 0:
            self._in_progress[target] = left

    def note(self, target: Target, now: float, *, has_served: bool, first_token_ms: float | None = None) -> None:
        """An outcome that speaks for or against the target; what the request itself caused is not for this book."""
        outcomes = self._outcomes.get(target)
        if outcomes is None:
            outcomes = self._outcomes[target] = deque(maxlen=KEPT)
        outcomes.append((now, has_served, first_token_ms))

    def of(self, target: Target, now: float) -> Doing:
        """A target at a moment. From any thread."""
        recent = [each for each in list(self._outcomes.get(target, ())) if now - each[0] <= SEEN_SECONDS]
        times = [first_token_ms for _, _, first_token_ms in recent if first_token_ms is not None]
        return Doing(
            in_progress=self._in_progress.get(target, 0),
            seen=len(recent),
            served=sum(has_served for _, has_served, _ in recent),
            first_token_ms=median(times) if times else None,
        )

    def targets(self) -> tuple[Target, ...]:
        """Every target that was asked."""
        return tuple(dict.fromkeys((*list(self._outcomes), *list(self._in_progress))))

    def preferred(self, rungs: Sequence[Rung], order: TargetOrder, now: float) -> tuple[Rung, ...]:
        """The rungs with each tier's own in the user's order of preference; the tiers stay as they are, and so do equals."""
        worth = _WORTH[order]
        places = {tier: place for place, tier in reversed(list(enumerate(tier for _, tier in rungs)))}
        return tuple(sorted(rungs, key=lambda rung: (places[rung[1]], worth(self.of(rung[0], now)))))


def why(order: TargetOrder, target: Target) -> str:
    """One sentence on why this target goes first."""
    match order:
        case TargetOrder.LISTED:
            return ""
        case TargetOrder.LATENCY:
            return f"{target} answers quickest."
        case TargetOrder.LEAST_BUSY:
            return f"{target} is the least busy."
        case TargetOrder.SUCCESS:
            return f"{target} fails least."
        case _:
            assert_never(order)


_WORTH: Final[dict[TargetOrder, Callable[[Doing], float]]] = {
    TargetOrder.LISTED: lambda _: 0.0,
    TargetOrder.LATENCY: lambda doing: -1.0 if not doing.seen else doing.first_token_ms or float("inf"),
    TargetOrder.LEAST_BUSY: lambda doing: float(doing.in_progress),
    TargetOrder.SUCCESS: lambda doing: -doing.served / doing.seen if doing.seen else -1.0,
}
