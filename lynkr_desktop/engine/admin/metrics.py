"""Counters since the start, in the text format of Prometheus. Names no model, session or program: few series, whatever is asked.

All names begin with `lynkr_`. Times are seconds, money is US dollars; a cost that is not known is counted as unpriced, not as 0.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import accumulate
from typing import Final

from lynkr_desktop import __version__
from lynkr_desktop.engine.api import BudgetState
from lynkr_desktop.engine.events import Event, Exchange, FailedOver, RequestFinished, RequestStarted
from lynkr_desktop.engine.metering import decimal_text

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_TOKENS: Final = ("input", "output", "cache_read", "cache_write")
_Labels = tuple[tuple[str, str], ...]


class _Histogram:
    """How many observations lie at or below each bound."""

    def __init__(self) -> None:
        self._within = [0] * (len(_BOUNDS) + 1)  # above the bound before, up to this one; the last has none
        self._count = 0
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        self._count += 1
        self._sum += seconds
        self._within[bisect_left(_BOUNDS, seconds)] += 1

    def lines(self, name: str, labels: _Labels) -> Iterable[str]:
        for bound, count in zip(_BOUNDS, accumulate(self._within[:-1]), strict=True):
            yield _line(f"{name}_bucket", (*labels, ("le", f"{bound:g}")), count)
        yield _line(f"{name}_bucket", (*labels, ("le", "+Inf")), self._count)
        yield _line(f"{name}_sum", labels, f"{self._sum:.6f}")
        yield _line(f"{name}_count", labels, self._count)


class Metrics:
    """Listens to events. `started` is a moment of a clock that only rises, in seconds."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._active: set[str] = set()
        self._requests: Counter[_Labels] = Counter()
        self._tokens: Counter[_Labels] = Counter()
        self._costs: dict[_Labels, Decimal] = {}
        self._unpriced: Counter[_Labels] = Counter()
        self._failovers: Counter[_Labels] = Counter()
        self._refused = 0
        self._first_token: dict[_Labels, _Histogram] = {}
        self._duration: dict[_Labels, _Histogram] = {}

    def hear(self, event: Event) -> None:
        """Take one event."""
        match event:
            case RequestStarted(id=exchange_id):
                self._active.add(exchange_id)
            case FailedOver(kind=kind):
                self._failovers[(("kind", kind),)] += 1
            case RequestFinished(exchange=exchange):
                self._active.discard(exchange.id)
                self._count(exchange)
            case _:
                pass

    def _count(self, exchange: Exchange) -> None:
        provider = (("provider", exchange.provider),)
        place = (*provider, ("tier", exchange.tier))
        self._requests[(*place, ("outcome", exchange.error or "ok"))] += 1
        self._refused += exchange.error == "budget"
        if not exchange.account:
            return
        for kind in _TOKENS:
            self._tokens[(*provider, ("kind", kind))] += getattr(exchange, f"{kind}_tokens") or 0
        if exchange.cost_usd is None:
            self._unpriced[provider] += 1
        else:
            self._costs[place] = self._costs.get(place, Decimal(0)) + Decimal(exchange.cost_usd)
        if exchange.first_token_ms is not None:
            self._first_token.setdefault(provider, _Histogram()).observe(exchange.first_token_ms / 1000)
        self._duration.setdefault(provider, _Histogram()).observe(exchange.total_ms / 1000)

    def text(self, now: float, budgets: Iterable[BudgetState]) -> bytes:
        """All of it at a moment of the same clock."""
        costs = {labels: decimal_text(amount) for labels, amount in self._costs.items()}
        spent: dict[_Labels, str] = {}
        amounts: dict[_Labels, str] = {}
        for number, state in enumerate(budgets, 1):
            labels = (("budget", str(number)), ("period", state.budget.period.value))
            spent[labels], amounts[labels] = state.spent_usd, decimal_text(state.budget.amount)
        lines = [
            *_metric("build_info", "gauge", "The version that runs.", {(("version", __version__),): 1}),
            *_metric("uptime_seconds", "gauge", "Time since the start.", {(): f"{now - self._started:.3f}"}),
            *_metric("active_requests", "gauge", "Requests that are being served.", {(): len(self._active)}),
            *_metric("requests_total", "counter", "Requests by provider, tier and outcome.", self._requests),
            *_metric("tokens_total", "counter", "Tokens by provider and kind.", self._tokens),
            *_metric("cost_usd_total", "counter", "Money spent, as far as prices are known.", costs),
            *_metric("unpriced_requests_total", "counter", "Answers whose price is not known.", self._unpriced),
            *_metric("failovers_total", "counter", "Requests served by another target, by the first failure.", self._failovers),
            *_metric("budget_blocks_total", "counter", "Requests that a budget refused.", {(): self._refused}),
            *_metric("budget_spent_usd", "gauge", "Money spent in a budget's period.", spent),
            *_metric("budget_amount_usd", "gauge", "A budget's amount.", amounts),
            *_histogram("first_token_seconds", "Time to the first token.", self._first_token),
            *_histogram("request_duration_seconds", "Time to the last byte.", self._duration),
        ]
        return ("\n".join(lines) + "\n").encode()


def _metric(name: str, kind: str, meaning: str, values: Mapping[_Labels, object]) -> list[str]:
    head = [f"# HELP lynkr_{name} {meaning}", f"# TYPE lynkr_{name} {kind}"]
    return [*head, *(_line(f"lynkr_{name}", labels, value) for labels, value in sorted(values.items()))] if values else []


def _histogram(name: str, meaning: str, values: Mapping[_Labels, _Histogram]) -> list[str]:
    head = [f"# HELP lynkr_{name} {meaning}", f"# TYPE lynkr_{name} histogram"]
    lines = (line for labels, each in sorted(values.items()) for line in each.lines(f"lynkr_{name}", labels))
    return [*head, *lines] if values else []


def _line(name: str, labels: _Labels, value: object) -> str:
    inside = ",".join(f'{key}="{_escaped(words)}"' for key, words in labels)
    return f"{name}{{{inside}}} {value}" if inside else f"{name} {value}"


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
