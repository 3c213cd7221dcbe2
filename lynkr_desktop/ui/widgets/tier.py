"""The four tiers' shapes and chips: drawn here once, used everywhere. A tier is never told by its colour alone."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from lynkr_desktop.config.settings import TIERS, Tier
from lynkr_desktop.ui.palette import Palette
from lynkr_desktop.ui.theme import SMALL, Theme, font

LETTERS: Final = {Tier.SIMPLE: "S", Tier.MEDIUM: "M", Tier.COMPLEX: "C", Tier.REASONING: "R"}
CHIP_HEIGHT: Final = 20
_SHAPE: Final = 8.0
_PADDING: Final = 8
_GAP: Final = 5


def tier_named(name: str) -> Tier | None:
    """The tier of that name; None for an exchange without one (Direct mode)."""
    return Tier(name) if name in TIERS else None


def shape_path(tier: Tier | None, centre: QPointF, size: float) -> QPainterPath:
    """The outline of a tier's shape; `size` is the side of the square around a circle. All shapes look equally heavy.

    SIMPLE is a circle, MEDIUM a square, COMPLEX a diamond, REASONING a triangle; no tier is a flat bar.
    """
    path = QPainterPath()
    half = size / 2
    x, y = centre.x(), centre.y()
    match tier:
        case Tier.SIMPLE:
            path.addEllipse(centre, half, half)
        case Tier.MEDIUM:
            side = half * 0.92
            path.addRect(QRectF(x - side, y - side, 2 * side, 2 * side))
        case Tier.COMPLEX:
            reach = half * 1.2
            corners = ((x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y))
            path.addPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
        case Tier.REASONING:
            reach = half * 1.12
            corners_up = ((x, y - reach), (x + reach, y + reach * 0.85), (x - reach, y + reach * 0.85))
            path.addPolygon(QPolygonF([QPointF(*corner) for corner in corners_up]))
        case None:
            path.addRect(QRectF(x - half, y - half * 0.35, size, size * 0.35 * 2))
    path.closeSubpath()
    return path


def paint_shape(painter: QPainter, tier: Tier | None, centre: QPointF, size: float, colour: str) -> None:
    """Fill a tier's shape."""
    painter.fillPath(shape_path(tier, centre, size), QColor(colour))


def chip_words(tier: Tier | None, *, is_full: bool) -> str:
    """What a chip says: the letter, or the whole name. Without a tier it says that the model was chosen directly."""
    if tier is None:
        return "DIRECT" if is_full else "D"
    return tier.value if is_full else LETTERS[tier]


def chip_width(words: str) -> int:
    """How wide a chip with these words is."""
    return _PADDING * 2 + round(_SHAPE) + _GAP + QFontMetrics(font(SMALL, is_strong=True)).horizontalAdvance(words)


def paint_chip(painter: QPainter, area: QRectF, tier: Tier | None, words: str, palette: Palette) -> None:
    """Paint a chip at the left of `area`, centred from top to bottom."""
    width = chip_width(words)
    top = area.top() + (area.height() - CHIP_HEIGHT) / 2
    outline = QRectF(area.left() + 0.5, top + 0.5, width - 1, CHIP_HEIGHT - 1)
    colour = QColor(palette.tier(tier))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(outline, CHIP_HEIGHT / 2, CHIP_HEIGHT / 2)
    paint_shape(painter, tier, QPointF(outline.left() + _PADDING + _SHAPE / 2, outline.center().y()), _SHAPE, palette.tier(tier))
    painter.setFont(font(SMALL, is_strong=True))
    words_area = outline.adjusted(_PADDING + _SHAPE + _GAP, 0, 0, 0)
    painter.drawText(words_area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)


class TierChip(QWidget):
    """A tier's shape and letter, or its whole name, in a rounded outline."""

    def __init__(
        self, theme: Theme, tier: Tier | None, *, is_full: bool = False, note: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_full = is_full
        self._tier = tier
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.show_tier(tier, note)

    def show_tier(self, tier: Tier | None, note: str = "") -> None:
        """Show another tier; `note` (a score, say) stands in place of the letter."""
        self._tier = tier
        self._words = note or chip_words(tier, is_full=self._is_full)
        self.setAccessibleName(f"{chip_words(tier, is_full=True)} {note}".strip())
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """As large as its words."""
        return QSize(chip_width(self._words), CHIP_HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Paint the chip."""
        paint_chip(QPainter(self), QRectF(self.rect()), self._tier, self._words, self._theme.palette)
