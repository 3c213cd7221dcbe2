"""A page's content that scrolls up and down. Its right edge stays in line with the header, with and without the scroll bar."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLayout, QScrollArea, QWidget

from lynkr_desktop.ui.theme import SPACE_24


class PageScroll(QScrollArea):
    """Shows `content` as wide as there is room, with the page's margin at its right and below."""

    def __init__(self, content: QLayout, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        inside = QWidget()
        inside.setProperty("kind", "bare")
        inside.setLayout(content)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.verticalScrollBar().rangeChanged.connect(self._keep_edge)
        self._keep_edge(0, 0)

    def _keep_edge(self, _lowest: int, highest: int) -> None:
        bar = self.verticalScrollBar().sizeHint().width() if highest else 0
        self._content.setContentsMargins(0, 0, max(0, SPACE_24 - bar), SPACE_24)
