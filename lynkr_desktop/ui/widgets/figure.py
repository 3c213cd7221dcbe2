"""A big number with its name, a line of context and a sparkline, in a card of its own."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import TIERS
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui.theme import SMALL, SPACE_4, SPACE_12, SPACE_16, Theme, font
from lynkr_desktop.ui.widgets.label import ElidedLabel, Label, LabelKind
from lynkr_desktop.ui.widgets.sparkline import Sparkline
from lynkr_desktop.ui.widgets.tier import paint_shape


class Figure(QFrame):
    """`name` above, the number, and beneath it a line that says what the number counts."""

    def __init__(self, theme: Theme, name: str, below: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._name = Label(name, LabelKind.SMALL)
        self._number = Label(shown.UNKNOWN, LabelKind.FIGURE)
        self._line = Sparkline(theme)
        self._below = ElidedLabel("", LabelKind.SMALL)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_16, SPACE_12, SPACE_16, SPACE_12)
        layout.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(SPACE_12)
        row.addWidget(self._number)
        row.addWidget(self._line, 1, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self._name)
        layout.addLayout(row)
        layout.addSpacing(SPACE_4)
        layout.addWidget(below or self._below)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_number(self, number: str, below: str = "", *, name: str = "") -> None:
        """Show a number and the line beneath it; `name` renames the figure."""
        if name:
            self._name.setText(name)
        self._number.setText(number)
        self._below.setText(below)
        self.setAccessibleName(f"{self._name.text()}: {number}")
        self.setAccessibleDescription(below)

    def show_line(self, values: Sequence[float]) -> None:
        """Show how the number moved."""
        self._line.show_values(values)


class TierSplit(QWidget):
    """Shares of the four tiers in one small line: each tier's shape and its percentage."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: tuple[str, ...] = ()
        self._empty = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_counts(self, counts: Mapping[str, int], empty: str) -> None:
        """Show these requests by tier; `empty` stands there if there are none."""
        total = sum(counts.get(tier, 0) for tier in TIERS)
        self._parts = tuple(_whole_percent(counts.get(tier, 0), total) for tier in TIERS) if total else ()
        self._empty = empty
        words = ", ".join(f"{tier} {part}" for tier, part in zip(TIERS, self._parts, strict=False)) or empty
        self.setAccessibleName(words)
        self.setToolTip(words if self._parts else "")
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """As high as a small label."""
        return QSize(160, QFontMetrics(font(SMALL)).height())

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Paint shapes and shares, as many as fit."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(SMALL))
        painter.setPen(QColor(self._theme.palette.muted))
        metrics = painter.fontMetrics()
        baseline = (self.height() + metrics.ascent() - metrics.descent()) / 2
        if not self._parts:
            painter.drawText(QPointF(0, baseline), self._empty)
        wide = sum(metrics.horizontalAdvance(part) + 22 for part in self._parts) <= self.width() + 10
        left = 0.0
        for tier, part in zip(TIERS, self._parts, strict=False):
            paint_shape(painter, tier, QPointF(left + 5, self.height() / 2), 7, self._theme.palette.tier_fill(tier))
            left += 13 if wide else 11
            painter.drawText(QPointF(left, baseline), part)
            left += metrics.horizontalAdvance(part) + (9 if wide else 5)


def _whole_percent(part: int, total: int) -> str:
    share = 100 * part / total
    return "< 1 %" if 0 < share < 0.5 else f"{share:.0f} %"
