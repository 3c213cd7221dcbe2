"""The Overview page: how it goes today, at a glance. Asks the desk, fills widgets; formats and paints nothing itself."""

import dataclasses
import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import Mode
from lynkr_desktop.engine.api import ActivityQuery, Figures
from lynkr_desktop.engine.events import Exchange, Trouble
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui import text, text_money
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.models.account_rows import account_rows
from lynkr_desktop.ui.models.rows import Cell, RowsModel
from lynkr_desktop.ui.pages.chart_export import ChartExport, moment
from lynkr_desktop.ui.pages.chart_export import Table as ExportedTable
from lynkr_desktop.ui.pages.latency_card import LatencyCard
from lynkr_desktop.ui.pages.spend_card import SpendCard
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, SPACE_16, SPACE_24, Theme
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.figure import Figure, TierSplit
from lynkr_desktop.ui.widgets.health import health_sign
from lynkr_desktop.ui.widgets.notice import Notice
from lynkr_desktop.ui.widgets.pills import EndpointPill, HealthPill, ModePill
from lynkr_desktop.ui.widgets.score_strip import ScoreStrip
from lynkr_desktop.ui.widgets.span_switch import SpanSwitch
from lynkr_desktop.ui.widgets.states import StateStack
from lynkr_desktop.ui.widgets.table import Table
from lynkr_desktop.ui.widgets.twin import Twin

_STRIP_MARKS = 2000  # the newest; more would only hide each other
_REFRESH_MS = 3000  # how often sums are asked for again while requests come in
_MINUTE_MS = 60_000
_NARROW = 820


def clock_ms() -> float:
    """Now, in milliseconds since 1970."""
    return time.time() * 1000


class OverviewPage(QWidget):
    """`page_wanted` carries a page's key, `exchange_wanted` the id of an exchange to explain. `now_ms` is the clock."""

    page_wanted = Signal(str)
    exchange_wanted = Signal(str)

    def __init__(self, theme: Theme, desk: Desk, now_ms: Callable[[], float] = clock_ms, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._desk, self._now_ms = theme, desk, now_ms
        self._recent: deque[Exchange] = deque(maxlen=200)  # the ledger may not have written these yet
        self._is_outdated = False
        self._was_answered = False
        self._refused: tuple[Trouble, ...] = ()  # why the last change of mode was not possible
        self._figures: Latest[Figures] = Latest(desk, "overview figures", self._show_figures, self._show_error)
        self._marks: Latest[tuple[Exchange, ...]] = Latest(desk, "overview strip", self._show_marks, self._show_error)
        self._make_widgets()
        self._lay_out()
        self._connect()
        self._show_settings()
        self._show_snapshot()

    def _make_widgets(self) -> None:
        theme = self._theme
        self._mode, self._endpoint, self._health = ModePill(theme), EndpointPill(theme), HealthPill(theme)
        self._notice = Notice(theme)
        self._split = TierSplit(theme)
        self._spent = Figure(theme, text.SPENT_TODAY)
        self._saved = Figure(theme, text.FAILED_TODAY)
        self._requests = Figure(theme, text.REQUESTS_TODAY, self._split)
        self._first_token = Figure(theme, text.FIRST_TOKEN)
        self._strip = ScoreStrip(theme, self._now_ms)
        self._strip_twin = Twin(theme, self._strip, text.SCORE_STRIP, stretched=4)
        self._strip_card = Card(text.SCORE_STRIP, text.SCORE_STRIP_NOTE)
        self._strip_spans = SpanSwitch("1h", ("1h", "24h", "7d"), text.SCORE_STRIP)
        self._strip_export = ChartExport(
            theme, self._desk, self._strip, name=text.SCORE_STRIP, values=self._strip_values, say=self._strip_card.set_note
        )
        for control in (self._strip_spans, self._strip_twin.button, self._strip_export.button):
            self._strip_card.add_to_header(control)
        self._strip_card.body.addWidget(self._strip_twin)
        self._spend_card = SpendCard(theme, self._desk, self._now_ms)
        self._latency_card = LatencyCard(theme, self._desk, self._now_ms)
        self._accounts = RowsModel(text.ACCOUNT_HEADERS, self)
        self._accounts_table = Table(theme, 0, text.PROVIDERS_TABLE, narrowest=100, expendable=(1, 4))
        self._accounts_table.setModel(self._accounts)
        self._accounts_card = Card(text.PROVIDERS_TABLE, text.PROVIDERS_TABLE_NOTE)
        self._accounts_card.body.addWidget(self._accounts_table)
        self._refresh_timer = QTimer(self, interval=_REFRESH_MS)

    def _lay_out(self) -> None:
        self.setProperty("kind", "page")
        header = QHBoxLayout()
        header.setSpacing(SPACE_12)
        for pill in (self._mode, self._endpoint, self._health):
            header.addWidget(pill)
        header.addStretch(1)
        self._figures_grid, self._cards_grid = QGridLayout(), QGridLayout()
        for grid in (self._figures_grid, self._cards_grid):
            grid.setSpacing(SPACE_12)
        content = QWidget()
        content.setProperty("kind", "bare")
        body = QVBoxLayout(content)
        body.setContentsMargins(SPACE_24, SPACE_12, SPACE_24, SPACE_24)
        body.setSpacing(SPACE_12)
        body.addWidget(self._notice)
        body.addLayout(self._figures_grid)
        body.addWidget(self._strip_card, 5)
        body.addLayout(self._cards_grid, 5)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(content)
        self._states = StateStack(self._scroll, text.OVERVIEW_LOADING)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE_16, 0, 0)
        layout.setSpacing(0)
        top = QHBoxLayout()
        top.setContentsMargins(SPACE_24, 0, SPACE_24, 0)
        top.setSpacing(SPACE_8)
        top.addLayout(header)
        layout.addLayout(top)
        layout.addWidget(self._states, 1)
        self._is_narrow: bool | None = None
        self._arrange(is_narrow=False)

    def _arrange(self, *, is_narrow: bool) -> None:
        """Four figures in a row and two cards side by side; two and one where it is narrow."""
        if is_narrow == self._is_narrow:
            return
        self._is_narrow = is_narrow
        figures = (self._spent, self._saved, self._requests, self._first_token)
        columns = 2 if is_narrow else 4
        for index, figure in enumerate(figures):
            self._figures_grid.addWidget(figure, index // columns, index % columns)
        for column in range(4):
            self._figures_grid.setColumnStretch(column, int(column < columns))
        for index, card in enumerate((self._spend_card, self._accounts_card)):
            self._cards_grid.addWidget(card, index if is_narrow else 0, 0 if is_narrow else index)
            card.setMinimumHeight(270)
        self._cards_grid.addWidget(self._latency_card, 2, 0, 1, 1 if is_narrow else 2)
        self._latency_card.setMinimumHeight(250)
        self._cards_grid.setColumnStretch(0, 1)
        self._cards_grid.setColumnStretch(1, 0 if is_narrow else 1)

    def _connect(self) -> None:
        signals = self._desk.signals
        signals.snapshot_changed.connect(self._show_snapshot_if_seen)
        signals.settings_changed.connect(self._show_settings)
        signals.exchange_finished.connect(self._add)
        self._refresh_timer.timeout.connect(self._refresh_if_outdated)
        self._mode.chosen.connect(self._change_mode)
        self._health.clicked.connect(lambda: self.page_wanted.emit("providers"))
        self._strip.picked.connect(self.exchange_wanted)
        self._strip_twin.button.toggled.connect(self._fill_strip_table)
        self._strip_spans.chosen.connect(self._change_span)
        self._states.pressed.connect(self._next_step)
        self._theme.changed.connect(self._show_accounts)

    # ------------------------------------------------------------ asking

    def refresh(self) -> None:
        """Ask for everything again."""
        self._is_outdated = False
        now = self._now_ms()
        self._figures.ask(self._desk.figures(shown.midnight_ms(now)))
        self._ask_for_marks()
        self._spend_card.refresh()
        self._latency_card.refresh()

    def _ask_for_marks(self) -> None:
        span = self._strip_spans.span
        self._marks.ask(self._desk.activity(ActivityQuery(since_ms=round(self._now_ms() - span.length_ms), limit=_STRIP_MARKS)))

    def _change_span(self, key: str) -> None:
        self._strip.set_span(key, self._strip_spans.span.length_ms)
        self._ask_for_marks()

    def _refresh_if_outdated(self) -> None:
        if self._is_outdated:
            self._is_outdated = False
            self._figures.ask(self._desk.figures(shown.midnight_ms(self._now_ms())))
            self._spend_card.refresh()
            self._latency_card.refresh()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Catch up with what happened out of sight."""
        super().showEvent(event)
        if self._desk.settings.accounts and not self._was_answered:
            self._states.show_loading()
        self._show_snapshot()
        self.refresh()
        self._refresh_timer.start()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802  Qt's name
        """Ask nothing while out of sight."""
        self._refresh_timer.stop()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt's name
        """Lay the cards out for the width."""
        super().resizeEvent(event)
        self._arrange(is_narrow=self.width() < _NARROW)

    # ------------------------------------------------------------ showing

    def _show_settings(self) -> None:
        settings = self._desk.settings
        self._mode.show_settings(settings)
        self._strip.set_boundaries(settings.routing.boundaries)
        if not settings.accounts:
            self._states.show_empty(*text.OVERVIEW_EMPTY)
        elif self._states.state == "empty":
            self._states.show_content()
            self.refresh()

    def _show_snapshot_if_seen(self) -> None:
        if self.isVisible():
            self._show_snapshot()

    def _show_snapshot(self) -> None:
        snapshot = self._desk.snapshot()
        self._endpoint.show_url(snapshot.url if snapshot.is_serving else "")
        self._health.show_snapshot(snapshot)
        self._notice.show_troubles((*snapshot.troubles, *self._refused), snapshot.note)
        has_line = snapshot.requests_today or text_money.of_today(snapshot.budgets)
        below = text_money.spent_line(snapshot.budgets, snapshot.unpriced_today) if has_line else text.NO_REQUESTS_YET
        self._spent.show_number(shown.money(snapshot.cost_today_usd), below)
        self._requests.show_number(shown.count(snapshot.requests_today))
        self._split.show_counts(snapshot.tiers_today, text.split_line(snapshot.requests_today))
        first = snapshot.median_first_token_ms
        self._first_token.show_number(shown.duration(first), text.NO_REQUESTS_YET if first is None else text.OF_TODAY)
        self._show_accounts()

    def _show_accounts(self) -> None:
        ratio = self.devicePixelRatioF()
        accounts = self._desk.snapshot().accounts
        signs = {account.state: health_sign(self._theme.palette, account.state, ratio) for account in accounts}
        self._accounts.show_rows(account_rows(accounts, signs))
        self._accounts_table.fit_columns()

    def _show_figures(self, figures: Figures) -> None:
        self._was_answered = True
        if self._desk.settings.accounts:
            self._states.show_content()
        self._spent.show_line(figures.cost_line)
        self._requests.show_line(figures.requests_line)
        self._first_token.show_line(figures.first_token_line)
        if figures.saved_usd is None:
            below = text.failed_line(figures.failed, figures.requests)
            self._saved.show_number(shown.count(figures.failed), below, name=text.FAILED_TODAY)
        else:
            self._saved.show_number(text_money.saved(figures), text_money.saved_line(figures), name=text.SAVED_TODAY)

    def _show_marks(self, exchanges: tuple[Exchange, ...]) -> None:
        self._strip.set_exchanges(exchanges, text.waiting_for_requests(self._desk.snapshot().url))
        self._strip.add(self._recent)
        self._fill_strip_table()

    def _add(self, exchanges: list[Exchange]) -> None:
        self._recent.extend(exchanges)
        self._is_outdated = True
        if self.isVisible():
            self._strip.add(exchanges)
            self._fill_strip_table()

    def _strip_values(self) -> ExportedTable:
        """The marks as values, oldest first."""
        rows = [
            (moment(item.started_at_ms), item.tier, item.score, item.model, text.reason(item.reason))
            for item in self._strip.exchanges
        ]
        return text.STRIP_HEADERS, rows

    def _fill_strip_table(self) -> None:
        if self._strip_twin.is_table:
            rows = [_strip_row(exchange) for exchange in reversed(self._strip.exchanges)]
            self._strip_twin.show_rows(text.STRIP_HEADERS, rows)

    def _show_error(self, error: LynkrError) -> None:
        self._states.show_error(text.OVERVIEW_ERROR, text.refused(error), text.TRY_AGAIN)

    # ------------------------------------------------------------ doing

    def _next_step(self, state: str) -> None:
        if state == "empty":
            self.page_wanted.emit("providers")
            return
        self._states.show_loading()
        self.refresh()

    def _change_mode(self, mode: Mode) -> None:
        self._refused = ()
        settings = self._desk.settings
        changed = dataclasses.replace(settings, routing=dataclasses.replace(settings.routing, mode=mode))
        Latest[None](self._desk, "change mode", lambda _: None, self._refuse).ask(self._desk.change(changed))

    def _refuse(self, error: LynkrError) -> None:
        self._refused = (Trouble("mode", error.title, error.detail),)
        self._mode.show_settings(self._desk.settings)
        self._show_snapshot()


def _strip_row(exchange: Exchange) -> tuple[Cell, ...]:
    score = shown.UNKNOWN if exchange.score is None else str(exchange.score)
    return (
        Cell(shown.clock(exchange.started_at_ms)),
        Cell(exchange.tier or text.DIRECT),
        Cell(score, is_number=True),
        Cell(exchange.model),
        Cell(exchange.reason, text.strip_tip(exchange)),
    )
