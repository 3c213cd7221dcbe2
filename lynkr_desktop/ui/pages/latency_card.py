"""The Overview's latency card: how long first tokens took over time, median and 95th percentile."""

from collections.abc import Callable
from statistics import median

from PySide6.QtWidgets import QWidget

from lynkr_desktop.engine.api import LatencyBucket
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui import text
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.language import say_back
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.models.rows import Cell
from lynkr_desktop.ui.pages.chart_export import ChartExport, Table, moment
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.span_switch import SpanSwitch
from lynkr_desktop.ui.widgets.stacked_bars import Bar, Series, StackedBars
from lynkr_desktop.ui.widgets.twin import Twin

_GREYS = {"p50": 1.0, "rest": 0.35}


class LatencyCard(Card):
    """Asks for itself; `refresh` asks again."""

    def __init__(self, theme: Theme, desk: Desk, now_ms: Callable[[], float], parent: QWidget | None = None) -> None:
        super().__init__(text.LATENCY, parent=parent)
        self._desk = desk
        self._now_ms = now_ms
        self._buckets: tuple[LatencyBucket, ...] = ()
        self._latency: Latest[tuple[LatencyBucket, ...]] = Latest(desk, "overview latency", self._show, self._show_error)
        self._chart = StackedBars(theme, axis=shown.axis_duration, tip=_tip, empty=text.LATENCY_EMPTY)
        self._chart.setAccessibleName(text.LATENCY)
        self._twin = Twin(theme, self._chart, text.LATENCY, stretched=0)
        self._twin.button.toggled.connect(self._fill_table)
        self.spans = SpanSwitch("24h", about=text.LATENCY)
        self.spans.chosen.connect(self.refresh)
        self.export = ChartExport(theme, desk, self._chart, name=text.LATENCY, values=self._values, say=self.set_note)
        for control in (self.spans, self._twin.button, self.export.button):
            self.add_to_header(control)
        self.body.addWidget(self._twin)

    def refresh(self) -> None:
        """Ask for the chosen span again."""
        span = self.spans.span
        self._latency.ask(self._desk.latency(round(self._now_ms() - span.length_ms), span.bars))

    def _show(self, buckets: tuple[LatencyBucket, ...]) -> None:
        self._buckets = buckets
        ends = [*(bucket.start_ms for bucket in buckets[1:]), round(self._now_ms())]
        bars = [_bar(bucket, end) for bucket, end in zip(buckets, ends, strict=False)]
        self._chart.show_bars(bars, [Series(key, title, grey=_GREYS[key]) for key, title in text.LATENCY_PARTS.items()])
        middles = [bucket.p50_ms for bucket in buckets if bucket.p50_ms is not None]
        worst = [bucket.p95_ms for bucket in buckets if bucket.p95_ms is not None]
        typical = median(middles) if middles else None
        self._chart.setAccessibleDescription(text.latency_summary(typical, max(worst, default=None), self.spans.key))
        self.set_note("")
        self._fill_table()

    def _show_error(self, error: LynkrError) -> None:
        self._chart.show_bars((), ())
        self.set_note(say_back(error.title))

    def _values(self) -> Table:
        """The bars as numbers, oldest first."""
        return text.LATENCY_HEADERS, [(moment(each.start_ms), each.answers, each.p50_ms, each.p95_ms) for each in self._buckets]

    def _fill_table(self) -> None:
        if not self._twin.is_table:
            return
        rows = [
            (
                Cell(f"{shown.day(each.start_ms)} {shown.clock_minutes(each.start_ms)}"),
                Cell(shown.count(each.answers), is_number=True),
                Cell(shown.duration(each.p50_ms), is_number=True),
                Cell(shown.duration(each.p95_ms), is_number=True),
            )
            for each in reversed(self._buckets)
        ]
        self._twin.show_rows(text.LATENCY_HEADERS, rows)


def _bar(bucket: LatencyBucket, end_ms: int) -> Bar:
    middle, most = bucket.p50_ms or 0.0, bucket.p95_ms or 0.0
    return Bar(bucket.start_ms, end_ms, {"p50": middle, "rest": most - middle}, bucket.answers)


def _tip(bar: Bar) -> str:
    return text.latency_tip(bar.start_ms, bar.requests, bar.values["p50"], bar.total)
