"""How hard a request is, 0 to 100: the dimensions and the learned words together, then the tiers' ranges. Pure, deterministic.

0–25 is recall or a mechanical edit, 26–50 one bounded piece of work, 51–75 several parts or an unknown cause, 76–100 an
argument that must hold. Three heads say how likely the ask needs more than each tier; the tier is the first that suffices more
likely than not, and the place inside its range says how near the neighbours are.
"""

import functools
from collections.abc import Sequence
from math import exp
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Boundaries, Tier
from lynkr_desktop.engine.routing.dimensions import SIGNALS, Measure, Signal
from lynkr_desktop.engine.routing.envelope import is_follow_up
from lynkr_desktop.engine.routing.learned import LEARNED, Opinion, opinion_of, pack, unpack
from lynkr_desktop.engine.routing.reading import Reading, read
from lynkr_desktop.engine.routing.route import Dimension, Facts, Score
from lynkr_desktop.engine.routing.rules import forced
from lynkr_desktop.engine.routing.work import FLOORS, risk_of, work_of

WORDS: Final = "learnedWords"
GAIN: Final = "strongerModelGain"
_DEFAULT: Final = Boundaries()
_WIDTH: Final = 25.0  # of a tier's range
_GAIN_SHARE: Final = 0.4  # of the place inside a tier; the rest is the nearness of the neighbours
_SURELY_SIMPLE: Final = 5
_HARD: Final = 51  # an earlier ask from this score on keeps its weight through a go-ahead
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
_Logits = tuple[float, float, float]
_STEPS: Final = 256.0  # a dimension's weights are kept in so many steps to 1
# Of a signal of the ask itself: the signal, what 1 of its value says to all heads in steps of a hundredth, and to each tier's.
_Row = tuple[Signal, Measure, int, float, float, float]


def _row(signal: Signal) -> _Row:
    weights = [round(weight * _STEPS) for weight in LEARNED.dimensions[signal.name]]
    first, second, third = (weight / _STEPS / 100.0 for weight in weights[:3])
    return signal, signal.measure, pack(*weights), first, second, third


_OWN: Final = tuple(_row(signal) for signal in SIGNALS if not signal.envelope_points)


@functools.lru_cache(maxsize=1024)
def _rows_of(named: frozenset[str]) -> tuple[_Row, ...]:
    """The signals that have something to measure where these concepts are named."""
    return tuple(row for row in _OWN if not row[0].concepts or not named.isdisjoint(row[0].concepts))


_ENVELOPE: Final = tuple(signal for signal in SIGNALS if signal.envelope_points)
_BIAS: Final[_Logits] = LEARNED.bias[:3]
_LEAST_POINTS: Final = 0.05  # less moved nothing worth telling,
_CLEARLY: Final = 60  # but a value like this says what the ask is
_Part = tuple[_Row, int]  # a signal and its value


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
    words = opinion_of(reading.words, reading.vocabulary, reading.cjk)
    logits, gain, parts = _heard(facts, reading, words)
    placed = place(logits)
    moved = with_gain(placed, gain)
    envelope = _envelope(facts, reading)
    value = _inside_tier(moved, sum([dimension.points for dimension in envelope]))
    dimensions = (*_dimensions(parts, words, logits), _of_gain(moved - placed), *envelope)
    rule, work = forced(facts, text, reading), work_of(reading)
    if rule is None:
        return Score(value, dimensions, "", FLOORS[work], work, risk_of(reading))
    low, high = _DEFAULT.range_of(rule.tier) if rule.tier is not Tier.SIMPLE else (0, _SURELY_SIMPLE)
    risk = risk_of(reading) if rule.tier is not Tier.SIMPLE else ""
    return Score(min(high, max(low, value)), dimensions, rule.reason, rule.tier, work, risk)


def _heard(facts: Facts, reading: Reading, words: Opinion) -> tuple[_Logits, float, list[_Part]]:
    """The three heads and the gain, and each measured signal."""
    rows = _rows_of(frozenset(reading.counts))
    parts = [(row, int(value)) for row in rows if (value := row[1](facts, reading))]
    medium, complex_, reasoning, gain = unpack(sum([row[2] * value for row, value in parts]))
    bias, step = LEARNED.bias, _STEPS * 100.0
    logits = (
        bias[0] + words.medium + medium / step,
        bias[1] + words.complex + complex_ / step,
        bias[2] + words.reasoning + reasoning / step,
    )
    return logits, bias[3] + words.gain + gain / step, parts


def _envelope(facts: Facts, reading: Reading) -> list[Dimension]:
    if not (facts.tool_names or facts.earlier_texts or facts.earlier_tool_result_count):
        return []
    measured = [(signal, value) for signal in _ENVELOPE if (value := signal.measure(facts, reading))]
    return [_dimension(signal, value, signal.envelope_points * value / 100.0) for signal, value in measured]


def place(logits: _Logits) -> float:
    """0 to 100. A tier's range begins where the head below it says yes; inside it, half-way is as far from either neighbour.

    Never falls where a head says more.
    """
    medium, complex_, reasoning = logits
    if medium <= 0.0:
        return 2.0 * _WIDTH * _likely(medium)
    if complex_ <= 0.0:
        return _WIDTH * (_likely(medium) + _likely(complex_) + 0.5)
    complex_ = min(complex_, medium)
    if reasoning <= 0.0:
        return _WIDTH * (_likely(complex_) + _likely(reasoning) + 1.5)
    return 2.0 * _WIDTH * (_likely(min(reasoning, complex_)) + 1.0)


def _likely(logit: float) -> float:
    return 1.0 / (1.0 + exp(-logit)) if logit > -30.0 else 0.0


def with_gain(placed: float, gain: float) -> float:
    """Moved inside its tier by what a stronger model would make better."""
    low = _WIDTH * min(3, int(placed / _WIDTH - 1e-9))
    return placed + _GAIN_SHARE * (low + _WIDTH * _likely(gain) - placed)


START: Final = place(_BIAS)  # the score of an ask that names nothing known


def _dimensions(parts: list[_Part], words: Opinion, logits: _Logits) -> list[Dimension]:
    """What each part did to the score: together, with the gain's, they lead from `START` to the ask's own score.

    Each head's move is told by the points between before and after it, shared by what moved the head.
    """
    one, two, three = _shares(logits)
    told = [
        _dimension(row[0], value, points)
        for row, value in parts
        if not -_LEAST_POINTS < (points := (one * row[3] + two * row[4] + three * row[5]) * value) < _LEAST_POINTS
        or value >= _CLEARLY
    ]
    points = one * words.medium + two * words.complex + three * words.reasoning
    if abs(points) >= _LEAST_POINTS:
        told.append(_of_words(words, points))
    return told


def _shares(logits: _Logits) -> _Logits:
    """Points for each 1.0 of a head, between nothing known and what is known of the ask."""
    points = [START]
    steps: list[float] = list(_BIAS)
    shares = []
    for at, logit in enumerate(logits):
        steps[at] = logit
        points.append(place((steps[0], steps[1], steps[2])))
        moved = logit - _BIAS[at]
        shares.append((points[-1] - points[-2]) / moved if abs(moved) > 1e-6 else 0.0)
    return shares[0], shares[1], shares[2]


def _of_words(words: Opinion, points: float) -> Dimension:
    """`value` is where the words alone would put the ask. Which words they are is not told: the ledger holds none of them."""
    alone = place((_BIAS[0] + words.medium, _BIAS[1] + words.complex, _BIAS[2] + words.reasoning))
    reason = "Its words are those of harder asks." if points > 0 else "Its words are those of easier asks."
    return Dimension(WORDS, round(alone), round(100.0 * points) / 100.0, reason)


def _of_gain(points: float) -> Dimension:
    """`value` is its share of the most that it can move."""
    reason = "A stronger model does it better." if points > 0 else "A stronger model hardly helps."
    return Dimension(GAIN, round(100.0 * abs(points) / (_GAIN_SHARE * _WIDTH)), round(100.0 * points) / 100.0, reason)


def _dimension(signal: Signal, value: float, points: float) -> Dimension:
    return Dimension(signal.name, value, round(100.0 * points) / 100.0, signal.reason)


def _inside_tier(value: float, envelope: float) -> int:
    """Tools and history rank requests inside a tier and never lift one into the next."""
    rank = min(3, int(value / _WIDTH - 1e-9))
    low, high = _RANGES[rank]
    return min(high, round(max(low, min(high, round(value))) + envelope))


_RANGES: Final[Sequence[tuple[int, int]]] = [_DEFAULT.range_of(tier) for tier in Tier]
