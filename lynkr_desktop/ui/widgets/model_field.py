"""A model's name: free text with the known names to pick from. Knows no account; the names come from outside."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView, QWidget

from lynkr_desktop.ui import text_setup
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.icons import pixmap

_SHOWN: Final = 12


class ModelField(QLineEdit):
    """A line whose list narrows to what is typed, anywhere in the name; the arrow shows all."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._names = QStringListModel(self)
        self._completer = QCompleter(self._names, self)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self._completer.setMaxVisibleItems(_SHOWN)
        names = QListView()
        names.setProperty("kind", "popup")
        self._completer.setPopup(names)
        self.setCompleter(self._completer)
        self.setPlaceholderText(text_setup.MODEL_HINT)
        self.setAccessibleName(text_setup.MODEL)
        self._arrow = QAction(text_setup.SHOW_MODELS, self)
        self._arrow.triggered.connect(self._show_all)
        self._arrow.setVisible(False)
        self.addAction(self._arrow, QLineEdit.ActionPosition.TrailingPosition)
        theme.changed.connect(self._recolour)
        self._recolour()

    @property
    def model(self) -> str:
        """The name as it stands, without spaces around it."""
        return self.text().strip()

    @property
    def names(self) -> list[str]:
        """The names that are offered."""
        return self._names.stringList()

    def offer(self, names: Sequence[str]) -> None:
        """Offer these names; what is typed stays."""
        self._names.setStringList(list(names))
        self._arrow.setVisible(bool(names))

    def _show_all(self) -> None:
        self._completer.setCompletionPrefix("")
        self._completer.complete()

    def _recolour(self) -> None:
        self._arrow.setIcon(QIcon(pixmap("chevron-down", self._theme.palette.muted, 16, self.devicePixelRatioF())))
