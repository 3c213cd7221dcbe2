"""The score strip: requests by time and score, over the tiers' zones. Shows what it is given; asks nothing."""

import bisect
from collections.abc import Callable, Iterable
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QShowEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from lynkr_desktop.config.settings import TIERS, Boundaries, Tier
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui import text
from lynkr_desktop.ui.theme import SMALL, Theme, font
from lynkr_desktop.ui.widgets.stacked_bars import time_ticks
from lynkr_desktop.ui.widgets.tier import LETTERS, paint_shape, tier_named

HOUR_MS: Final = 3_600_000
_LEFT, _TOP, _RIGHT, _BOTTOM = 30, 6, 22, 22  # room for the axes, pixels
_NAMES, _LETTERS, _NAMES_FROM = 104, 36, 640  # room for the zones' names or letters; from this width on it is names
_LANE = 22  # height of the lane for requests without a score
_MARK = 8.0
_CELL = 24  # side of a mark's cached picture
_REACH = 12  # how far from a mark the mouse still means it
_MOVES_EVERY_MS = 1000  # a pixel is about four seconds, so once a second is smooth
_DAY_MS = 24 * HOUR_MS


class ScoreStrip(QWidget):
    """Each request is a mark of its tier's shape and colour: ringed if kept on its session's model, crossed if it failed.

    `picked` carries the id of the exchange that was clicked or entered. The arrow keys walk from mark to mark. `now_ms` is the
    clock. Nothing is painted or timed while the strip is out of sight.
    """

    picked = Signal(str)

    def __init__(self, theme: Theme, now_ms: Callable[[], float], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._now_ms = now_ms
        self._boundaries = Boundaries()
        self._exchanges: list[Exchange] = []  # by start, oldest first
        self._focused = ""
        self._hovered = ""
        self._span, self._span_ms = "1h", HOUR_MS
        self._empty = text.STRIP_EMPTY
        self._ground: QPixmap | None = None
        self._marks: dict[tuple[Tier | None, bool, bool], QPixmap] = {}
        self._timer = QTimer(self, interval=_MOVES_EVERY_MS)
        self._timer.timeout.connect(self._move)
        theme.changed.connect(self._forget_pictures)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(150)
        self.setAccessibleName(text.SCORE_STRIP)
        self._summarise()

    # ------------------------------------------------------------ what it shows

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What is shown now, oldest first."""
        return tuple(self._exchanges)

    def set_boundaries(self, boundaries: Boundaries) -> None:
        """Draw the zones elsewhere."""
        if boundaries != self._boundaries:
            self._boundaries = boundaries
            self._forget_pictures()

    def set_span(self, span: str, length_ms: int) -> None:
        """Show so much time from now on; `span` is its name in `text.SPANS`."""
        self._span, self._span_ms = span, length_ms
        self._forget_old()
        self._summarise()
        self.update()

    def set_exchanges(self, exchanges: Iterable[Exchange], empty: str = "") -> None:
        """Show these requests and no others; `empty` is said if there are none."""
        self._exchanges = sorted(exchanges, key=_start)
        self._empty = empty or text.STRIP_EMPTY
        self._forget_old()
        self._summarise()
        self._ground = None
        self.update()

    def add(self, exchanges: Iterable[Exchange]) -> None:
        """Show these requests too."""
        had_lane = self._has_lane
        known = {exchange.id for exchange in self._exchanges}
        for exchange in exchanges:
            if exchange.id not in known:
                bisect.insort(self._exchanges, exchange, key=_start)
        self._forget_old()
        self._summarise()
        if self._has_lane != had_lane:
            self._ground = None
        self.update()

    @property
    def _has_lane(self) -> bool:
        return any(exchange.score is None for exchange in self._exchanges)

    def _forget_old(self) -> None:
        oldest = self._now_ms() - self._span_ms
        del self._exchanges[: bisect.bisect_left(self._exchanges, oldest, key=_start)]

    def _summarise(self) -> None:
        failed = sum(bool(exchange.error) for exchange in self._exchanges)
        self.setAccessibleDescription(text.strip_summary(len(self._exchanges), failed, self._span))

    def _move(self) -> None:
        before = len(self._exchanges)
        self._forget_old()
        if len(self._exchanges) != before:
            self._summarise()
        self.update()

    # ------------------------------------------------------------ where things are

    @property
    def _has_names(self) -> bool:
        return self.width() >= _NAMES_FROM

    def _plot(self) -> QRectF:
        """Where the hour lies, from left to right; the zones begin further left, with their names."""
        left = _LEFT + (_NAMES if self._has_names else _LETTERS)
        lane = _LANE if self._has_lane else 0
        return QRectF(left, _TOP, max(1, self.width() - left - _RIGHT), max(1, self.height() - _TOP - _BOTTOM - lane))

    def position_of(self, exchange: Exchange) -> QPointF:
        """The centre of an exchange's mark."""
        plot = self._plot()
        x = plot.right() - (self._now_ms() - exchange.started_at_ms) / self._span_ms * plot.width()
        if exchange.score is None:
            return QPointF(x, plot.bottom() + _LANE / 2)
        return QPointF(x, plot.bottom() - exchange.score / 100 * plot.height())

    def exchange_at(self, point: QPointF) -> Exchange | None:
        """The exchange whose mark is nearest to a point, if one is near enough."""
        plot = self._plot()
        reach_ms = _REACH / plot.width() * self._span_ms
        here = self._now_ms() - (plot.right() - point.x()) / plot.width() * self._span_ms
        first = bisect.bisect_left(self._exchanges, here - reach_ms, key=_start)
        last = bisect.bisect_right(self._exchanges, here + reach_ms, key=_start)
        near = [(_distance(self.position_of(exchange), point), exchange) for exchange in self._exchanges[first:last]]
        distance, nearest = min(near, key=lambda pair: pair[0], default=(float("inf"), None))
        return nearest if distance <= _REACH else None

    # ------------------------------------------------------------ painting

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Wide and low."""
        return QSize(900, 240)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Paint the cached zones, the time axis and each mark from its cached picture."""
        painter = QPainter(self)
        if self._ground is None or self._ground.deviceIndependentSize().toSize() != self.size():
            self._ground = self._painted_ground()
        painter.drawPixmap(0, 0, self._ground)
        self._paint_time(painter)
        plot = self._plot()
        now, width, right = self._now_ms(), plot.width() / self._span_ms, plot.right() - _CELL / 2
        bottom, height, lane = plot.bottom() - _CELL / 2, plot.height() / 100, plot.bottom() + (_LANE - _CELL) / 2
        painted = set[tuple[int, int | None, str, str, str]]()
        for item in self._exchanges:
            ago = int((now - item.started_at_ms) * width)
            place = (ago, item.score, item.tier, item.method, item.error)
            if place not in painted:  # many at once lie on each other: one of them is seen
                painted.add(place)
                y = lane if item.score is None else bottom - item.score * height
                painter.drawPixmap(QPointF(right - ago, y), self._picture(item))
        self._paint_focus(painter)
        if not self._exchanges:
            painter.setFont(font(SMALL))
            painter.setPen(QColor(self._theme.palette.muted))
            zone = QRectF(plot.left(), plot.bottom() - self._boundaries.complex / 100 * plot.height(), plot.width(), _CELL)
            painter.drawText(zone, int(Qt.AlignmentFlag.AlignCenter), self._empty)

    def _painted_ground(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        ground = QPixmap(self.size() * ratio)
        ground.setDevicePixelRatio(ratio)
        ground.fill(Qt.GlobalColor.transparent)
        painter = QPainter(ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plot, palette = self._plot(), self._theme.palette
        edges = (0, self._boundaries.simple, self._boundaries.medium, self._boundaries.complex, 100)
        for tier in TIERS:
            low, high = edges[tier.rank], edges[tier.rank + 1]
            top = round(plot.bottom() - high / 100 * plot.height())
            bottom = round(plot.bottom() - low / 100 * plot.height())
            zone = QRectF(_LEFT, top, plot.right() - _LEFT, bottom - top)
            painter.fillRect(zone, QColor(palette.zone(tier)))
            painter.fillRect(QRectF(_LEFT, top, zone.width(), 1), QColor(palette.grid))
            self._paint_zone_name(painter, tier, zone)
        painter.setFont(font(SMALL))
        painter.setPen(QColor(palette.muted))
        for edge in edges:
            y = plot.bottom() - edge / 100 * plot.height()
            painter.drawText(QRectF(0, y - 8, _LEFT - 6, 16), int(_RIGHT_MIDDLE), str(edge))
        if self._has_lane:
            lane = QRectF(_LEFT + 10, plot.bottom(), _NAMES, _LANE)
            painter.drawText(lane, int(Qt.AlignmentFlag.AlignVCenter), text.NO_SCORE if self._has_names else shown.UNKNOWN)
        painter.end()
        return ground

    def _paint_zone_name(self, painter: QPainter, tier: Tier, zone: QRectF) -> None:
        if zone.height() < 18:
            return
        paint_shape(painter, tier, QPointF(zone.left() + 14, zone.top() + 12), _MARK, self._theme.palette.tier_fill(tier))
        painter.setFont(font(SMALL, is_strong=True))
        painter.setPen(QColor(self._theme.palette.tier(tier)))
        name = tier.value if self._has_names else LETTERS[tier]
        painter.drawText(QRectF(zone.left() + 23, zone.top() + 3, _NAMES, 18), int(Qt.AlignmentFlag.AlignVCenter), name)

    def _paint_time(self, painter: QPainter) -> None:
        plot, palette, now = self._plot(), self._theme.palette, self._now_ms()
        top = self.height() - _BOTTOM + 4
        painter.setFont(font(SMALL))
        painter.setPen(QColor(palette.text))
        painter.drawText(QRectF(plot.right() - 24, top, 48, 16), int(Qt.AlignmentFlag.AlignCenter), text.NOW)
        painter.setPen(QPen(QColor(palette.muted), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(plot.right(), plot.top()), QPointF(plot.right(), plot.bottom()))
        painter.setPen(QColor(palette.muted))
        for tick in time_ticks(now - self._span_ms, now, most=max(2, int(plot.width() // 90))):
            x = plot.right() - (now - tick) / self._span_ms * plot.width()
            if plot.left() + 16 < x < plot.right() - 48:
                words = shown.day(tick) if self._span_ms > 2 * _DAY_MS else shown.clock_minutes(tick)
                painter.drawText(QRectF(x - 30, top, 60, 16), int(Qt.AlignmentFlag.AlignCenter), words)

    def _picture(self, exchange: Exchange) -> QPixmap:
        tier = tier_named(exchange.tier)
        key = (tier, exchange.method == "sticky", bool(exchange.error))
        picture = self._marks.get(key)
        if picture is None:
            picture = self._marks[key] = self._painted_mark(*key)
        return picture

    def _painted_mark(self, tier: Tier | None, is_ringed: bool, is_crossed: bool) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(round(_CELL * ratio), round(_CELL * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, centre = self._theme.palette, QPointF(_CELL / 2, _CELL / 2)
        paint_shape(painter, tier, centre, _MARK, palette.tier_fill(tier))
        if is_ringed:
            painter.setPen(QPen(QColor(palette.tier_fill(tier)), 1))
            painter.drawEllipse(centre, 7.5, 7.5)
        if is_crossed:
            for pen in (QPen(QColor(palette.card), 4), QPen(QColor(palette.bad), 2)):
                painter.setPen(pen)
                painter.drawLine(centre + QPointF(-5, -5), centre + QPointF(5, 5))
                painter.drawLine(centre + QPointF(-5, 5), centre + QPointF(5, -5))
        painter.end()
        return picture

    def _paint_focus(self, painter: QPainter) -> None:
        for wanted, colour in ((self._hovered, self._theme.palette.muted), (self._focused, self._theme.palette.accent)):
            exchange = self._named(wanted)
            if exchange is not None and (wanted != self._focused or self.hasFocus()):
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(QPen(QColor(colour), 1.5))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(self.position_of(exchange), 10, 10)

    def _forget_pictures(self) -> None:
        self._ground = None
        self._marks.clear()
        self.update()

    # ------------------------------------------------------------ mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt's name
        """Tell about the mark beneath the mouse."""
        exchange = self.exchange_at(event.position())
        hovered = exchange.id if exchange else ""
        if hovered != self._hovered:
            self._hovered = hovered
            self.setCursor(Qt.CursorShape.PointingHandCursor if hovered else Qt.CursorShape.ArrowCursor)
            QToolTip.showText(event.globalPosition().toPoint(), text.strip_tip(exchange) if exchange else "", self)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802  Qt's name
        """Forget the mark beneath the mouse."""
        self._hovered = ""
        self.update()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt's name
        """Pick the mark beneath the mouse."""
        exchange = self.exchange_at(event.position())
        if exchange is not None and event.button() is Qt.MouseButton.LeftButton:
            self._focused = exchange.id
            self.picked.emit(exchange.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  Qt's name
        """Walk the marks with the arrow keys, Home and End; Return picks."""
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Home: -len(self._exchanges),
            Qt.Key.Key_End: len(self._exchanges),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is not None and self._exchanges:
            self._walk(step)
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and self._named(self._focused):
            self.picked.emit(self._focused)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802  Qt's name
        """Hide the keyboard's ring."""
        super().focusOutEvent(event)
        self.update()

    def _walk(self, step: int) -> None:
        order = [exchange.id for exchange in self._exchanges]
        here = order.index(self._focused) if self._focused in order else (len(order) if step < 0 else -1)
        exchange = self._exchanges[max(0, min(len(order) - 1, here + step))]
        self._focused = exchange.id
        self.setAccessibleDescription(text.strip_tip(exchange))
        point = self.position_of(exchange)
        QToolTip.showText(self.mapToGlobal(QPoint(round(point.x()) + 12, round(point.y()))), text.strip_tip(exchange), self)
        self.update()

    def _named(self, exchange_id: str) -> Exchange | None:
        return next((exchange for exchange in self._exchanges if exchange.id == exchange_id), None) if exchange_id else None

    # ------------------------------------------------------------ only in sight

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Start moving."""
        self._move()
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802  Qt's name
        """Stop moving."""
        self._timer.stop()
        super().hideEvent(event)


_RIGHT_MIDDLE: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def _start(exchange: Exchange) -> float:
    return exchange.started_at_ms


def _distance(first: QPointF, second: QPointF) -> float:
    offset = first - second
    return float((offset.x() ** 2 + offset.y() ** 2) ** 0.5)
