"""In which order targets are tried, and which cannot serve a request at all. Pure: reads facts and breaker states, changes none.

What is unknown of a model is allowed. Targets that rest (their breaker is open) and targets whose window seems too small go last
rather than away: a request is never refused while somebody might still serve it.
"""

from collections.abc import Callable, Sequence

import msgspec

from lynkr_desktop.config.settings import Target, Tier
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.resilience.breaker import BreakerState

Rung = tuple[Target, Tier | None]
FactsOf = Callable[[Target], ModelFacts]


class Needs(msgspec.Struct, frozen=True):
    """What a request needs of a model. `input_tokens` is an estimate."""

    input_tokens: int = 0
    has_images: bool = False
    has_tools: bool = False


class Skipped(msgspec.Struct, frozen=True):
    """A target that cannot serve, and why in one sentence for the user."""

    target: Target
    reason: str


class Ladder(msgspec.Struct, frozen=True):
    """The targets in the order of trying, and those left out. Empty `rungs`: nobody can serve, and `skipped` says why.

    `resting` are those whose breaker was open.
    """

    rungs: tuple[Rung, ...]
    skipped: tuple[Skipped, ...] = ()
    resting: frozenset[Target] = frozenset()


def ladder(targets: Sequence[Rung], needs: Needs, facts_of: FactsOf, state_of: Callable[[Target], BreakerState]) -> Ladder:
    """Order a route's targets. The given order holds among equals; a target named twice is tried once."""
    ranked: list[tuple[int, Rung]] = []
    skipped: list[Skipped] = []
    resting: list[Target] = []
    seen: set[Target] = set()
    for rung in targets:
        target = rung[0]
        if target in seen:
            continue
        seen.add(target)
        facts = facts_of(target)
        if reason := _unable(facts, needs):
            skipped.append(Skipped(target, reason))
        else:
            state = state_of(target)
            if state is BreakerState.OPEN:
                resting.append(target)
            ranked.append((_rank(facts, needs, state), rung))
    ranked.sort(key=lambda pair: pair[0])
    return Ladder(tuple(rung for _, rung in ranked), tuple(skipped), frozenset(resting))


def with_larger_window(rest: Sequence[Rung], failed: Target, facts_of: FactsOf) -> tuple[Rung, ...]:
    """Of the remaining targets those whose window is larger than the failed one's, or unknown."""
    window = facts_of(failed).context_tokens
    if window is None:
        return tuple(rest)
    return tuple(rung for rung in rest if (facts_of(rung[0]).context_tokens or window + 1) > window)


def _unable(facts: ModelFacts, needs: Needs) -> str:
    if needs.has_images and facts.takes_images is False:
        return "The model cannot see pictures."
    if needs.has_tools and facts.takes_tools is False:
        return "The model cannot call tools."
    return ""


def _rank(facts: ModelFacts, needs: Needs, state: BreakerState) -> int:
    """0 now, 1 resting, 2 probably too small. The size comes last: resting may end, a window does not grow."""
    if facts.context_tokens is not None and needs.input_tokens > facts.context_tokens:
        return 2
    return 1 if state is BreakerState.OPEN else 0
