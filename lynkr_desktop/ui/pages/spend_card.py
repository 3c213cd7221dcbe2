"""The Overview's spend card: money over time, stacked, for a span and a key of the user's choice."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from PySide6.QtWidgets import QWidget

from lynkr_desktop.config.settings import TIERS
from lynkr_desktop.engine.api import Bucket
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui import text
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.language import say_back
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.models.rows import Cell
from lynkr_desktop.ui.pages.chart_export import ChartExport, Table, Value, moment
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.button import ButtonKind
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.pills import MenuPill
from lynkr_desktop.ui.widgets.span_switch import SpanSwitch
from lynkr_desktop.ui.widgets.stacked_bars import Bar, Series, StackedBars
from lynkr_desktop.ui.widgets.tier import tier_named
from lynkr_desktop.ui.widgets.twin import Twin

_MOST_SERIES: Final = 5  # the rest is one series more: others
_OTHERS: Final = "\0others"


class SpendCard(Card):
    """Asks for itself; `refresh` asks again."""

    def __init__(self, theme: Theme, desk: Desk, now_ms: Callable[[], float], parent: QWidget | None = None) -> None:
        super().__init__(text.SPEND, parent=parent)
        self._desk = desk
        self._now_ms = now_ms
        self._by = "tier"
        self._bars: list[Bar] = []
        self._series: list[Series] = []
        self._spend: Latest[tuple[Bucket, ...]] = Latest(desk, "overview spend", self._show, self._show_error)
        self._chart = StackedBars(theme)
        self._twin = Twin(theme, self._chart, text.SPEND, stretched=0)
        self._twin.button.toggled.connect(self._fill_table)
        self._key = MenuPill(theme, kind=ButtonKind.SWITCH)
        for key, words in text.SPEND_BY.items():
            self._key.choices.addAction(words).triggered.connect(lambda _=False, key=key: self._choose_key(key))
        self._key.setText(text.SPEND_BY[self._by])
        self.export = ChartExport(theme, desk, self._chart, name=text.SPEND, values=self._values, say=self.set_note)
        self._spans = SpanSwitch("24h")
        self._spans.chosen.connect(self.refresh)
        self.add_to_header(self._spans)
        self.add_to_header(self._key)
        self.add_to_header(self._twin.button)
        self.add_to_header(self.export.button)
        self.body.addWidget(self._twin)

    def refresh(self) -> None:
        """Ask for the chosen span again."""
        span = self._spans.span
        self._spend.ask(self._desk.spend(round(self._now_ms() - span.length_ms), span.bars, self._by))

    def _choose_key(self, key: str) -> None:
        self._by = key
        self._key.setText(text.SPEND_BY[key])
        self.refresh()

    def _show(self, buckets: tuple[Bucket, ...]) -> None:
        end = self._now_ms()
        titles = {account.id: account.title for account in self._desk.snapshot().accounts}
        self._series = _series_of(buckets, self._by, titles)
        named = {series.key for series in self._series}
        ends = [*(bucket.start_ms for bucket in buckets[1:]), end]
        self._bars = [_bar(bucket, float(until), named) for bucket, until in zip(buckets, ends, strict=False)]
        self._chart.show_bars(self._bars, self._series)
        total = sum((amount for bucket in buckets for amount in map(_dollars, bucket.cost_by_key.values())), Decimal(0))
        self.set_note(shown.money(total))
        self._chart.setAccessibleName(text.SPEND)
        self._chart.setAccessibleDescription(text.spend_summary(shown.money(total), self._spans.key))
        self._fill_table()

    def _show_error(self, error: LynkrError) -> None:
        self._chart.show_bars((), ())
        self.set_note(say_back(error.title))

    def _values(self) -> Table:
        """The bars as numbers, oldest first."""
        headers = (text.SPEND_TIME_HEADER, *(series.title for series in self._series), text.SPEND_TOTAL_HEADER)
        rows: list[tuple[Value, ...]] = [
            (moment(bar.start_ms), *(bar.values.get(each.key, 0) for each in self._series), bar.total) for bar in self._bars
        ]
        return headers, rows

    def _fill_table(self) -> None:
        if not self._twin.is_table:
            return
        rows = [
            (
                Cell(f"{shown.day(bar.start_ms)} {shown.clock_minutes(bar.start_ms)}"),
                *(Cell(_words(bar.values.get(series.key, 0)), is_number=True) for series in self._series),
                Cell(_words(bar.total), is_number=True),
            )
            for bar in reversed(self._bars)
        ]
        headers = (text.SPEND_TIME_HEADER, *(series.title for series in self._series), text.SPEND_TOTAL_HEADER)
        self._twin.show_rows(headers, rows)


def _series_of(buckets: tuple[Bucket, ...], by: str, account_titles: dict[str, str]) -> list[Series]:
    """Tiers in their order; anything else by its sum, the largest first, and what is left over as one."""
    if by == "tier":
        used = {key for bucket in buckets for key in bucket.cost_by_key}
        tiers = [Series(tier, tier, tier) for tier in TIERS if tier in used]
        return tiers + [Series(key, text.tier_name(None)) for key in used if tier_named(key) is None]
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for bucket in buckets:
        for key, amount in bucket.cost_by_key.items():
            sums[key] += _dollars(amount)
    keys = [key for key in sorted(sums, key=lambda key: -sums[key]) if sums[key] > 0]
    series = [Series(key, text.series_title(by, key, account_titles)) for key in keys[:_MOST_SERIES]]
    return series + ([Series(_OTHERS, text.OTHERS)] if len(keys) > _MOST_SERIES else [])


def _bar(bucket: Bucket, end_ms: float, named: set[str]) -> Bar:
    values: defaultdict[str, float] = defaultdict(float)
    for key, amount in bucket.cost_by_key.items():
        values[key if key in named else _OTHERS] += float(_dollars(amount))
    return Bar(bucket.start_ms, end_ms, dict(values), bucket.requests)


def _dollars(amount: str) -> Decimal:
    return shown.decimal(amount) or Decimal(0)


def _words(amount: float) -> str:
    return shown.money(Decimal(str(amount))) if amount else shown.UNKNOWN
