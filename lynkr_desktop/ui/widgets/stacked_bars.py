"""Bars over time: stacked money by tier, provider, model or program, or times. Shows what it is given; asks nothing."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from lynkr_desktop.config.settings import Tier
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui import text
from lynkr_desktop.ui.palette import see_through, series_colour
from lynkr_desktop.ui.theme import SMALL, Theme, font
from lynkr_desktop.ui.widgets.tier import paint_shape

_LEFT, _TOP, _BOTTOM, _LEGEND = 44, 8, 22, 22  # room for axes and legend, pixels
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of the stack, from the bottom up. A tier brings its own colour and shape; `grey` has none."""

    key: str
    title: str
    tier: Tier | None = None
    grey: float = 0.0  # how strong, up to 1; 0 has a colour


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its time span and the amount of each series, in dollars or in milliseconds."""

    start_ms: float
    end_ms: float
    values: dict[str, float]
    requests: int

    @property
    def total(self) -> float:
        """The bar's height."""
        return sum(self.values.values())


class StackedBars(QWidget):
    """Bars left to right, an axis, times below and a legend; hovering a bar tells its numbers.

    `axis` words a mark of the axis from its value and the distance of marks; `tip` words a bar; `empty` is said without bars.
    """

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        axis: Callable[[float, float], str] = shown.axis_money,
        tip: "Callable[[Bar], str] | None" = None,
        empty: str = "",
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._axis = axis
        self._own_tip = tip
        self._empty = empty or text.SPEND_EMPTY
        self._bars: tuple[Bar, ...] = ()
        self._series: tuple[Series, ...] = ()
        self._hovered = -1
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(170)
        theme.changed.connect(self.update)

    def show_bars(self, bars: Sequence[Bar], series: Sequence[Series]) -> None:
        """Show these bars."""
        self._bars, self._series = tuple(bars), tuple(series)
        self._hovered = -1
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """A little wider than high."""
        return QSize(420, 220)

    def bar_at(self, point: QPointF) -> Bar | None:
        """The bar beneath a point."""
        index = self._index_at(point)
        return self._bars[index] if index >= 0 else None

    def _plot(self) -> QRectF:
        return QRectF(_LEFT, _TOP, max(1, self.width() - _LEFT), max(1, self.height() - _TOP - _BOTTOM - _LEGEND))

    def _index_at(self, point: QPointF) -> int:
        plot = self._plot()
        if not self._bars or not plot.left() <= point.x() < plot.right() or point.y() > plot.bottom() + 4:
            return -1
        return min(len(self._bars) - 1, int((point.x() - plot.left()) / plot.width() * len(self._bars)))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Paint axis, bars, times and legend."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(SMALL))
        plot = self._plot()
        top = max((bar.total for bar in self._bars), default=0.0)
        if top <= 0:
            painter.setPen(QColor(self._theme.palette.muted))
            painter.drawText(QRectF(self.rect()), int(Qt.AlignmentFlag.AlignCenter), self._empty)
            return
        step = nice_step(top)
        highest = step * -(-top // step)
        self._paint_axis(painter, plot, step, highest)
        self._paint_bars(painter, plot, highest)
        self._paint_times(painter, plot)
        self._paint_legend(painter)

    def _paint_axis(self, painter: QPainter, plot: QRectF, step: float, highest: float) -> None:
        palette = self._theme.palette
        for index in range(round(highest / step) + 1):
            y = round(plot.bottom() - plot.height() * index * step / highest)
            painter.fillRect(QRectF(plot.left(), y, plot.width(), 1), QColor(palette.grid))
            painter.setPen(QColor(palette.muted))
            words = self._axis(index * step, step)
            painter.drawText(QRectF(0, y - 8, _LEFT - 8, 16), int(_RIGHT_MIDDLE), words)

    def _paint_bars(self, painter: QPainter, plot: QRectF, highest: float) -> None:
        slot = plot.width() / len(self._bars)
        gap = 2 if slot > 6 else 1
        for index, bar in enumerate(self._bars):
            left = plot.left() + index * slot
            if index == self._hovered:
                painter.fillRect(QRectF(left, plot.top(), slot, plot.height()), QColor(self._theme.palette.raised))
            bottom = plot.bottom()
            for number, series in enumerate(self._series):
                height = bar.values.get(series.key, 0.0) / highest * plot.height()
                colour = QColor(self._colour(number, series))
                painter.fillRect(QRectF(left + gap / 2, bottom - height, slot - gap, height), colour)
                bottom -= height

    def _paint_times(self, painter: QPainter, plot: QRectF) -> None:
        painter.setPen(QColor(self._theme.palette.muted))
        first, last = self._bars[0].start_ms, self._bars[-1].end_ms
        for moment in time_ticks(first, last, most=max(2, int(plot.width() // 90))):
            x = plot.left() + (moment - first) / (last - first) * plot.width()
            words = shown.day(moment) if last - first > 2 * _DAY_MS else shown.clock_minutes(moment)
            area = QRectF(x - 30, plot.bottom() + 4, 60, 16)
            if area.right() <= self.width() + 12:
                painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), words)

    def _paint_legend(self, painter: QPainter) -> None:
        left, middle = float(_LEFT), self.height() - _LEGEND / 2 + 2
        metrics = painter.fontMetrics()
        for number, series in enumerate(self._series):
            words = metrics.elidedText(series.title, Qt.TextElideMode.ElideRight, 130)
            width = metrics.horizontalAdvance(words) + 28
            if left + width > self.width() + 12:
                return
            shape = series.tier or Tier.MEDIUM
            paint_shape(painter, shape, QPointF(left + 5, middle), 8, self._colour(number, series))
            painter.setPen(QColor(self._theme.palette.muted))
            painter.drawText(QRectF(left + 14, middle - 9, width, 18), int(Qt.AlignmentFlag.AlignVCenter), words)
            left += width

    def _colour(self, number: int, series: Series) -> str:
        palette = self._theme.palette
        if series.grey:
            return see_through(palette.muted, series.grey)
        return palette.tier_fill(series.tier) if series.tier else series_colour(palette, number)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt's name
        """Tell about the bar beneath the mouse."""
        index = self._index_at(event.position())
        if index != self._hovered:
            self._hovered = index
            words = self._tip(self._bars[index]) if index >= 0 else ""
            QToolTip.showText(event.globalPosition().toPoint(), words, self)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802  Qt's name
        """Forget the bar beneath the mouse."""
        self._hovered = -1
        self.update()
        super().leaveEvent(event)

    def _tip(self, bar: Bar) -> str:
        if self._own_tip is not None:
            return self._own_tip(bar)
        parts = [(series.title, bar.values[series.key]) for series in reversed(self._series) if bar.values.get(series.key)]
        return text.bar_tip(bar.start_ms, bar.end_ms, bar.requests, bar.total, parts)


_RIGHT_MIDDLE: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def nice_step(top: float) -> float:
    """A round distance (1, 2 or 5 times a power of ten) that cuts 0 to `top` into two to five parts."""
    power = 10.0 ** math.floor(math.log10(top))
    return next(factor * power for factor in (0.2, 0.5, 1, 2) if top / (factor * power) <= 5)


def time_ticks(first_ms: float, last_ms: float, most: int) -> list[float]:
    """Round local times between two moments, at most about `most` of them: minutes, hours or midnights."""
    span = last_ms - first_ms
    minute = 60_000
    steps = [minute * factor for factor in (5, 10, 15, 30, 60, 180, 360, 720, 1440, 2880, 10080)]
    step = next((step for step in steps if span / step <= most), steps[-1])
    midnight = shown.midnight_ms(first_ms)
    moments = [midnight + number * step for number in range(math.ceil((last_ms - midnight) / step))]
    if step >= _DAY_MS:  # a day may have 23 or 25 hours
        moments = [shown.midnight_ms(moment + _DAY_MS / 2) for moment in moments]
    return [float(moment) for moment in moments if first_ms <= moment < last_ms]
