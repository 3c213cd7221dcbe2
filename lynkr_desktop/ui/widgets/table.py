"""A quiet table view: whole rows, hairlines between them, no grid. Knows no model."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from lynkr_desktop.ui.theme import BODY, Theme, font

ROW_HEIGHT = 34


class RowDelegate(QStyledItemDelegate):
    """Paints the row's ground, then its words, then the hairline. Cells may paint themselves by overriding `paint_cell`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Paint one cell."""
        palette = self._theme.palette
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(palette.raised))
        painter.save()
        self.paint_cell(painter, rect, index)
        painter.restore()
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), QColor(palette.hairline))

    def sizeHint(self, _option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802  Qt's
        """As wide as its picture, its words and their margins."""
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        beside = 0 if picture is None else round(picture.deviceIndependentSize().width()) + 6
        words = QFontMetrics(font(BODY)).horizontalAdvance(index.data(Qt.ItemDataRole.DisplayRole) or "")
        return QSize(words + beside + 14, ROW_HEIGHT)

    def paint_cell(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        """Paint a cell's picture and words, shortened where they do not fit."""
        inner = rect.adjusted(6, 0, -6, 0)
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        if picture is not None:
            size = picture.deviceIndependentSize()
            painter.drawPixmap(inner.left(), round(inner.center().y() - size.height() / 2 + 1), picture)
            inner.setLeft(inner.left() + round(size.width()) + 6)
        words = index.data(Qt.ItemDataRole.DisplayRole) or ""
        painter.setPen(QColor(index.data(Qt.ItemDataRole.ForegroundRole) or self._theme.palette.text))
        side = Qt.AlignmentFlag(index.data(Qt.ItemDataRole.TextAlignmentRole) or Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(inner, int(side), painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, inner.width()))


class Table(QTableView):
    """A table of rows; the column `stretched` takes the room that the others leave.

    Where that is less than `narrowest`, the columns of `expendable` are left out, one after the other.
    """

    def __init__(
        self,
        theme: Theme,
        stretched: int,
        name: str,
        parent: QWidget | None = None,
        *,
        narrowest: int = 0,
        expendable: tuple[int, ...] = (),
    ) -> None:
        super().__init__(parent)
        self._stretched = stretched
        self._narrowest = narrowest
        self._expendable = expendable
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setItemDelegate(RowDelegate(theme, self))
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        columns.setHighlightSections(False)
        columns.setSectionsClickable(False)
        columns.setMinimumSectionSize(24)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        theme.changed.connect(self.viewport().update)

    def fit_columns(self) -> None:
        """Give each column the width that it wants, the rest to `stretched`, and leave out what has no room."""
        header = self.horizontalHeader()
        others = [column for column in range(header.count()) if column != self._stretched]
        for column in self._expendable:
            self.setColumnHidden(column, False)  # a hidden column has no width to ask for
        widths = {column: self.wanted_width(column) for column in others}
        room = self.viewport().width() - self._narrowest - sum(widths.values())
        for column in self._expendable:
            self.setColumnHidden(column, room < 0)
            room += widths[column] if room < 0 else 0
        for column, width in widths.items():
            header.resizeSection(column, width)
        if header.count():
            header.setSectionResizeMode(self._stretched, QHeaderView.ResizeMode.Stretch)

    def wanted_width(self, column: int) -> int:
        """Room for the column's name and its widest words. For short tables only: all rows are looked at."""
        model = self.model()
        rows = [self.itemDelegate().sizeHint(QStyleOptionViewItem(), model.index(row, column)) for row in range(model.rowCount())]
        return max([self.horizontalHeader().sectionSizeHint(column), *(size.width() for size in rows)])

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt's name
        """See again what has room."""
        super().resizeEvent(event)
        self.fit_columns()
