"""What past requests would have cost under other tiers. Pure: from scores, floors and token counts only; no prompt, no call.

It says nothing of quality. Tokens are taken as they were, cached ones too, though another model may write more or less.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Routing, Target, Tier
from lynkr_desktop.engine.routing.gate import Rates, Tokens
from lynkr_desktop.engine.routing.route import Score
from lynkr_desktop.engine.routing.tiers import choose

_BY_SCORE: Final = frozenset(("score", "force", "sticky", "window", "observe", "cascade"))


class Past(msgspec.Struct, frozen=True):
    """What the ledger knows of one exchange that a model served. `tier` and `floor` empty: none; `cost_usd` None: unpriced."""

    score: int | None
    floor: str
    tier: str
    method: str
    target: Target
    tokens: Tokens
    cost_usd: Decimal | None


class WhatIf(msgspec.Struct, frozen=True):
    """Past requests as they were and as they would have been. USD as decimal text.

    `moved` would have gone to another model. `unpriced` are not in `cost_usd`, `unpriced_before` not in `before_usd`: where the
    two differ, the sums cannot be compared. `kept` had no score, or their model was asked for by name; they cost what they cost.
    """

    requests: int = 0
    moved: int = 0
    kept: int = 0
    cost_usd: str = "0"
    before_usd: str = "0"
    unpriced: int = 0
    unpriced_before: int = 0
    tiers: dict[str, int] = {}
    tiers_before: dict[str, int] = {}


def what_if(
    routing: Routing,
    past: Iterable[Past],
    rates_of: Callable[[Target, int], Rates | None],
    repriced: frozenset[Target] = frozenset(),
) -> WhatIf:
    """Replay requests under other boundaries and tiers, as if the score had decided. `rates_of` is for so much input.

    What stays with its model costs what it did, unless the model is among the `repriced`.
    """
    before, after = Decimal(0), Decimal(0)
    requests = moved = kept = unpriced = unpriced_before = 0
    tiers, tiers_before = Counter[str](), Counter[str]()
    for each in past:
        requests += 1
        tier = _tier(routing, each)
        found = routing.tiers.of(tier)[:1] if tier is not None else ()
        target = found[0] if found else each.target
        kept += not found
        moved += target != each.target
        tiers[tier or each.tier] += 1
        tiers_before[each.tier] += 1
        is_same = target == each.target and target not in repriced
        cost = each.cost_usd if is_same else _cost(each.tokens, rates_of(target, each.tokens.all_input))
        if each.cost_usd is None:
            unpriced_before += 1
        else:
            before += each.cost_usd
        if cost is None:
            unpriced += 1
        else:
            after += cost
    return WhatIf(requests, moved, kept, f"{after:f}", f"{before:f}", unpriced, unpriced_before, dict(tiers), dict(tiers_before))


def differing(one: Routing, other: Routing, past: Iterable[Past]) -> int:
    """How many requests would be of another tier under the other boundaries."""
    return sum(_tier(one, each) is not _tier(other, each) for each in past)


def _tier(routing: Routing, past: Past) -> Tier | None:
    """The tier of a request; None if it stays where it was."""
    if past.method == "pin" and past.tier:
        return Tier(past.tier)
    if past.score is None or past.method not in _BY_SCORE:
        return None
    return choose(Score(past.score, floor=Tier(past.floor) if past.floor else None), routing.boundaries)


def _cost(tokens: Tokens, rates: Rates | None) -> Decimal | None:
    return None if rates is None else tokens.cost(rates)
