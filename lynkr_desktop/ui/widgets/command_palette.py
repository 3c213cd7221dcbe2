"""A line to type a command into, over the window. Knows no command: whoever opens it gives them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QObject, QStringListModel, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QLineEdit, QListView, QVBoxLayout, QWidget

from lynkr_desktop.ui import text_palette as words
from lynkr_desktop.ui.theme import SPACE_8
from lynkr_desktop.ui.widgets.label import Label, LabelKind

_WIDTH: Final = 520
_TOP: Final = 72
_ROWS: Final = 10
_ROW: Final = 28


@dataclass(frozen=True, slots=True)
class PaletteCommand:
    """What can be done, and how."""

    title: str
    run: Callable[[], None]


class CommandPalette(QFrame):
    """`commands` gives what can be done, at each opening. Arrows choose, Enter does it, Escape closes."""

    def __init__(self, window: QWidget, commands: Callable[[], Sequence[PaletteCommand]]) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._all: Sequence[PaletteCommand] = ()
        self._shown: list[PaletteCommand] = []
        self._before: QWidget | None = None
        self.setProperty("kind", "card")
        self.setAccessibleName(words.PALETTE)
        self.line = _Line(self)
        self.line.setPlaceholderText(words.HINT)
        self.line.setAccessibleName(words.HINT)
        self.line.textChanged.connect(self._filter)
        self.list = QListView()
        self.list.setAccessibleName(words.PALETTE)
        self.list.setProperty("kind", "palette")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.clicked.connect(lambda _: self.run_chosen())
        self._titles = QStringListModel(self)
        self.list.setModel(self._titles)
        self._nothing = Label(words.NOTHING, LabelKind.MUTED)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_8, SPACE_8, SPACE_8, SPACE_8)
        layout.setSpacing(SPACE_8)
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        layout.addWidget(self._nothing)
        window.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Show it, with all commands; open already, it closes."""
        if self.isVisible():
            self.close_it()
            return
        self._before = self._window.focusWidget()
        self._all = self._commands()
        self.line.clear()
        self._filter("")
        self.show()
        self.raise_()
        self.line.setFocus()

    def close_it(self) -> None:
        """Hide it; the keyboard goes back to where it was."""
        if self.isVisible():
            self.hide()
            if self._before is not None:
                self._before.setFocus()

    @property
    def titles(self) -> list[str]:
        """The commands that fit what is typed."""
        return [command.title for command in self._shown]

    def step(self, rows: int) -> None:
        """Choose another command."""
        row = self.list.currentIndex().row() + rows
        self.list.setCurrentIndex(self._titles.index(max(0, min(row, len(self._shown) - 1)), 0))

    def run_chosen(self) -> None:
        """Do the chosen command."""
        row = self.list.currentIndex().row()
        if 0 <= row < len(self._shown):
            command = self._shown[row]
            self.close_it()
            command.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  Qt's name
        """Stay in the middle of the window."""
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _filter(self, typed: str) -> None:
        """A command fits if it holds all words that were typed, or beginnings of them, in any order."""
        wanted = typed.casefold().split()
        self._shown = [each for each in self._all if all(word in each.title.casefold() for word in wanted)]
        self._titles.setStringList(self.titles)
        self.list.setVisible(bool(self._shown))
        self._nothing.setVisible(not self._shown)
        if self._shown:
            self.list.setCurrentIndex(self._titles.index(0, 0))
        self._place()

    def _place(self) -> None:
        self.list.setFixedHeight(max(1, min(len(self._shown), _ROWS)) * _ROW + 2)
        self.setFixedWidth(min(_WIDTH, self._window.width() - 2 * SPACE_8))
        self.adjustSize()
        self.move((self._window.width() - self.width()) // 2, min(_TOP, self._window.height() // 8))


class _Line(QLineEdit):
    """The line: its arrows move in the list below."""

    def __init__(self, palette: CommandPalette) -> None:
        super().__init__(palette)
        self._owner = palette

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  Qt's name
        """Arrows, Enter and Escape belong to the list."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -_ROWS, Qt.Key.Key_PageDown: _ROWS}
        key = Qt.Key(event.key())
        if key in steps:
            self._owner.step(steps[key])
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._owner.run_chosen()
        elif key is Qt.Key.Key_Escape:
            self._owner.close_it()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802  Qt's name
        """Who goes elsewhere closes it. Another window in front does not."""
        super().focusOutEvent(event)
        if event.reason() not in {Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason}:
            self._owner.hide()
