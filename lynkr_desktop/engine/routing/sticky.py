"""Does a turn stay with the model of the turn before? Pure: what it must know of the world is passed in.

The results of tools always go to the model that called them. A new ask stays in its conversation's tier unless it is clearly
harder, or so much easier that the switch pays for what is cached.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Pin, Routing, Target, Tier
from lynkr_desktop.engine.routing.gate import WARM_SECONDS, Rates, Switch, switch
from lynkr_desktop.engine.routing.route import Facts, Method, Route
from lynkr_desktop.engine.routing.sessions import Standing
from lynkr_desktop.engine.routing.tiers import ladder_of

MARGIN: Final = 15  # points beyond its tier by which an ask may miss and still stay
WINDOW_SHARE: Final = 0.85  # of a window; the rest is for the answer, and for what the estimate misses
_SCORED: Final[frozenset[Method]] = frozenset(("score", "force"))
_HELD: Final[frozenset[Method]] = frozenset(("score", "force", "sticky"))


class Surroundings(msgspec.Struct, frozen=True):
    """What a decision may know besides the conversation. `tokens` is the request's estimated input.

    `can_serve`: is its account there, and does it not rest after failures? `window_of` and `rates_of` give None where that is
    unknown; the rates are for so much input. `pin` is the one that holds now.
    """

    routing: Routing
    tokens: int
    now: float
    can_serve: Callable[[Target], bool]
    window_of: Callable[[Target], int | None]
    rates_of: Callable[[Target, int], Rates | None]
    pin: Pin | None = None

    def fits(self, target: Target) -> bool:
        """Does the request fit into the model's window? An unknown window fits."""
        window = self.window_of(target)
        return window is None or self.tokens <= window * WINDOW_SHARE


def settled(fresh: Route, facts: Facts, standing: Standing | None, around: Surroundings) -> Route:
    """The route of a turn, from what its ask alone would get and from where its conversation stands."""
    return _fitting(_kept_or_fresh(fresh, facts, standing, around), around)


def _kept_or_fresh(fresh: Route, facts: Facts, standing: Standing | None, around: Surroundings) -> Route:
    if standing is None or not _can_stay(fresh, standing, around):
        return fresh
    is_same = fresh.targets[0][0] == standing.target
    if standing.pin != around.pin and (around.pin is not None or not facts.is_tool_turn):
        return fresh  # a new pin holds from the next request on; one that ended lets its loop of tools come to an end
    if facts.is_tool_turn:
        if is_same and fresh.method not in _SCORED:
            return fresh
        return _kept(fresh, standing, around, f"{_place(standing)}: results of tools go to the model that called them.")
    tier, fresh_tier = standing.tier, fresh.tier
    is_open = standing.is_settled and not standing.is_below_wish and fresh.method in _SCORED
    if not is_open or tier is None or fresh_tier is None or (fresh_tier is tier and is_same):
        return fresh
    if fresh_tier is tier:
        return _kept(fresh, standing, around, f"{fresh.reason} Kept on {standing.target.model}, which served before.")
    if _is_near(fresh, tier, around.routing):
        return _kept(fresh, standing, around, f"{tier}: kept; the ask is not far enough into {fresh_tier} to change the model.")
    return fresh if fresh_tier.rank > tier.rank else _if_it_pays(fresh, standing, tier, around)


def _can_stay(fresh: Route, standing: Standing, around: Surroundings) -> bool:
    """Is the model of the turn before still there, allowed and meant? Whether it is large enough is seen to at the end."""
    is_same = standing.routing is around.routing or standing.routing == around.routing
    target = standing.target
    is_offered = is_same and fresh.method != "requested" and any(target == each for each, _ in fresh.targets)
    return is_offered and around.can_serve(target)


def _is_near(fresh: Route, tier: Tier, routing: Routing) -> bool:
    """Did the score alone miss the tier, and by little? A rule is no near miss, and neither is a least tier."""
    if fresh.score is None or fresh.method != "score":
        return False
    low, high = routing.boundaries.range_of(tier)
    floor = fresh.score.floor
    return low - MARGIN <= fresh.score.value <= high + MARGIN and (floor is None or floor.rank <= tier.rank)


def _if_it_pays(fresh: Route, standing: Standing, tier: Tier, around: Surroundings) -> Route:
    """Down to a lesser tier. Where prices are unknown the score decides."""
    able = (each for each, its in fresh.targets if its is fresh.tier and around.can_serve(each) and around.fits(each))
    lesser = next(able, None)
    if lesser is None:
        return _kept(fresh, standing, around, f"{tier}: kept, because no model of {fresh.tier} can take over now.")
    stay, go = around.rates_of(standing.target, standing.warm_tokens), around.rates_of(lesser, standing.warm_tokens)
    if stay is None or go is None:
        return fresh
    found = switch(standing.warm_tokens, stay, go, is_warm=around.now - standing.used_at < WARM_SECONDS)
    if found.is_worth_it:
        return msgspec.structs.replace(fresh, reason=f"{fresh.reason} {_moved(tier, found)}")
    return _kept(fresh, standing, around, f"{tier}: kept on {standing.target.model}; {_held(fresh.tier, found)}.")


def _moved(tier: Tier, found: Switch) -> str:
    if not found.once:
        return f"Leaving {tier} costs nothing."
    return f"Leaving {tier} costs {usd(found.once)} now and has paid after {_turns(found.turns)}."


def _held(fresh_tier: Tier | None, found: Switch) -> str:
    if found.turns is None:
        return f"a switch to {fresh_tier} would not save anything"
    return f"a switch to {fresh_tier} would cost {usd(found.once)} now and pay only after {_turns(found.turns)}"


def _turns(count: int | None) -> str:
    return "1 turn" if count == 1 else f"{count} turns"


def usd(amount: Decimal) -> str:
    """`$0.23`; small amounts keep two digits that say something."""
    digits = 2 if amount >= Decimal("0.1") or not amount else min(6, 1 - amount.adjusted())
    return f"${amount:,.{digits}f}"


def _place(standing: Standing) -> str:
    return standing.tier or standing.target.model


def _kept(fresh: Route, standing: Standing, around: Surroundings, reason: str) -> Route:
    """The model of the turn before first, then what its tier's ladder offers."""
    tier, target = standing.tier, standing.target
    targets = fresh.targets if tier is None or tier is fresh.tier else ladder_of(around.routing, tier)
    if targets[0] != (target, tier):
        allowed = {each for each, _ in fresh.targets}
        targets = ((target, tier), *(rung for rung in targets if rung[0] != target and rung[0] in allowed))
    return Route(targets, tier or standing.wanted, fresh.score, "sticky", reason)


def _fitting(route: Route, around: Surroundings) -> Route:
    """The route, or a higher tier's where the conversation has outgrown the first target's window."""
    first, tier = route.targets[0]
    if tier is None or route.method not in _HELD or around.fits(first):
        return route
    for target, its in route.targets:
        if its is not None and its.rank >= tier.rank and around.can_serve(target) and around.fits(target):
            targets = ((target, its), *(rung for rung in route.targets if rung[0] != target))
            reason = f"{its}: the conversation has outgrown the window of {first.model}."
            return Route(targets, its, route.score, "window", reason)
    return route
