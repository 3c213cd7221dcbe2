"""How hard a request is, 0 to 100: the dimensions' points, then one monotone curve. Pure and the same on every machine.

0–25 is recall or a mechanical edit, 26–50 one bounded piece of work, 51–75 several parts or an unknown cause, 76–100 an
argument that must hold.
"""

import functools
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Boundaries, Tier
from lynkr_desktop.engine.routing.dimensions import SIGNALS, Signal
from lynkr_desktop.engine.routing.envelope import is_follow_up
from lynkr_desktop.engine.routing.reading import read
from lynkr_desktop.engine.routing.route import Dimension, Facts, Score
from lynkr_desktop.engine.routing.rules import floor_of, forced

_DEFAULT: Final = Boundaries()
# Fitted with the weights of `dimensions`, 2026-11-22, by packaging/fit_routing.py. Each corner is where two tiers part.
BASE: Final = 32.6  # raw points of an ask that names nothing known
CURVE: Final = ((-20.0, 0.0), (27.3, 25.4), (48.5, 50.4), (70.7, 75.4), (130.0, 100.0))
_SURELY_SIMPLE: Final = 5
# Facts that change from turn to turn and that no signal measures.
_PASSING: Final = {
    "message_count": 0,
    "tool_result_count": 0,
    "all_tool_count": 0,
    "has_images": False,
    "body_bytes": 0,
    "is_tool_turn": False,
    "session": "",
    "project": "",
    "client": "",
}
_HARD: Final = 51  # an earlier ask from this score on keeps its weight through a go-ahead


def score(facts: Facts) -> Score:
    """The score of a request, with the dimensions that measured something. Each turn of a tool loop asks the same again.

    A bare go-ahead has the score of the plan that it answers, and hard work in progress stays hard; "do the same for …" has
    that of the ask before it.
    """
    return _score(msgspec.structs.replace(facts, **_PASSING))


@functools.lru_cache(maxsize=64)
def _score(facts: Facts) -> Score:
    if facts.plan:
        planned = _score_of(facts, facts.plan)
        earlier = _earlier(facts)
        return earlier if earlier and earlier.value >= _HARD and earlier.value > planned.value else planned
    own = _score_of(facts, facts.text)
    if is_follow_up(facts.text):
        earlier = _earlier(facts)
        if earlier and earlier.value > own.value:
            return earlier
    return own


def _earlier(facts: Facts) -> Score | None:
    return _score_of(facts, facts.earlier_texts[0]) if facts.earlier_texts else None


def _score_of(facts: Facts, text: str) -> Score:
    reading = read(text, facts.text_chars if text is facts.text else 0)
    named = reading.counts.keys()
    measured = [
        (signal, value)
        for signal in SIGNALS
        if (not signal.concepts or not named.isdisjoint(signal.concepts)) and (value := signal.measure(facts, reading))
    ]
    own = BASE + sum([signal.weight * value for signal, value in measured if not signal.is_envelope]) / 100.0
    envelope = sum([signal.weight * value for signal, value in measured if signal.is_envelope]) / 100.0
    curved = curve(own)
    if not reading.is_formal:
        curved = min(curved, float(_DEFAULT.complex))  # only an argument that must hold is REASONING
    value = _inside_tier(curved, envelope)
    dimensions = _dimensions(measured, own, curved)
    rule = forced(facts, text, reading)
    if rule is None:
        return Score(value, dimensions, "", floor_of(reading))
    low, high = _DEFAULT.range_of(rule.tier) if rule.tier is not Tier.SIMPLE else (0, _SURELY_SIMPLE)
    return Score(min(high, max(low, value)), dimensions, rule.reason, rule.tier)


def _dimensions(measured: list[tuple[Signal, float]], own: float, curved: float) -> tuple[Dimension, ...]:
    """What each signal that measured something did to the score: together they lead from `START` to the ask's own score."""
    raw = own - BASE
    stretch = (curved - START) / raw if abs(raw) > 0.5 else 1.0
    return tuple(
        Dimension(
            signal.name,
            round(10.0 * value) / 10.0,
            round(signal.weight * value * (1.0 if signal.is_envelope else stretch)) / 100.0,
            signal.reason,
        )
        for signal, value in measured
    )


def curve(raw: float) -> float:
    """Raw points to 0–100: straight lines between fitted corners, never falling."""
    (last_raw, last_value), *rest = CURVE
    if raw <= last_raw:
        return last_value
    for next_raw, next_value in rest:
        if raw <= next_raw:
            return last_value + (next_value - last_value) * (raw - last_raw) / (next_raw - last_raw)
        last_raw, last_value = next_raw, next_value
    return last_value


def _inside_tier(value: float, envelope: float) -> int:
    """Tools and history rank requests inside a tier and never lift one into the next."""
    whole = max(0, min(100, round(value)))
    top = _DEFAULT.range_of(_DEFAULT.tier_of(whole))[1]
    return min(top, round(whole + envelope))


START: Final = curve(BASE)  # the score of an ask that names nothing known
