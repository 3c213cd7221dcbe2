"""What the ledger teaches: past requests under other tiers and prices, and the measured effect of all that routing has learned.

Asks and measures; routes nothing.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from statistics import median
from typing import Final

import msgspec

from lynkr_desktop.config.settings import TIERS, Routing, Target, Tier
from lynkr_desktop.engine.api import Learned, TargetRecord, Thresholds, TierOrder, Trials
from lynkr_desktop.engine.attempts import UNVERIFIED
from lynkr_desktop.engine.choosing import rates_of
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.engine.learning import MOST_EXAMPLES, outcomes
from lynkr_desktop.engine.metering import decimal_text
from lynkr_desktop.engine.plan import Plan
from lynkr_desktop.engine.routing.gate import Rates
from lynkr_desktop.engine.routing.learners import bandit, history
from lynkr_desktop.engine.routing.learners.bandit import Outcome
from lynkr_desktop.engine.routing.learners.thresholds import fitted
from lynkr_desktop.engine.routing.replay import WhatIf, differing, what_if
from lynkr_desktop.engine.store.queries import Queries

_REPLAYED_MS: Final = 30 * 86_400_000


class Lessons:
    """`plan` gives the plan in force, `clock_ms` milliseconds since 1970."""

    def __init__(
        self, queries: Queries, plan: Callable[[], Plan], clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._queries = queries
        self._plan = plan
        self._clock_ms = clock_ms

    async def what_if(self, routing: Routing, since_ms: int, prices: Mapping[Target, Rates] | None = None) -> WhatIf:
        """What the requests since a moment would have cost under other tiers, or at other prices. Raises `ConfigError`."""
        plan, past = self._plan(), await self._queries.past(since_ms)
        other = prices or {}

        def rates(target: Target, tokens: int) -> Rates | None:
            return other[target] if target in other else rates_of(plan.facts_of(target), tokens)

        return await asyncio.to_thread(what_if, routing, past, rates, frozenset(other))

    async def learned(self) -> Learned:
        """What routing has learned. Raises `ConfigError`."""
        routing = self._plan().settings.routing
        now_ms = self._clock_ms()
        examples = await self._queries.examples(MOST_EXAMPLES)
        return Learned(
            await self._thresholds(routing),
            await asyncio.to_thread(history.effect, examples),
            _orders(routing, await outcomes(self._queries, now_ms)),
            _trials(await self._queries.trials(now_ms - _REPLAYED_MS)),
        )

    async def _thresholds(self, routing: Routing) -> Thresholds:
        fit = fitted(await self._queries.verdicts(), routing.boundaries)
        now = Thresholds(fit.boundaries, fit.verdicts, fit.agreed, fit.would_agree)
        if fit.boundaries == routing.boundaries:
            return now
        since_ms, other = self._clock_ms() - _REPLAYED_MS, replace(routing, boundaries=fit.boundaries)
        before, after = await self.what_if(routing, since_ms), await self.what_if(other, since_ms)
        moved = differing(routing, other, await self._queries.past(since_ms))
        return msgspec.structs.replace(
            now, requests=after.requests, moved=moved, cost_usd=after.cost_usd, before_usd=before.cost_usd
        )


def _orders(routing: Routing, done: Sequence[Outcome]) -> tuple[TierOrder, ...]:
    """How the targets of each tier with several of them did, whether or not anybody follows it."""
    state = bandit.state_of(done)
    return tuple(_order(tier, routing.tiers.of(tier), done, state) for tier in TIERS if len(routing.tiers.of(tier)) > 1)


def _order(tier: Tier, targets: Sequence[Target], done: Sequence[Outcome], state: bandit.State) -> TierOrder:
    names = tuple(map(str, targets))
    records = []
    for place, name in enumerate(names):
        own = [each for each in done if each.tier == tier and each.target == name]
        times = [each.first_token_ms for each in own if each.first_token_ms is not None]
        failed = sum(each.is_failed for each in own)
        worth = bandit.worth(state, tier, name, place)
        records.append(TargetRecord(name, len(own) - failed, failed, median(times) if times else None, worth))
    return TierOrder(tier, tuple(records), bandit.ordered(state, tier, names)[0])


def _trials(exchanges: Sequence[Exchange]) -> Trials:
    saved, has_passed, unpriced = Decimal(0), 0, 0
    for exchange in exchanges:
        if exchange.method != "cascade":
            saved -= sum((Decimal(each.cost_usd or 0) for each in exchange.attempts if each.error == UNVERIFIED), Decimal(0))
            continue
        has_passed += 1
        above = TIERS[Tier(exchange.tier).rank + 1]
        dearer = next((each.cost_usd for each in exchange.alternatives if each.tier == above), None)
        if dearer is None or exchange.cost_usd is None:
            unpriced += 1
        else:
            saved += Decimal(dearer) - Decimal(exchange.cost_usd)
    return Trials(len(exchanges), has_passed, decimal_text(saved), unpriced)
