"""What the ledger teaches: past requests under other tiers and prices, and the measured effect of all that routing has learned.

Asks and measures; routes nothing.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Routing, Target
from lynkr_desktop.engine.api import Learned, Thresholds
from lynkr_desktop.engine.choosing import rates_of
from lynkr_desktop.engine.plan import Plan
from lynkr_desktop.engine.routing.gate import Rates
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
        return Learned(await self._thresholds(routing))

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
