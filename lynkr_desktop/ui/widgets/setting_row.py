"""Rows of a settings card: a name at the left, a control at the right, a small line under them. Knows no setting."""

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from lynkr_desktop.ui.theme import SPACE_8, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.tick import Tick

_NAME_WIDTH = 150
_SURE_MS = 5000


class SettingRow(QWidget):
    """`say` shows the outcome of the last change in place of the hint; `hint` is what stands there otherwise."""

    def __init__(self, name: str, *controls: QWidget, hint: str = "", fills: bool = False) -> None:
        super().__init__()
        self._hint = hint
        self._line = Label("", LabelKind.SMALL, wraps=True)
        across = QHBoxLayout()
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(SPACE_8)
        if name:
            label = Label(name)
            label.setMinimumWidth(_NAME_WIDTH)
            across.addWidget(label)
        for control in controls:
            across.addWidget(control, 1 if fills and control is controls[0] else 0)
        if not fills:
            across.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(across)
        layout.addWidget(self._line)
        self.say("")

    def say(self, words: str, kind: LabelKind = LabelKind.SMALL) -> None:
        """Show an outcome; empty shows the hint again."""
        self._line.setText(words or self._hint)
        self._line.set_kind(kind if words else LabelKind.SMALL)
        self._line.setVisible(bool(words or self._hint))

    def set_hint(self, hint: str) -> None:
        """Another hint from now on. An outcome that is shown stays."""
        is_said = self._line.text() not in {"", self._hint}
        self._hint = hint
        if not is_said:
            self.say("")


class CheckRow(QWidget):
    """A box to tick with its sentence; `changed` comes when the user ticks. `say` works as in `SettingRow`."""

    changed = Signal(bool)

    def __init__(self, theme: Theme, name: str, hint: str = "") -> None:
        super().__init__()
        self._hint = hint
        self.box = Tick(theme, name)
        self.box.setAccessibleDescription(hint)
        self.box.clicked.connect(self.changed)
        self._line = Label("", LabelKind.SMALL, wraps=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.box)
        layout.addWidget(self._line)
        self.say("")

    def say(self, words: str, kind: LabelKind = LabelKind.SMALL) -> None:
        """Show an outcome; empty shows the hint again."""
        self._line.setText(words or self._hint)
        self._line.set_kind(kind if words else LabelKind.SMALL)
        self._line.setVisible(bool(words or self._hint))


class ValueField(QLineEdit):
    """A short line. `entered` carries what was typed once the user is done and it differs; Escape takes it back."""

    entered = Signal(str)

    def __init__(self, name: str, width: int) -> None:
        super().__init__()
        self._shown = ""
        self.setAccessibleName(name)
        self.setFixedWidth(width)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.editingFinished.connect(self._finish)

    def show_value(self, value: str) -> None:
        """Show a value that is in use. What the user is typing stays."""
        if self.text() == self._shown:
            self.setText(value)
        self._shown = value

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  Qt's name
        """Escape shows the value in use again."""
        if event.key() == Qt.Key.Key_Escape and self.text() != self._shown:
            self.setText(self._shown)
            return
        super().keyPressEvent(event)

    def _finish(self) -> None:
        typed = self.text().strip()
        if typed != self._shown:
            self.entered.emit(typed)


class SureButton(Button):
    """A button for what cannot be undone: the first press asks, a second one within a few seconds does it."""

    confirmed = Signal()

    def __init__(self, words: str, sure: str, kind: ButtonKind = ButtonKind.DANGER) -> None:
        super().__init__(words, kind)
        self._words, self._sure = words, sure
        self._timer = QTimer(self, singleShot=True, interval=_SURE_MS)
        self._timer.timeout.connect(self.calm_down)
        self.on_asked: Callable[[bool], None] = lambda _: None
        self.clicked.connect(self._press)

    @property
    def is_asking(self) -> bool:
        """Does it wait for the second press?"""
        return self._timer.isActive()

    def calm_down(self) -> None:
        """Ask no more."""
        self._timer.stop()
        self.setText(self._words)
        self.on_asked(False)

    def _press(self) -> None:
        if self.is_asking:
            self.calm_down()
            self.confirmed.emit()
            return
        self.setText(self._sure)
        self._timer.start()
        self.on_asked(True)


def buttons(*each: QWidget) -> QWidget:
    """Controls beside each other, at the left."""
    row = QWidget()
    row.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACE_8)
    for widget in each:
        layout.addWidget(widget)
    layout.addStretch(1)
    return row
