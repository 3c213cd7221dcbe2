"""The price of a change of models: the known formula, by hand and for any numbers."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.engine.routing.gate import TURNS_AHEAD, Rates, switch

SONNET = Rates(Decimal(3), Decimal(15), Decimal("0.3"), Decimal("3.75"))
HAIKU = Rates(Decimal(1), Decimal(5), Decimal("0.1"), Decimal("1.25"))
FREE = Rates(Decimal(0), Decimal(0), Decimal(0), Decimal(0))
_PRICES = st.builds(Rates, *(st.decimals(0, 100, places=3) for _ in range(4)))
_WARM = st.integers(0, 2_000_000)


def test_by_hand() -> None:
    """98,000 warm tokens: 100,000 x 1.25 $/M to send them anew, and (0.0474 - 0.0158) $ saved with each turn."""
    found = switch(98_000, SONNET, HAIKU)
    assert found.once == Decimal("0.125")
    assert found.saving == Decimal("0.0474") - Decimal("0.0158")
    assert (found.turns, found.is_worth_it) == (4, True)


def test_a_dear_model_never_pays() -> None:
    """Up costs more with each turn."""
    found = switch(50_000, HAIKU, SONNET)
    assert (found.turns, found.is_worth_it) == (None, False)


def test_a_cold_beginning_binds_nobody() -> None:
    """Where the cache has run out it must be filled on both sides, so the cheaper one costs nothing extra."""
    found = switch(98_000, SONNET, HAIKU, is_warm=False)
    assert (found.once, found.turns) == (Decimal(0), 0)


def test_between_free_models_reading_again_is_the_price() -> None:
    """A long conversation stays on its local model, a short one may go."""
    assert switch(16_000, FREE, FREE).is_worth_it
    assert not switch(16_001, FREE, FREE).is_worth_it
    assert switch(500_000, SONNET, FREE).is_worth_it


@given(_WARM, _PRICES, _PRICES)
def test_worth_it_means_money(warm: int, stay: Rates, go: Rates) -> None:
    """Whoever switches has spent no more after the turns ahead than who stays."""
    found = switch(warm, stay, go)
    assert found.once >= 0
    if found.is_worth_it and found.turns is not None:
        assert found.turns <= TURNS_AHEAD
        assert found.once <= found.saving * found.turns
    assert not switch(warm, stay, stay).is_worth_it or stay.are_free


@given(_WARM, _WARM, _PRICES, _PRICES)
def test_more_warmth_never_makes_leaving_cheaper(one: int, other: int, stay: Rates, go: Rates) -> None:
    """At the moment of the switch."""
    few, many = sorted((one, other))
    assert switch(few, stay, go).once <= switch(many, stay, go).once
