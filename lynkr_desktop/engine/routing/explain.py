"""Why a request goes where it goes, in one short plain sentence. Pure."""

from typing import Final

from lynkr_desktop.config.settings import Tier
from lynkr_desktop.engine.routing.route import Dimension, Facts, Score

_MOST_REASONS: Final = 2
_LEAST_SHARE: Final = 0.4  # a second reason must weigh so much of the first
_LEAST_POINTS: Final = 0.05  # less moved nothing
_SHAPE: Final = frozenset(("tokenCount", "promptComplexity", "clauseCount", "ambiguity", "pastedCode", "technicalDepth"))
_NOTHING: Final = {
    Tier.SIMPLE: "nothing hard in it",
    Tier.MEDIUM: "nothing in it is known to be easy or hard",
    Tier.COMPLEX: "it is much work",
    Tier.REASONING: "it is much work",
}


def top_dimensions(score: Score, count: int = 5) -> tuple[Dimension, ...]:
    """The dimensions that moved the score most, either way, the strongest first."""
    moved = [dimension for dimension in score.dimensions if abs(dimension.points) >= _LEAST_POINTS]
    return tuple(sorted(moved, key=_by_points)[:count])


def _by_points(dimension: Dimension) -> tuple[float, str]:
    return -abs(dimension.points), dimension.name


def _by_purpose(dimension: Dimension) -> tuple[bool, float, str]:
    """What is wanted says more than how it looks."""
    return dimension.name in _SHAPE, -abs(dimension.points), dimension.name


def reason_of(facts: Facts, score: Score, tier: Tier, *, is_raised: bool = False) -> str:
    """`COMPLEX: a cause must be found, many places are touched; 61 of 100.`

    `is_raised`: the score's floor lifted the tier, not the score.
    """
    if score.forced:
        return f"{tier}: {score.forced}."
    if is_raised:
        return f"{tier}: the work goes on by itself until it is done; {score.value} of 100."
    is_up = tier.rank > 0
    moved = [each for each in score.dimensions if (each.points if is_up else -each.points) >= _LEAST_POINTS]
    moved.sort(key=_by_purpose)
    told = [each for each in moved[:_MOST_REASONS] if abs(each.points) >= _LEAST_SHARE * abs(moved[0].points)]
    because = ", ".join(_phrase(each.reason) for each in told) or _NOTHING[tier]
    going_on = " (going on with the work above)" if facts.plan else ""
    return f"{tier}: {because}{going_on}; {score.value} of 100."


def _phrase(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
