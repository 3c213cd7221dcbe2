"""A tiny line without axes: how a number moved. Its meaning is told by the figure beside it."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from lynkr_desktop.ui.theme import Theme

_HEIGHT = 28
_MARGIN = 3.0


class Sparkline(QWidget):
    """The values left to right, oldest first, each in its place between the smallest and the largest."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._values: tuple[float, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        theme.changed.connect(self.update)

    def show_values(self, values: Sequence[float]) -> None:
        """Draw other values; fewer than two, or only zeros, draw nothing."""
        if tuple(values) != self._values:
            self._values = tuple(values)
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Room for a line."""
        return QSize(96, _HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Paint the line and a dot at its end."""
        if len(self._values) < 2 or not any(self._values):
            return
        low, high = min(self._values), max(self._values)
        reach = (high - low) or 1.0
        width, height = self.width() - 2 * _MARGIN, self.height() - 2 * _MARGIN
        step = width / (len(self._values) - 1)
        points = [
            QPointF(_MARGIN + index * step, _MARGIN + height * (1 - (value - low) / reach))
            for index, value in enumerate(self._values)
        ]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(self._theme.palette.muted)
        painter.setPen(QPen(colour, 1.2))
        painter.drawPolyline(QPolygonF(points))
        painter.setBrush(colour)
        painter.drawEllipse(points[-1], 1.6, 1.6)
