"""Words on the screen: one label in the few looks that the design knows. Holds no sentence of its own."""

from enum import StrEnum

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget


class LabelKind(StrEnum):
    """How a label looks; sizes and colours are in the style sheet."""

    BODY = "body"  # 13
    MUTED = "muted"  # 13, secondary
    SMALL = "small"  # 11, secondary
    STRONG = "strong"  # 13, semibold: titles of cards
    SUBTITLE = "subtitle"  # 15
    TITLE = "title"  # 20: titles of pages
    FIGURE = "figure"  # 28: big numbers
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Label(QLabel):
    """Plain text in one look. `wraps` breaks long text into lines."""

    def __init__(
        self, text: str = "", kind: LabelKind = LabelKind.BODY, *, wraps: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wraps)
        self.setProperty("kind", kind.value)

    def set_kind(self, kind: LabelKind) -> None:
        """Look otherwise from now on."""
        if self.property("kind") != kind.value:
            self.setProperty("kind", kind.value)
            self.style().unpolish(self)
            self.style().polish(self)


class ElidedLabel(Label):
    """One line that ends with … where the space does; the whole text is the tool tip then."""

    def __init__(self, text: str = "", kind: LabelKind = LabelKind.BODY, parent: QWidget | None = None) -> None:
        super().__init__(text, kind, parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Almost no width: eliding is the point."""
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Paint as much as fits."""
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        self.setToolTip(self.text() if shown != self.text() else "")
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self.alignment()), shown)


class Rule(QFrame):
    """A hairline across."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "rule")
        self.setFixedHeight(1)
