"""The counters in Prometheus' formats and as JSON, by Prometheus' own library. Imported when somebody first asks.

All names begin with `lynkr_`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from lynkr_desktop import __version__
from lynkr_desktop.engine.admin.metrics import Histogram, Labels, Metrics
from lynkr_desktop.engine.api import BudgetState
from lynkr_desktop.engine.resilience.admission import Crowd

_PROVIDER: Final = ("provider",)


class Moment(msgspec.Struct, frozen=True):
    """What is told beside the counters. `now` is of the clock that the counters' start was read from, in seconds."""

    now: float
    budgets: tuple[BudgetState, ...]
    crowd: Crowd


class LynkrCollector(Collector):
    """Reads the counters at each scrape: what counts them pays for no library."""

    def __init__(self, metrics: Metrics, moment: Callable[[], Moment]) -> None:
        self._metrics = metrics
        self._moment = moment

    def collect(self) -> Iterable[Metric]:
        """All of it now."""
        counted, moment = self._metrics, self._moment()
        crowd = moment.crowd
        yield GaugeMetricFamily("lynkr_uptime_seconds", "Time since the start.", moment.now - counted.started)
        yield _gauge("build_info", "The version that runs.", ("version",), {(__version__,): 1})
        yield GaugeMetricFamily("lynkr_active_requests", "Requests that are being served.", len(counted.active))
        yield GaugeMetricFamily("lynkr_waiting_requests", "Requests that wait for a place.", crowd.in_line)
        yield GaugeMetricFamily("lynkr_strained", "1 while there is too much to do.", float(crowd.is_strained))
        yield CounterMetricFamily("lynkr_shed_requests", "Requests refused because there was too much to do.", crowd.refused)
        place = ("provider", "tier", "model")
        yield _counter("requests", "Requests by what served them and how they ended.", (*place, "outcome"), counted.requests)
        yield _counter("tokens", "Tokens by model and kind.", ("provider", "model", "kind"), counted.tokens)
        yield _counter("cost_usd", "Money spent, as far as prices are known.", place, counted.costs)
        yield _counter("unpriced_requests", "Answers whose price is not known.", _PROVIDER, counted.unpriced)
        yield _counter("failovers", "Requests served by another target, by the first failure.", ("kind",), counted.failovers)
        yield CounterMetricFamily("lynkr_budget_blocks", "Requests that a budget refused.", counted.blocked)
        yield from _budgets(moment.budgets)
        yield _histogram("first_token_seconds", "Time to the first token.", counted.first_token)
        yield _histogram("request_duration_seconds", "Time to the last byte.", counted.duration)


class Exposition:
    """Answers to scrapes."""

    def __init__(self, metrics: Metrics, moment: Callable[[], Moment]) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._collector = LynkrCollector(metrics, moment)
        self._registry.register(self._collector)

    def text(self, accept: str) -> tuple[str, bytes]:
        """Content type and body, in the format that the asker wants most."""
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)

    def rows(self) -> list[dict[str, Any]]:
        """The same for programs that read JSON."""
        return [
            {
                "name": family.name,
                "type": family.type,
                "help": family.documentation,
                "samples": [{"name": each.name, "labels": each.labels, "value": each.value} for each in family.samples],
            }
            for family in self._collector.collect()
        ]


def _counter(name: str, meaning: str, labels: Labels, values: Mapping[Labels, Any]) -> Metric:
    family = CounterMetricFamily(f"lynkr_{name}", meaning, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, float(value))
    return family


def _gauge(name: str, meaning: str, labels: Labels, values: Mapping[Labels, Any]) -> Metric:
    family = GaugeMetricFamily(f"lynkr_{name}", meaning, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family


def _histogram(name: str, meaning: str, values: Mapping[Labels, Histogram]) -> Metric:
    family = HistogramMetricFamily(f"lynkr_{name}", meaning, labels=_PROVIDER)
    for key, histogram in sorted(values.items()):
        family.add_metric(key, histogram.buckets, histogram.sum)
    return family


def _budgets(states: tuple[BudgetState, ...]) -> Iterable[Metric]:
    labels = ("budget", "period")
    keys: list[Labels] = [(str(number), state.budget.period.value) for number, state in enumerate(states, 1)]
    spent = dict(zip(keys, (state.spent_usd for state in states), strict=True))
    amounts = dict(zip(keys, (state.budget.amount for state in states), strict=True))
    yield _gauge("budget_spent_usd", "Money spent in a budget's period.", labels, spent)
    yield _gauge("budget_amount_usd", "A budget's amount.", labels, amounts)
