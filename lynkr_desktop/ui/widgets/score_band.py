"""The band of scores: a histogram in the tiers' colours with three boundaries to drag. Knows no page and no settings' file."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QWidget

from lynkr_desktop.config.settings import TIERS, Boundaries, Tier
from lynkr_desktop.ui import text_setup
from lynkr_desktop.ui.theme import SMALL, Theme, font

_SCORES: Final = 101
_LARGEST: Final = 99
_BARS_HEIGHT: Final = 92
_BASE: Final = 4  # the strip of tiers under the bars
_TAG_HEIGHT: Final = 18
_GRIP: Final = 28  # width in which a boundary can be taken
_HEIGHT: Final = _BARS_HEIGHT + _BASE + 6 + _TAG_HEIGHT


class Boundary(QAbstractSlider):
    """One boundary: a slider whose value is the last score below it. Arrows move it by one, Page keys by five."""

    def __init__(self, theme: Theme, band: "ScoreBand", index: int) -> None:
        super().__init__(band)
        self._theme = theme
        self._band = band
        self._is_hovered = False
        self._grabbed_at = 0.0
        self.setRange(0, _LARGEST)
        self.setSingleStep(1)
        self.setPageStep(5)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setAccessibleName(text_setup.boundary_name(TIERS[index], TIERS[index + 1]))
        self.setToolTip(self.accessibleName())
        theme.changed.connect(self.update)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt's name
        """Take the boundary."""
        self._grabbed_at = event.position().x() - self.width() / 2
        self.setSliderDown(True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt's name
        """Move it to the score under the pointer."""
        if self.isSliderDown():
            self.setSliderPosition(self._band.score_at(self.mapToParent(event.position()).x() - self._grabbed_at))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:  # noqa: N802  Qt's name
        """Leave it there."""
        self.setSliderDown(False)

    def enterEvent(self, _event: QEnterEvent) -> None:  # noqa: N802  Qt's name
        """Stand out while it can be taken."""
        self._is_hovered = True
        self.update()

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802  Qt's name
        """Step back."""
        self._is_hovered = False
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """A line with its score on a tag."""
        palette = self._theme.palette
        is_active = self.hasFocus() or self._is_hovered or self.isSliderDown()
        colour = QColor(palette.accent if is_active else palette.text)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.width() / 2
        tag = QRectF(1, self.height() - _TAG_HEIGHT, self.width() - 2, _TAG_HEIGHT)
        painter.setPen(QPen(colour, 2 if is_active else 1.5))
        painter.drawLine(QPointF(middle, 0), QPointF(middle, tag.top()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(tag, 4, 4)
        painter.setPen(QColor(palette.on_accent if is_active else palette.card))
        painter.setFont(font(SMALL, is_strong=True))
        painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, str(self.value()))


class ScoreBand(QWidget):
    """Scores 0 to 100 with how often each came, and the boundaries between the tiers.

    `moving` comes with each step of a boundary, `moved` once a boundary has been left where it is. Both carry `Boundaries`.
    """

    moving = Signal(object)
    moved = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._counts: Sequence[int] = ()
        self._boundaries = Boundaries()
        self._is_showing = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._handles = [Boundary(theme, self, index) for index in range(3)]
        for handle in self._handles:
            handle.valueChanged.connect(self._follow)
            handle.sliderReleased.connect(self._leave)
        theme.changed.connect(self.update)
        self.show_boundaries(self._boundaries)

    @property
    def boundaries(self) -> Boundaries:
        """Where the boundaries lie now."""
        return self._boundaries

    @property
    def handles(self) -> Sequence[Boundary]:
        """The three boundaries, from low to high."""
        return self._handles

    def show_counts(self, counts: Sequence[int]) -> None:
        """How many requests had each score, 0 to 100."""
        self._counts = counts
        self._describe()
        self.update()

    def show_boundaries(self, boundaries: Boundaries) -> None:
        """Put the boundaries somewhere else."""
        self._is_showing = True
        self._boundaries = boundaries
        values = (boundaries.simple, boundaries.medium, boundaries.complex)
        limits = (0, *(value + 1 for value in values[:2])), (*(value - 1 for value in values[1:]), _LARGEST)
        for handle, value, lowest, highest in zip(self._handles, values, *limits, strict=True):
            handle.setRange(lowest, highest)
            handle.setValue(value)
        self._is_showing = False
        self._place()
        self._describe()
        self.update()

    def score_at(self, x: float) -> int:
        """The last score left of a place across the band."""
        return max(0, min(_LARGEST, round(x / max(1, self.width()) * _SCORES) - 1))

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """As wide as it gets."""
        return QSize(480, _HEIGHT)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Room for each tier."""
        return QSize(240, _HEIGHT)

    def resizeEvent(self, _event: QResizeEvent) -> None:  # noqa: N802  Qt's name
        """Keep the boundaries at their scores."""
        self._place()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Bars in their tier's colour on a strip of the tiers."""
        painter = QPainter(self)
        palette = self._theme.palette
        for tier in TIERS:
            first, last = self._boundaries.range_of(tier)
            left, right = self._x(first), self._x(last + 1)
            painter.fillRect(QRectF(left, _BARS_HEIGHT, right - left, _BASE), QColor(palette.tier_fill(tier)))
        most = max(self._counts, default=0)
        if not most:
            painter.setFont(font(SMALL))
            painter.setPen(QColor(palette.muted))
            painter.drawText(QRectF(0, 0, self.width(), _BARS_HEIGHT), Qt.AlignmentFlag.AlignCenter, text_setup.BAND_EMPTY)
            return
        for score, count in enumerate(self._counts):
            if count:
                height = max(2.0, count / most * (_BARS_HEIGHT - 4))
                area = QRectF(self._x(score), _BARS_HEIGHT - height, self._x(score + 1) - self._x(score), height)
                gap = 1 if area.width() >= 4 else 0
                painter.fillRect(area.adjusted(0, 0, -gap, 0), QColor(palette.tier_fill(self._boundaries.tier_of(score))))

    def _x(self, score: int) -> float:
        return score / _SCORES * self.width()

    def _place(self) -> None:
        for handle in self._handles:
            middle = self._x(handle.value() + 1)
            left = max(0, min(self.width() - _GRIP, round(middle - _GRIP / 2)))
            handle.setGeometry(left, 0, _GRIP, _HEIGHT)

    def _follow(self) -> None:
        if self._is_showing:
            return
        simple, medium, complex_ = (handle.value() for handle in self._handles)
        is_dragging = any(handle.isSliderDown() for handle in self._handles)
        self.show_boundaries(Boundaries(simple, medium, complex_))
        self.moving.emit(self._boundaries)
        if not is_dragging:
            self._leave()

    def _leave(self) -> None:
        self.moved.emit(self._boundaries)

    def _describe(self) -> None:
        counts = [self.count_of(tier) for tier in TIERS]
        self.setAccessibleName(text_setup.band_summary(self._boundaries, counts))

    def count_of(self, tier: Tier) -> int:
        """How many of the requests lie in a tier."""
        first, last = self._boundaries.range_of(tier)
        return sum(self._counts[first : last + 1])
