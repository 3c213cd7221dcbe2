"""The Activity page: the table of requests, its filters and the why card. Formats and paints nothing itself."""

import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from PySide6.QtCore import QItemSelection, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import Settings
from lynkr_desktop.engine.api import ActivityQuery
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import text
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.models.exchange_table import ExchangeTable, matches
from lynkr_desktop.ui.pinning import pinned, unpinned
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, SPACE_16, SPACE_24, Theme
from lynkr_desktop.ui.widgets.exchange_view import ExchangeView
from lynkr_desktop.ui.widgets.filter_bar import FilterBar
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.states import StateStack
from lynkr_desktop.ui.widgets.why_card import WhyCard

PAGE_ROWS: Final = 200
_NARROW: Final = 860  # below it the why card stands under the table
_CARD_WIDTH: Final = 330
_TYPING_MS: Final = 200
_SLACK_MS: Final = 5000  # the ledger writes in batches: what ended this shortly before an answer may be missing in it


@dataclass(frozen=True, slots=True)
class _Page:
    """An answer of the ledger. `is_first` replaces what is shown; else it is added beneath."""

    exchanges: tuple[Exchange, ...]
    is_first: bool


class ActivityPage(QWidget):
    """`page_wanted` carries a page's key. `now_ms` is the clock."""

    page_wanted = Signal(str)

    def __init__(
        self, theme: Theme, desk: Desk, now_ms: Callable[[], float] = lambda: time.time() * 1000, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._desk, self._now_ms = desk, now_ms
        self._recent: deque[Exchange] = deque(maxlen=500)
        self._wanted = ""  # an exchange to select as soon as it is among the rows
        self._pages: Latest[_Page] = Latest(desk, "activity", self._show_page, self._show_error)
        self._sought: Latest[tuple[Exchange, ...]] = Latest(desk, "one exchange", self._show_sought, self._show_error)
        self._filters = FilterBar(theme)
        self._model = ExchangeTable(theme, now_ms, self)
        self._view = ExchangeView(theme, self._model)
        self._card = WhyCard(theme, self._as_of)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.setProperty("kind", "page")
        header = QHBoxLayout()
        header.setSpacing(SPACE_12)
        header.addWidget(Label(text.ACTIVITY, LabelKind.TITLE))
        header.addWidget(self._filters, 1)
        frame = QFrame()
        frame.setProperty("kind", "card")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(SPACE_8, SPACE_8, SPACE_8, SPACE_8)
        inner.addWidget(self._view)
        self._states = StateStack(frame, text.ACTIVITY_LOADING)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(SPACE_12)
        self._splitter.addWidget(self._states)
        self._splitter.addWidget(self._card)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setSizes([700, _CARD_WIDTH])
        self._card.set_closable(is_closable=False)
        self._is_narrow = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_24, SPACE_16, SPACE_24, SPACE_24)
        layout.setSpacing(SPACE_12)
        layout.addLayout(header)
        layout.addWidget(self._splitter, 1)

    def _connect(self) -> None:
        self._desk.signals.exchange_finished.connect(self._add)
        self._filters.changed.connect(self.reload)
        self._filters.typed.connect(self._typing.start)
        self._typing.timeout.connect(self.reload)
        self._model.older_wanted.connect(self._load_older)
        self._view.selectionModel().selectionChanged.connect(self._show_selected)
        self._card.closed.connect(self._close_card)
        self._states.pressed.connect(self._next_step)
        overrule = self._card.overrule
        overrule.judged.connect(self._judge)
        overrule.pin_wanted.connect(lambda pin: self._use(pinned(self._desk.settings, pin, round(self._now_ms()))))
        overrule.unpin_wanted.connect(lambda scope: self._use(unpinned(self._desk.settings, scope, round(self._now_ms()))))
        self._desk.signals.settings_changed.connect(self._show_pins)

    # ------------------------------------------------------------ asking

    def reload(self) -> None:
        """Ask for the first page of what the filters let through."""
        self._typing.stop()
        self._states.show_loading()
        self._pages.ask(self._read(self._query(), is_first=True))

    def _load_older(self) -> None:
        query = msgspec.structs.replace(self._query(), before=self._model.oldest_id)
        self._pages.ask(self._read(query, is_first=False))

    def _read(self, query: ActivityQuery, *, is_first: bool) -> Coroutine[Any, Any, _Page]:
        async def read() -> _Page:
            return _Page(await self._desk.activity(query), is_first)

        return read()

    def _query(self) -> ActivityQuery:
        return msgspec.structs.replace(self._filters.query(self._now_ms()), limit=PAGE_ROWS)

    def open_exchange(self, exchange_id: str) -> None:
        """Show why an exchange went where it went, whatever the filters say now."""
        self._wanted = exchange_id
        if not self._view.select(exchange_id):
            # Ids rise with time: the exchange is the newest one before the next possible id.
            before = f"{exchange_id}~"
            self._sought.ask(self._desk.activity(ActivityQuery(before=before, limit=1)))

    def focus_filter(self) -> None:
        """Put the keyboard into the text filter."""
        self._filters.focus_text()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Read what came in while the page was out of sight."""
        super().showEvent(event)
        self.reload()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802  Qt's name
        """Ask nothing while out of sight."""
        self._typing.stop()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt's name
        """Put the why card beneath the table where it is narrow; there it can be closed."""
        super().resizeEvent(event)
        is_narrow = self.width() < _NARROW
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            self._splitter.setOrientation(Qt.Orientation.Vertical if is_narrow else Qt.Orientation.Horizontal)
            self._splitter.setSizes([self.height() // 2, self.height() // 2] if is_narrow else [700, _CARD_WIDTH])
            self._card.set_closable(is_closable=is_narrow)
            self._show_or_hide_card()

    # ------------------------------------------------------------ showing

    def _show_page(self, page: _Page) -> None:
        has_more = len(page.exchanges) == PAGE_ROWS
        self._filters.offer_clients(exchange.client for exchange in page.exchanges)
        if not page.is_first:
            self._model.add_older(page.exchanges, has_more=has_more)
            return
        chosen = self._wanted or (self._card.exchange.id if self._card.exchange else "")
        query, fresh = self._query(), self._now_ms() - _SLACK_MS
        live = [item for item in self._recent if item.started_at_ms + item.total_ms > fresh and matches(query, item)]
        self._model.show_first(page.exchanges, live, has_more=has_more)
        if self._model.rowCount():
            self._states.show_content()
            if chosen and self._view.select(chosen):
                self._wanted = ""
        elif self._filters.is_active:
            self._states.show_empty(*text.ACTIVITY_NONE_MATCH)
        else:
            self._states.show_empty(text.ACTIVITY_EMPTY, text.activity_empty_detail(self._desk.snapshot().url))
        self._show_or_hide_card()

    def _add(self, exchanges: list[Exchange]) -> None:
        self._recent.extend(exchanges)
        self._filters.offer_clients(exchange.client for exchange in exchanges)
        if not self.isVisible() or self._states.state == "error":
            return
        query = self._query()
        fitting = [exchange for exchange in exchanges if matches(query, exchange)]
        if fitting and self._model.add_live(fitting) and self._states.state == "empty":
            self._states.show_content()

    def _show_selected(self, selected: QItemSelection) -> None:
        indexes = selected.indexes()
        if indexes:
            self._wanted = ""
            self._explain(self._model.exchange(indexes[0].row()))
            # The card may just have taken the table's lower half: once that is laid out, the row must still be in sight.
            QTimer.singleShot(0, self._view, self._view.show_chosen)

    def _show_sought(self, exchanges: tuple[Exchange, ...]) -> None:
        if exchanges and exchanges[0].id == self._wanted:
            self._view.clearSelection()
            self._explain(exchanges[0])

    def _explain(self, exchange: Exchange | None) -> None:
        self._card.show_exchange(exchange, self._desk.settings)
        self._show_or_hide_card()

    # ------------------------------------------------------------ overruling

    def _judge(self, verdict: int) -> None:
        exchange = self._card.exchange
        if exchange is None:
            return
        judged = msgspec.structs.replace(exchange, verdict=verdict)
        self._card.overrule.show_verdict(verdict)

        def keep(_: None) -> None:
            self._model.replace(judged)
            if self._card.exchange is not None and self._card.exchange.id == judged.id:
                self._explain(judged)

        Latest[None](self._desk, "judge", keep, self._refuse).ask(self._desk.judge(exchange.id, verdict))

    def _use(self, settings: Settings) -> None:
        Latest[None](self._desk, "pin", lambda _: None, self._refuse).ask(self._desk.change(settings))

    def _refuse(self, error: LynkrError) -> None:
        """What could not be kept looks as before, and says why."""
        self._show_pins()
        self._card.say(f"{error.title} {error.detail}".strip())

    def _show_pins(self) -> None:
        if self._card.exchange is not None:
            self._card.overrule.show_exchange(self._card.exchange, self._desk.settings)

    def _show_or_hide_card(self) -> None:
        self._card.setVisible(self._card.exchange is not None or not self._is_narrow)

    def _close_card(self) -> None:
        self._view.clearSelection()
        self._explain(None)

    def _show_error(self, error: LynkrError) -> None:
        self._model.stop_waiting()
        self._states.show_error(text.ACTIVITY_ERROR, text.refused(error), text.TRY_AGAIN)

    def _next_step(self, state: str) -> None:
        if state == "empty":
            self._filters.clear()
        else:
            self.reload()

    def _as_of(self, provider: str, model: str) -> str:
        return self._desk.facts_of(provider, model).as_of
