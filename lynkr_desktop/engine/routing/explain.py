"""Why a request goes where it goes, in one short plain sentence. Pure."""

from typing import Final

from lynkr_desktop.config.settings import Tier
from lynkr_desktop.engine.routing.route import Dimension, Facts, Score

_MOST_REASONS: Final = 2
_LEAST_SHARE: Final = 0.4  # a second reason must weigh so much of the first
_LEAST_POINTS: Final = 0.05  # less moved nothing
_SHAPE: Final = frozenset(("tokenCount", "promptComplexity", "clauseCount", "ambiguity", "pastedCode", "technicalDepth"))
# These move inside the tier only.
_UNTOLD: Final = frozenset(("strongerModelGain", "toolCount", "toolComplexity", "conversationDepth", "priorToolUsage"))
_BOUNDED: Final = frozenset(("boundedWork", "codeGeneration", "explanation"))  # what MEDIUM work is, if it is nothing more
_CLEARLY: Final = 60.0  # a value that speaks for itself
_LEAST_TOLD: Final = 2.0  # points; less explains nothing
_NOTHING: Final = {
    Tier.SIMPLE: "nothing hard in it",
    Tier.MEDIUM: "nothing in it is known to be easy or hard",
    Tier.COMPLEX: "it is much work",
    Tier.REASONING: "it is much work",
}


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
        return f"{tier}: {_WORK.get(score.work, _WORK['autonomous'])}; {score.value} of 100."
    because = ", ".join(_phrase(each.reason) for each in _told(score, tier)) or _NOTHING[tier]
    going_on = " (going on with the work above)" if facts.plan else ""
    return f"{tier}: {because}{going_on}; {score.value} of 100."


def _told(score: Score, tier: Tier) -> list[Dimension]:
    """The one or two dimensions that say most: the kind of work where MEDIUM is no more than that, else what moved most."""
    is_up = tier.rank > 0
    known = [each for each in score.dimensions if each.name not in _UNTOLD]
    moved = sorted((each for each in known if (each.points if is_up else -each.points) >= _LEAST_TOLD), key=_by_purpose)
    if tier is Tier.MEDIUM:
        bounded = [each for each in known if each.name in _BOUNDED and each.value >= _CLEARLY]
        return [*bounded[:1], *(each for each in moved if each.name not in _BOUNDED | _SHAPE)][:_MOST_REASONS]
    return [each for each in moved[:_MOST_REASONS] if abs(each.points) >= _LEAST_SHARE * abs(moved[0].points)]


def careful_reason(score: Score) -> str:
    """Why an ask was lifted because of what it touches."""
    return f"{Tier.COMPLEX}: it changes {score.risk}, where you want care; {score.value} of 100."


_WORK: Final = {
    "tool_chain": "it takes several steps, one after the other",
    "iterative": "the work is repeated until it is done",
    "autonomous": "the work goes on by itself until it is done",
}


def _phrase(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
