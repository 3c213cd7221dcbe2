"""A box to tick, painted in our own colours: the style's own box can hardly be seen on a dark ground."""

from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QWidget

from lynkr_desktop.ui.theme import SPACE_8, Theme
from lynkr_desktop.ui.widgets.icons import pixmap

_BOX: Final = 16
_MARK: Final = 12


class Tick(QCheckBox):
    """A box and its words. The keyboard gives it a ring in the accent's colour."""

    def __init__(self, theme: Theme, words: str, parent: QWidget | None = None) -> None:
        super().__init__(words, parent)
        self._theme = theme
        self.setAccessibleName(words)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """The box, a gap and the words."""
        words = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(_BOX + SPACE_8 + words + 2, max(_BOX + 4, self.fontMetrics().height()))

    def minimumSizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """All of it."""
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Box, mark and words."""
        palette = self._theme.palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(0.5, (self.height() - _BOX) / 2 + 0.5, _BOX - 1, _BOX - 1)
        is_ticked = self.isChecked()
        ground = palette.accent if is_ticked and self.isEnabled() else palette.card
        edge = (
            palette.text if self.hasFocus() and is_ticked else palette.accent if is_ticked or self.hasFocus() else palette.muted
        )
        painter.setPen(QPen(QColor(edge if self.isEnabled() else palette.hairline), 1))
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(area, 4, 4)
        if is_ticked:
            mark = pixmap("check", palette.on_accent if self.isEnabled() else palette.muted, _MARK, self.devicePixelRatioF())
            inset = (_BOX - _MARK) / 2
            painter.drawPixmap(area.topLeft() + QPointF(inset - 0.5, inset - 0.5), mark)
        painter.setPen(QColor(palette.text if self.isEnabled() else palette.muted))
        words = self.rect().adjusted(_BOX + SPACE_8, 0, 0, 0)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), self.text())

    def hitButton(self, position: QPoint) -> bool:  # noqa: N802  Qt's name
        """The words count as well."""
        return self.rect().contains(position)
