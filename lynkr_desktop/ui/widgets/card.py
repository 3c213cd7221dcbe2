"""A card: a bordered surface with a title at its left and a note or controls at its right. Holds no content of its own."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from lynkr_desktop.ui.theme import SPACE_8, SPACE_16
from lynkr_desktop.ui.widgets.label import ElidedLabel, Label, LabelKind

_HEADER = 28


class Card(QFrame):
    """Put content into `body`, controls into the header with `add_to_header`."""

    def __init__(self, title: str = "", note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_16, SPACE_8, SPACE_16, SPACE_16)
        layout.setSpacing(SPACE_8)
        self._header = QHBoxLayout()
        self._header.setSpacing(SPACE_8)
        self._title = Label(title, LabelKind.STRONG)
        self._title.setMinimumHeight(_HEADER)  # as high as a control beside it, so that cards in a row line up
        self._note = ElidedLabel(note, LabelKind.SMALL)
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._header.addWidget(self._title)
        self._header.addWidget(self._note, 1)
        self.body = QVBoxLayout()
        self.body.setSpacing(SPACE_8)
        if title:
            self.setAccessibleName(title)
            layout.addLayout(self._header)
        layout.addLayout(self.body, 1)

    def set_title(self, title: str) -> None:
        """Change the title of a card that has one."""
        self._title.setText(title)
        self.setAccessibleName(title)

    def set_note(self, note: str) -> None:
        """Change the small text at the header's right."""
        self._note.setText(note)

    def add_to_header(self, widget: QWidget) -> None:
        """Add a control at the header's right."""
        self._header.addWidget(widget)
