"""Counters since the start. Counted where they happen, put into words by `exposition`; holds no name of a session or program.

Times are seconds, money is US dollars; a cost that is not known is counted as unpriced, not as 0.
"""

from bisect import bisect_left
from collections import Counter
from decimal import Decimal
from itertools import accumulate
from typing import Final

from lynkr_desktop.engine.events import Event, Exchange, FailedOver, RequestFinished, RequestStarted

BOUNDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
KINDS: Final = ("input", "output", "cache_read", "cache_write")
OTHER: Final = "other"
_MOST_MODELS: Final = 100  # programs may name any model: without a bound each name would be a series for ever
Labels = tuple[str, ...]


class Histogram:
    """How many observations lie at or below each bound."""

    def __init__(self) -> None:
        self._within = [0] * (len(BOUNDS) + 1)  # above the bound before, up to this one; the last has none
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Take one observation."""
        self.sum += seconds
        self._within[bisect_left(BOUNDS, seconds)] += 1

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Each bound with how many lie at or below it."""
        return list(zip((*map(str, BOUNDS), "+Inf"), map(float, accumulate(self._within)), strict=True))


class Metrics:
    """Listens to events. `started` is a moment of a clock that only rises, in seconds."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.active: set[str] = set()
        self.requests: Counter[Labels] = Counter()  # provider, tier, model, outcome
        self.tokens: Counter[Labels] = Counter()  # provider, model, kind
        self.costs: dict[Labels, Decimal] = {}  # provider, tier, model
        self.unpriced: Counter[Labels] = Counter()  # provider
        self.failovers: Counter[Labels] = Counter()  # kind of the first failure
        self.blocked = 0
        self.first_token: dict[Labels, Histogram] = {}  # provider
        self.duration: dict[Labels, Histogram] = {}  # provider
        self._models: set[str] = set()

    def hear(self, event: Event) -> None:
        """Take one event."""
        match event:
            case RequestStarted(id=exchange_id):
                self.active.add(exchange_id)
            case FailedOver(kind=kind):
                self.failovers[(kind,)] += 1
            case RequestFinished(exchange=exchange):
                self.active.discard(exchange.id)
                self._count(exchange)
            case _:
                pass

    def _count(self, exchange: Exchange) -> None:
        provider, tier, model = exchange.provider, exchange.tier, self._model(exchange.model)
        self.requests[(provider, tier, model, exchange.error or "ok")] += 1
        self.blocked += exchange.error == "budget"
        if not exchange.account:
            return
        for kind in KINDS:
            if count := getattr(exchange, f"{kind}_tokens"):
                self.tokens[(provider, model, kind)] += count
        if exchange.cost_usd is None:
            self.unpriced[(provider,)] += 1
        else:
            place = (provider, tier, model)
            self.costs[place] = self.costs.get(place, Decimal(0)) + Decimal(exchange.cost_usd)
        if exchange.first_token_ms is not None:
            self.first_token.setdefault((provider,), Histogram()).observe(exchange.first_token_ms / 1000)
        self.duration.setdefault((provider,), Histogram()).observe(exchange.total_ms / 1000)

    def _model(self, model: str) -> str:
        if model not in self._models:
            if len(self._models) >= _MOST_MODELS:
                return OTHER
            self._models.add(model)
        return model
