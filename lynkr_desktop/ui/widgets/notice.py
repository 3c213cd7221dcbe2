"""A strip that says what is wrong, only while something is. Decides nothing."""

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from lynkr_desktop.engine.events import Trouble
from lynkr_desktop.ui.language import say_back
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, Theme
from lynkr_desktop.ui.widgets.icons import pixmap
from lynkr_desktop.ui.widgets.label import Label, LabelKind


class Notice(QFrame):
    """A warning sign, what is wrong and what to do. Hidden while there is nothing to say."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setProperty("kind", "notice")
        self._sign = Label()
        self._words = Label("", LabelKind.BODY, wraps=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_12, SPACE_8, SPACE_12, SPACE_8)
        layout.setSpacing(SPACE_8)
        layout.addWidget(self._sign)
        layout.addWidget(self._words, 1)
        theme.changed.connect(self._recolour)
        self._recolour()
        self.say("")

    def show_troubles(self, troubles: Sequence[Trouble], note: str = "") -> None:
        """Show what is wrong now, one line each; `note` is the engine's own."""
        lines = [f"{say_back(trouble.title)} {say_back(trouble.detail)}".strip() for trouble in troubles if not trouble.is_over]
        self._show("\n".join([*lines, *([say_back(note)] if note else [])]))

    def say(self, title: str, detail: str = "") -> None:
        """Show one thing that is wrong; an empty title hides the strip."""
        self._show(f"{title} {detail}".strip())

    def _show(self, words: str) -> None:
        self._words.setText(words)
        self.setAccessibleName(words)
        self.setVisible(bool(words))

    def _recolour(self) -> None:
        self._sign.setPixmap(pixmap("warning", self._theme.palette.warning, 16, self.devicePixelRatioF()))
