"""Past requests under other tiers: who moves, what it costs, and what is not claimed."""

import dataclasses
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.settings import TIERS, Boundaries, Routing, Target, TierTargets
from lynkr_desktop.engine.routing.gate import Rates, Tokens
from lynkr_desktop.engine.routing.replay import Past, what_if

CHEAP, MIDDLE, DEAR, UNPRICED = (Target("a", name) for name in ("cheap", "middle", "dear", "unpriced"))
ROUTING = Routing(tiers=TierTargets((CHEAP,), (MIDDLE,), (DEAR,), (DEAR,)))
_PRICES = {CHEAP: 1, MIDDLE: 3, DEAR: 15}


def _rates(target: Target, _tokens: int) -> Rates | None:
    price = _PRICES.get(target)
    return None if price is None else Rates(Decimal(price), Decimal(price), Decimal(price) / 10, Decimal(price))


def _past(
    score: int | None, target: Target, tier: str = "", method: str = "score", *, floor: str = "", tokens: int = 1000
) -> Past:
    rates = _rates(target, tokens)
    counts = Tokens(tokens, 0, 0, 0)
    tier = tier or (ROUTING.boundaries.tier_of(score) if score is not None else "")
    return Past(score, floor, tier, method, target, counts, counts.cost(rates) if rates else None)


def test_by_hand() -> None:
    """Moving MEDIUM's end from 50 to 70 sends the request of 60 to the cheaper model; one thousand tokens each."""
    past = [_past(10, CHEAP), _past(40, MIDDLE), _past(60, DEAR), _past(80, DEAR)]
    wider = dataclasses.replace(ROUTING, boundaries=Boundaries(25, 70, 75))
    found = what_if(wider, past, _rates)
    assert (found.requests, found.moved, found.kept) == (4, 1, 0)
    assert (found.before_usd, found.cost_usd) == ("0.034", "0.022")
    assert found.tiers == {"SIMPLE": 1, "MEDIUM": 2, "REASONING": 1}
    assert found.tiers_before == {"SIMPLE": 1, "MEDIUM": 1, "COMPLEX": 1, "REASONING": 1}


def test_floors_and_pins_hold() -> None:
    """A rule's tier is not lowered by a boundary, and who pinned a tier stays in it, with its new model."""
    low = dataclasses.replace(ROUTING, boundaries=Boundaries(90, 95, 98))
    assert what_if(low, [_past(60, DEAR, floor="COMPLEX")], _rates).moved == 0
    pinned = _past(10, DEAR, "COMPLEX", "pin")
    assert what_if(low, [pinned], _rates).moved == 0
    other = dataclasses.replace(ROUTING, tiers=ROUTING.tiers.with_tier(TIERS[2], (MIDDLE,)))
    assert what_if(other, [pinned], _rates).moved == 1


def test_what_the_score_did_not_decide_stays() -> None:
    """Direct mode had no score, and a model asked for by name is served as asked."""
    found = what_if(ROUTING, [_past(None, DEAR, method="direct"), _past(10, DEAR, method="requested")], _rates)
    assert (found.moved, found.kept) == (0, 2)
    assert found.cost_usd == found.before_usd == "0.030"


def test_unknown_prices_are_said() -> None:
    """Never a zero for what is not known, on either side."""
    blind = dataclasses.replace(ROUTING, tiers=ROUTING.tiers.with_tier(TIERS[0], (UNPRICED,)))
    found = what_if(blind, [_past(10, CHEAP), _past(40, UNPRICED, "MEDIUM")], _rates)
    assert (found.unpriced, found.unpriced_before) == (1, 1)
    assert (found.cost_usd, found.before_usd) == ("0.003", "0.001")


_ROWS = st.lists(st.tuples(st.integers(0, 100), st.sampled_from((CHEAP, MIDDLE, DEAR)), st.integers(0, 10**6)), max_size=30)


@given(_ROWS)
def test_the_same_tiers_move_nobody_whom_the_score_placed(rows: list[tuple[int, Target, int]]) -> None:
    """And cost what was spent."""
    placed = [
        _past(score, ROUTING.tiers.of(ROUTING.boundaries.tier_of(score))[0], tokens=tokens) for score, _target, tokens in rows
    ]
    found = what_if(ROUTING, placed, _rates)
    assert found.moved == 0
    assert found.cost_usd == found.before_usd
    assert found.tiers == found.tiers_before


@given(_ROWS)
def test_all_at_the_dearest_is_the_most(rows: list[tuple[int, Target, int]]) -> None:
    """No other tiers of these models cost more, and no request is lost or counted twice."""
    past = [_past(score, target, tokens=tokens) for score, target, tokens in rows]
    dearest = Routing(tiers=TierTargets(*((DEAR,) for _ in TIERS)))
    most = what_if(dearest, past, _rates)
    usual = what_if(ROUTING, past, _rates)
    assert Decimal(usual.cost_usd) <= Decimal(most.cost_usd)
    assert sum(usual.tiers.values()) == usual.requests == len(past)
    assert most.moved == sum(each.target != DEAR for each in past)


def test_other_prices() -> None:
    """A model that gets dearer costs more for those who stay with it; the others cost what they did."""
    past = [_past(10, CHEAP), _past(60, DEAR)]

    def doubled(target: Target, tokens: int) -> Rates | None:
        rates = _rates(target, tokens)
        return Rates(rates.input * 2, rates.output * 2, rates.read * 2, rates.write * 2) if rates and target == DEAR else rates

    found = what_if(ROUTING, past, doubled, frozenset((DEAR,)))
    assert (found.moved, found.before_usd, found.cost_usd) == (0, "0.016", "0.031")
