"""The four states of a page or card: loading, empty, error, content. Its words come from whoever shows it."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, SPACE_24
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.label import Label, LabelKind

_PATIENCE_MS = 150  # an answer that comes sooner never shows "loading"
_LINE_WIDTH = 420


class StatePanel(QWidget):
    """A title, one or two sentences and the one next step, in the middle. `pressed` is that step's button."""

    pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = Label("", LabelKind.SUBTITLE)
        self._detail = Label("", LabelKind.MUTED, wraps=True)
        self._button = Button("", ButtonKind.PRIMARY)
        self._button.clicked.connect(self.pressed)
        for label in (self._title, self._detail):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._detail.setFixedWidth(_LINE_WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_24, SPACE_24, SPACE_24, SPACE_24)
        layout.setSpacing(SPACE_8)
        layout.addStretch(2)
        layout.addWidget(self._title, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._detail, 0, Qt.AlignmentFlag.AlignHCenter)
        row = QHBoxLayout()
        row.setContentsMargins(0, SPACE_12, 0, 0)
        row.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addLayout(row)
        layout.addStretch(3)

    def say(self, title: str, detail: str = "", button: str = "") -> None:
        """Show these words; without `button` there is none."""
        self._title.setText(title)
        self._detail.setText(detail)
        self._detail.setMinimumHeight(max(0, self._detail.heightForWidth(_LINE_WIDTH)))
        self._detail.setVisible(bool(detail))
        self._detail.setMinimumHeight(max(0, self._detail.heightForWidth(_LINE_WIDTH)))
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self.setAccessibleName(title)
        self.setAccessibleDescription(detail)


class StateStack(QStackedWidget):
    """Shows `content` or a state in its place. `pressed` carries the state whose button was pressed: empty or error."""

    pressed = Signal(str)

    def __init__(self, content: QWidget, loading: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self._panel = StatePanel()
        self._state = "content"
        self._loading = loading
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._patience.timeout.connect(self._lose_patience)
        self._panel.pressed.connect(lambda: self.pressed.emit(self._state))
        self.addWidget(content)
        self.addWidget(self._panel)

    @property
    def state(self) -> str:
        """`content`, `loading`, `empty` or `error`."""
        return self._state

    def show_content(self) -> None:
        """Show the content."""
        self._patience.stop()
        self._state = "content"
        self.setCurrentWidget(self._content)

    def show_loading(self) -> None:
        """Say that something loads, unless it is there at once."""
        if self._state != "loading":
            self._state = "loading"
            self._patience.start()

    def show_empty(self, title: str, detail: str = "", button: str = "") -> None:
        """Say that there is nothing yet, and the next step."""
        self._show("empty", title, detail, button)

    def show_error(self, title: str, detail: str = "", button: str = "") -> None:
        """Say what failed, why, and the next step."""
        self._show("error", title, detail, button)

    def _show(self, state: str, title: str, detail: str, button: str) -> None:
        self._patience.stop()
        self._state = state
        self._panel.say(title, detail, button)
        self.setCurrentWidget(self._panel)

    def _lose_patience(self) -> None:
        self._panel.say(self._loading)
        self.setCurrentWidget(self._panel)
