"""Pick one of a few: a button that shows the choice and opens a menu. Knows only keys and words."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QStyle, QStyleOptionButton, QWidget

from lynkr_desktop.ui.theme import SPACE_8, Theme
from lynkr_desktop.ui.widgets.button import Button
from lynkr_desktop.ui.widgets.icons import pixmap

_ARROW = 16


class Choice(Button):
    """`chosen` carries the key that the user picked. `name` is what screen readers say before the choice."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._theme = theme
        self._name = name
        self._options: Sequence[tuple[str, str]] = ()
        self._key = ""
        self._menu = QMenu(self)
        self.setMenu(self._menu)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._menu.aboutToShow.connect(lambda: self._menu.setMinimumWidth(self.width()))
        theme.changed.connect(self.update)

    @property
    def key(self) -> str:
        """The key of what is chosen; empty if there is nothing to choose."""
        return self._key

    def offer(self, options: Sequence[tuple[str, str]], key: str = "") -> None:
        """Offer keys with their words. Chosen is `key`, or else the first."""
        self._options = options
        self._menu.clear()
        for each, words in options:
            action = self._menu.addAction(words.replace("&", "&&"))
            action.triggered.connect(lambda _checked=False, each=each: self._pick(each))
        self.choose(key if any(key == each for each, _ in options) else next((each for each, _ in options), ""))

    def choose(self, key: str) -> None:
        """Show another choice, without telling."""
        self._key = key
        words = next((words for each, words in self._options if each == key), "")
        self.setAccessibleDescription(words)
        self.setText(words)

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Room for the arrow."""
        hint = super().sizeHint()
        return QSize(hint.width() + _ARROW, hint.height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Long words are elided."""
        return QSize(80, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """The button's ground, the words at the left, the arrow at the right."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        painter = QPainter(self)
        self.style().drawControl(QStyle.ControlElement.CE_PushButton, option, painter, self)
        area = self.rect().adjusted(SPACE_8 + 4, 0, -SPACE_8 - _ARROW, 0)
        words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, area.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)
        arrow = pixmap("chevron-down", self._theme.palette.muted, _ARROW, self.devicePixelRatioF())
        painter.drawPixmap(self.width() - SPACE_8 - _ARROW, (self.height() - _ARROW) // 2, arrow)

    def _pick(self, key: str) -> None:
        if key != self._key:
            self.choose(key)
            self.chosen.emit(key)
