"""The view of exchanges: a table that stays where it is while rows come in on top, and shows tiers as chips."""

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui import text
from lynkr_desktop.ui.models.exchange_table import EXCHANGE_ROLE, Column, ExchangeTable
from lynkr_desktop.ui.theme import BODY, Theme, font
from lynkr_desktop.ui.widgets.table import ROW_HEIGHT, RowDelegate, Table
from lynkr_desktop.ui.widgets.tier import LETTERS, chip_width, chip_words, paint_chip, tier_named

_NARROWEST_MODEL: Final = 132
_PADDING: Final = 13
_WEDNESDAY_MS: Final = 1_795_003_920_000
# Left out in this order where the table is narrow; the why card holds them all.
_EXPENDABLE: Final = (Column.TOTAL, Column.CACHED, Column.TOKENS, Column.FIRST, Column.CLIENT)


def _widest(column: int) -> tuple[str, ...]:
    """The widest words that a column is made for. What is longer ends with … and is whole in the why card."""
    match column:
        case Column.TIME:
            return (*(shown.moment(_WEDNESDAY_MS, _WEDNESDAY_MS + days * 86_400_000) for days in (0, 1, 9)),)
        case Column.CLIENT:
            return ("Claude Code",)
        case Column.TOKENS:
            return (f"{shown.tokens(138_000)} / {shown.tokens(12_100)}",)
        case Column.COST:
            return (shown.UNPRICED, shown.FREE, shown.money("0.0088"), f"{shown.ABOUT} {shown.money('0.028')}")
        case Column.FIRST:
            return (shown.duration(9_900), shown.duration(94))
        case Column.TOTAL:
            return (shown.duration(725_000),)
        case _:
            return ()


class _ExchangeDelegate(RowDelegate):
    def paint_cell(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        """A chip in the tier's column, words elsewhere."""
        if index.column() != Column.TIER:
            super().paint_cell(painter, rect, index)
            return
        tier = tier_named(index.data(EXCHANGE_ROLE).tier)
        paint_chip(painter, QRectF(rect).adjusted(6, 0, 0, 0), tier, chip_words(tier, is_full=False), self._theme.palette)


class ExchangeView(Table):
    """A table over an `ExchangeTable`. Neither the scroll position nor the selection moves when rows come in on top."""

    def __init__(self, theme: Theme, model: ExchangeTable, parent: QWidget | None = None) -> None:
        super().__init__(theme, Column.MODEL, text.ACTIVITY, parent, narrowest=_NARROWEST_MODEL, expendable=_EXPENDABLE)
        self.setItemDelegate(_ExchangeDelegate(theme, self))
        self.setModel(model)
        model.rowsInserted.connect(self._stay)

    @property
    def _rows(self) -> ExchangeTable:
        model = self.model()
        assert isinstance(model, ExchangeTable)  # noqa: S101  set in the constructor
        return model

    def select(self, exchange_id: str) -> bool:
        """Select an exchange and bring it into sight. False if it is not among the rows."""
        row = self._rows.row_of(exchange_id)
        if row < 0:
            return False
        index = self._rows.index(row, Column.TIME)
        self.setCurrentIndex(index)
        self.scrollTo(index)
        return True

    def show_chosen(self) -> None:
        """Bring the selected row into sight."""
        for index in self.selectionModel().selectedRows():
            self.scrollTo(index)

    def wanted_width(self, column: int) -> int:
        """What the column is made for; the rows are too many to look at."""
        if column == Column.TIER:
            return max(chip_width(letter) for letter in LETTERS.values()) + 12
        metrics = QFontMetrics(font(BODY))
        return max(map(metrics.horizontalAdvance, (*_widest(column), text.EXCHANGE_HEADERS[column]))) + _PADDING

    def _stay(self, _parent: QModelIndex, first: int, last: int) -> None:
        bar = self.verticalScrollBar()
        if first == 0 and bar.value() > 0:
            self.updateGeometries()
            bar.setValue(bar.value() + (last - first + 1) * ROW_HEIGHT)
