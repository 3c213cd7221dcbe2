"""The why card's three small charts: the score on its band, the dimensions as bars, the attempts as a waterfall."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from lynkr_desktop.config.settings import TIERS, Boundaries, Tier
from lynkr_desktop.engine.events import Attempt, ScoredDimension
from lynkr_desktop.ui import text
from lynkr_desktop.ui.language import say_back
from lynkr_desktop.ui.palette import mixed
from lynkr_desktop.ui.theme import BODY, SMALL, Theme, font
from lynkr_desktop.ui.widgets.tier import LETTERS, paint_shape

_BAND = 32
_LETTER_FROM = 26  # width of a zone that has room for its shape and letter
_ROW = 24
_TALL_ROW = 34
_POINTS = 34  # width of the points' column
_BARS_BESIDE_FROM = 420
_ATTEMPT = 36
_RIGHT_MIDDLE: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class _Chart(QWidget):
    """What the three have in common: they are as wide as they may be and repaint on another theme."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def _painter(self, size: int, *, is_strong: bool = False) -> QPainter:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(size, is_strong=is_strong))
        return painter


class ScoreOnBand(_Chart):
    """The four tiers' zones from 0 to 100 and a line at the score."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._score: float = 0
        self._boundaries = Boundaries()
        self.setFixedHeight(_BAND)

    def show_score(self, score: float, boundaries: Boundaries) -> None:
        """Mark this score."""
        self._score, self._boundaries = score, boundaries
        self.setAccessibleName(text.score_summary(score, boundaries.tier_of(score)))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Paint the band, the line and the names beneath; the tier that the score is in stands out."""
        painter = self._painter(SMALL, is_strong=True)
        palette, width = self._theme.palette, self.width()
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(0, 4, width, 8), 4, 4)
        painter.setClipPath(outline)
        edges = (0, self._boundaries.simple, self._boundaries.medium, self._boundaries.complex, 100)
        own = self._boundaries.tier_of(self._score)
        for tier in TIERS:
            left, right = edges[tier.rank] / 100 * width, edges[tier.rank + 1] / 100 * width
            fill = palette.tier_fill(tier)
            colour = fill if tier is own else mixed(fill, palette.card, 0.3)
            painter.fillRect(QRectF(left, 4, right - left, 8), QColor(colour))
        painter.setClipping(False)
        zones = [QRectF(low / 100 * width, 16, (high - low) / 100 * width, _BAND - 16) for low, high in pairwise(edges)]
        self._paint_names(painter, zones)
        x = min(max(self._score / 100 * width, 2.0), width - 2.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(palette.card))
        painter.drawRect(QRectF(x - 3.5, 0, 7, 16))
        painter.setBrush(QColor(palette.text))
        painter.drawRoundedRect(QRectF(x - 1.5, 0, 3, 16), 1.5, 1.5)

    def _paint_names(self, painter: QPainter, zones: Sequence[QRectF]) -> None:
        """All names, or all letters where one name would not fit; a zone too small for a letter keeps its colour only."""
        metrics, palette = painter.fontMetrics(), self._theme.palette
        has_names = all(metrics.horizontalAdvance(tier) + 16 <= zone.width() for tier, zone in zip(TIERS, zones, strict=True))
        for tier, zone in zip(TIERS, zones, strict=True):
            if zone.width() < _LETTER_FROM:
                continue
            paint_shape(painter, tier, QPointF(zone.left() + 4, zone.center().y()), 7, palette.tier_fill(tier))
            painter.setPen(QColor(palette.tier(tier)))
            words = tier.value if has_names else LETTERS[tier]
            painter.drawText(zone.adjusted(12, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), words)


class DimensionBars(_Chart):
    """One row for each dimension, the largest first: its plain reason, the points with their sign, and a bar."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._rows: tuple[ScoredDimension, ...] = ()
        self._tier: Tier | None = None

    def show_dimensions(self, dimensions: Sequence[ScoredDimension], tier: Tier | None) -> None:
        """Show these, in the colour of the tier that they led to. Those without points are left out."""
        counted = [dimension for dimension in dimensions if round(dimension.points)]
        self._rows = tuple(sorted(counted, key=lambda dimension: -abs(dimension.points)))
        self._tier = tier
        self._fit()
        lines = [f"{say_back(dimension.reason)} {text.points(dimension.points)}" for dimension in self._rows]
        self.setAccessibleName("; ".join(lines))
        self.setToolTip("\n".join(lines))
        self.setVisible(bool(self._rows))
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt's name
        """Put the bars beneath the reasons where they have no room beside them."""
        super().resizeEvent(event)
        self._fit()

    @property
    def _is_narrow(self) -> bool:
        return self.width() < _BARS_BESIDE_FROM

    def _fit(self) -> None:
        self.setFixedHeight((_TALL_ROW if self._is_narrow else _ROW) * len(self._rows))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Paint the rows."""
        painter = self._painter(BODY)
        palette, metrics, width = self._theme.palette, painter.fontMetrics(), self.width()
        largest = max((abs(row.points) for row in self._rows), default=1.0)
        height = _TALL_ROW if self._is_narrow else _ROW
        bar_width = width if self._is_narrow else round(width * 0.24)
        bar_left = width - bar_width - (0 if self._is_narrow else _POINTS)
        reason_width = (width - _POINTS if self._is_narrow else bar_left) - 12
        for index, row in enumerate(self._rows):
            top = index * height
            painter.setPen(QColor(palette.text))
            reason = metrics.elidedText(say_back(row.reason), Qt.TextElideMode.ElideRight, reason_width)
            painter.drawText(QRectF(0, top, reason_width, _ROW), int(Qt.AlignmentFlag.AlignVCenter), reason)
            points_area = QRectF(width - _POINTS, top, _POINTS, _ROW)
            painter.drawText(points_area, int(_RIGHT_MIDDLE), text.points(row.points))
            colour = palette.tier_fill(self._tier) if row.points > 0 else palette.muted
            length = max(4.0, abs(row.points) / largest * bar_width)
            thickness = 4 if self._is_narrow else 8
            bar_top = top + _ROW if self._is_narrow else top + (_ROW - thickness) / 2
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(bar_left, bar_top, length, thickness), 2, 2)


class Waterfall(_Chart):
    """The attempts one below the other on one time axis: waiting for the first byte, then the stream; red where it failed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._attempts: tuple[Attempt, ...] = ()
        self._total_ms = 1.0

    def show_attempts(self, attempts: Sequence[Attempt], total_ms: float) -> None:
        """Show these; `total_ms` is the whole width."""
        self._attempts = tuple(attempts)
        self._total_ms = max([total_ms, 1.0, *(attempt.ended_ms for attempt in attempts)])
        self.setFixedHeight(_ATTEMPT * len(self._attempts))
        self.setAccessibleName("; ".join(text.attempt_summary(attempt) for attempt in attempts))
        self.setToolTip("\n".join(text.attempt_summary(attempt) for attempt in attempts))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Paint the attempts."""
        painter = self._painter(SMALL)
        palette, metrics, width = self._theme.palette, painter.fontMetrics(), self.width()
        for index, attempt in enumerate(self._attempts):
            top = index * _ATTEMPT
            end = text.attempt_end(attempt)
            end_width = metrics.horizontalAdvance(end) + 8
            whole, room = text.attempt_line(attempt), width - end_width
            name = whole if metrics.horizontalAdvance(whole) <= room else attempt.model
            name = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
            painter.setPen(QColor(palette.text))
            painter.drawText(QRectF(0, top, width - end_width, 18), int(Qt.AlignmentFlag.AlignVCenter), name)
            painter.setPen(QColor(palette.bad if attempt.error else palette.muted))
            painter.drawText(QRectF(width - end_width, top, end_width, 18), int(_RIGHT_MIDDLE), end)
            first = attempt.ended_ms if attempt.first_byte_ms is None else attempt.first_byte_ms
            painter.fillRect(QRectF(0, top + 22, width, 6), QColor(palette.raised))
            self._paint_span(painter, top, attempt.started_ms, first, palette.bad if attempt.error else palette.medium_fill)
            self._paint_span(painter, top, first, attempt.ended_ms, palette.bad if attempt.error else palette.simple_fill)

    def _paint_span(self, painter: QPainter, top: float, start_ms: float, end_ms: float, colour: str) -> None:
        scale = self.width() / self._total_ms
        if end_ms > start_ms:
            painter.fillRect(QRectF(start_ms * scale, top + 22, max(2.0, (end_ms - start_ms) * scale), 6), QColor(colour))

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """As high as its attempts."""
        return QSize(200, _ATTEMPT * len(self._attempts))
