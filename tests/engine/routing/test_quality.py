"""How well the score sorts the asks that were written for it: a floor under every change of words and weights."""

from pathlib import Path

from lynkr_desktop.config.settings import Tier
from tests.engine.routing.asks import bare, tier

ASKS = Path(__file__).parents[3] / "packaging" / "routing_asks.tsv"


def test_the_written_asks_are_sorted_well() -> None:
    asks = [line.split("\t", 1) for line in ASKS.read_text("utf-8").splitlines()]
    found = [(Tier(expected), tier(bare(ask)), ask) for expected, ask in asks]
    right = sum(expected is got for expected, got, _ in found)
    assert right / len(found) >= 0.85
    assert [ask for expected, got, ask in found if abs(expected.rank - got.rank) > 1] == []
    assert [ask for expected, got, ask in found if expected.rank >= 2 and got is Tier.SIMPLE] == []
    assert [ask for expected, got, ask in found if expected is Tier.SIMPLE and got.rank >= 2] == []
