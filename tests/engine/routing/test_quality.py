"""How well the score sorts asks that it was not made from: a floor under every change of words and weights.

`fresh_asks.tsv` was written and labelled after the weights were fitted. It is measured with and never fitted on.
"""

from pathlib import Path

from lynkr_desktop.config.settings import Tier
from tests.engine.routing.asks import bare, tier

ASKS = Path(__file__).parent / "fresh_asks.tsv"


def test_fresh_asks_are_sorted_well() -> None:
    asks = [line.split("\t", 1) for line in ASKS.read_text("utf-8").splitlines()]
    found = [(Tier(expected), tier(bare(ask.replace("\\n", "\n"))), ask) for expected, ask in asks]
    assert sum(expected is got for expected, got, _ in found) >= 0.75 * len(found)
    assert len([ask for expected, got, ask in found if abs(expected.rank - got.rank) > 1]) <= 0.08 * len(found)
    assert len([ask for expected, got, ask in found if expected.rank >= 2 and got is Tier.SIMPLE]) <= 0.05 * len(found)
