"""The Activity page's rows: newest first, live ones on top, older pages added as they are scrolled to. Asks nobody for them."""

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QObject, Qt, QTimer, Signal

from lynkr_desktop.engine.api import ActivityQuery
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui import text
from lynkr_desktop.ui.models.rows import NO_INDEX, Index, alignment
from lynkr_desktop.ui.theme import Theme

_FREED_AT_ONCE: Final = 2000
EXCHANGE_ROLE: Final = Qt.ItemDataRole.UserRole


class Column(IntEnum):
    """What each column shows."""

    TIME = 0
    CLIENT = 1
    TIER = 2
    MODEL = 3
    TOKENS = 4
    CACHED = 5
    COST = 6
    FIRST = 7
    TOTAL = 8
    STATUS = 9


_NUMBERS: Final = frozenset({Column.TOKENS, Column.CACHED, Column.COST, Column.FIRST, Column.TOTAL, Column.STATUS})
_UNPRICED: Final = "unpriced"  # as the ledger names it
_MUTED: Final = frozenset({Column.TIME, Column.CACHED})

_WORDS: Final[dict[Column, Callable[[Exchange], str]]] = {
    Column.CLIENT: text.who_asked,
    Column.TIER: lambda exchange: exchange.tier or text.DIRECT,
    Column.MODEL: lambda exchange: exchange.model or exchange.requested_model,
    Column.TOKENS: text.in_and_out,
    Column.CACHED: text.cached_share,
    Column.COST: text.exchange_cost,
    Column.FIRST: lambda exchange: shown.duration(exchange.first_token_ms),
    Column.TOTAL: lambda exchange: shown.duration(exchange.total_ms),
    Column.STATUS: text.status_line,
}


class ExchangeTable(QAbstractTableModel):
    """Rows of exchanges. `older_wanted` is emitted when the end comes into sight and there is more.

    No exchange is shown twice: what a page brings that live rows already showed is left out.
    """

    older_wanted = Signal()

    def __init__(self, theme: Theme, now_ms: Callable[[], float], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._now_ms = now_ms
        self._live: list[Exchange] = []  # came while the table was open, newest last: adding is cheap at the end
        self._pages: list[Exchange] = []  # read from the ledger, newest first
        self._ids: set[str] = set()
        self._has_more = False
        self._is_waiting = False
        self._leaving: list[Exchange] = []  # shown before: to free a hundred thousand at once would take a tenth of a second
        self._sweep = QTimer(self, interval=0)
        self._sweep.timeout.connect(self._free_some)

    # ------------------------------------------------------------ filling

    def show_first(self, exchanges: Sequence[Exchange], live: Iterable[Exchange] = (), *, has_more: bool) -> None:
        """Show these instead of what there was. `live` may hold some that the ledger had not written yet."""
        self.beginResetModel()
        self._leaving += self._pages
        self._sweep.start()
        self._pages = list(exchanges)
        self._ids = {exchange.id for exchange in exchanges}
        self._live = [exchange for exchange in live if exchange.id not in self._ids]
        self._ids.update(exchange.id for exchange in self._live)
        self._has_more, self._is_waiting = has_more, False
        self.endResetModel()

    def _free_some(self) -> None:
        del self._leaving[-_FREED_AT_ONCE:]
        if not self._leaving:
            self._sweep.stop()

    def add_older(self, exchanges: Sequence[Exchange], *, has_more: bool) -> None:
        """Show these beneath the others."""
        fresh = [exchange for exchange in exchanges if exchange.id not in self._ids]
        self._has_more, self._is_waiting = has_more, False
        if fresh:
            first = self.rowCount()
            self.beginInsertRows(NO_INDEX, first, first + len(fresh) - 1)
            self._pages += fresh
            self._ids.update(exchange.id for exchange in fresh)
            self.endInsertRows()

    def add_live(self, exchanges: Sequence[Exchange]) -> int:
        """Show these above the others; oldest first as they come. Returns how many rows were added."""
        fresh = [exchange for exchange in exchanges if exchange.id not in self._ids]
        if fresh:
            self.beginInsertRows(NO_INDEX, 0, len(fresh) - 1)
            self._live += fresh
            self._ids.update(exchange.id for exchange in fresh)
            self.endInsertRows()
        return len(fresh)

    def replace(self, exchange: Exchange) -> None:
        """Show this one in place of the one with its id, if that is shown."""
        for exchanges in (self._live, self._pages):
            for place, shown_now in enumerate(exchanges):
                if shown_now.id == exchange.id:
                    exchanges[place] = exchange

    def stop_waiting(self) -> None:
        """A page could not be read; scrolling asks again."""
        self._is_waiting = False

    # ------------------------------------------------------------ asking

    @property
    def oldest_id(self) -> str:
        """The id that the next older page comes before; empty if nothing was read yet."""
        return self._pages[-1].id if self._pages else ""

    def exchange(self, row: int) -> Exchange:
        """The exchange of a row."""
        live = len(self._live)
        return self._live[live - 1 - row] if row < live else self._pages[row - live]

    def row_of(self, exchange_id: str) -> int:
        """The row of an exchange; -1 if it is not shown."""
        if exchange_id not in self._ids:
            return -1
        return next(row for row in range(self.rowCount()) if self.exchange(row).id == exchange_id)

    def rowCount(self, parent: Index = NO_INDEX) -> int:  # noqa: N802  Qt's name
        """How many rows there are now."""
        return 0 if parent.isValid() else len(self._live) + len(self._pages)

    def columnCount(self, parent: Index = NO_INDEX) -> int:  # noqa: N802  Qt's name
        """How many columns there are."""
        return 0 if parent.isValid() else len(Column)

    def canFetchMore(self, parent: Index) -> bool:  # noqa: N802  Qt's name
        """Is there an older page that nobody waits for yet?"""
        return not parent.isValid() and self._has_more and not self._is_waiting

    def fetchMore(self, parent: Index) -> None:  # noqa: N802  Qt's name
        """Ask for the next older page."""
        if self.canFetchMore(parent):
            self._is_waiting = True
            self.older_wanted.emit()

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        """A column's name."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return text.EXCHANGE_HEADERS[section]
        return alignment(is_number=section in _NUMBERS) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell in one role."""
        exchange, column = self.exchange(index.row()), Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._words(exchange, column)
            case Qt.ItemDataRole.ForegroundRole:
                return self._colour(exchange, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return alignment(is_number=column in _NUMBERS)
            case Qt.ItemDataRole.ToolTipRole:
                return text.strip_tip(exchange)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{text.EXCHANGE_HEADERS[column]} {self._words(exchange, column)}"
            case _:
                return exchange if role == EXCHANGE_ROLE else None

    def _words(self, exchange: Exchange, column: Column) -> str:
        if column is Column.TIME:
            return shown.moment(exchange.started_at_ms, self._now_ms())
        return _WORDS[column](exchange)

    def _colour(self, exchange: Exchange, column: Column) -> str | None:
        palette = self._theme.palette
        if column is Column.STATUS:
            return palette.bad if exchange.error else palette.muted
        is_unpriced = column is Column.COST and exchange.cost_basis == _UNPRICED
        return palette.muted if column in _MUTED or is_unpriced else None


def matches(query: ActivityQuery, exchange: Exchange) -> bool:
    """Would the ledger list this exchange for the query? For exchanges that it has not written yet."""
    lists = ((query.tiers, exchange.tier), (query.clients, exchange.client), (query.accounts, exchange.account))
    if any(wanted and value not in wanted for wanted, value in lists):
        return False
    if (query.only_failed and not exchange.error) or exchange.started_at_ms < query.since_ms:
        return False
    searched = (
        exchange.client,
        exchange.session,
        exchange.requested_model,
        exchange.account,
        exchange.model,
        exchange.error,
        exchange.error_detail,
        exchange.reason,
    )
    return all(any(word in value.casefold() for value in searched) for word in query.text.casefold().split())
