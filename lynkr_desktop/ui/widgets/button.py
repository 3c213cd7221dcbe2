"""Buttons in the few looks that the design knows. Holds no action of its own."""

from enum import StrEnum

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QWidget

from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.icons import pixmap

_SQUARE = 28  # side of an icon button


class ButtonKind(StrEnum):
    """How a button looks; shapes and colours are in the style sheet."""

    PLAIN = "plain"
    PRIMARY = "primary"  # the one next step; at most one in sight
    DANGER = "danger"  # deletes something
    QUIET = "quiet"  # no border until hovered
    ICON = "icon"  # a small square that shows an icon only
    PILL = "pill"  # filters and states of a header
    SWITCH = "switch"  # one of a few small alternatives
    TOOL = "tool"  # a small icon inside a card
    NAV = "nav"  # a page in the sidebar


class Button(QPushButton):
    """A push button. The mouse does not give it the focus ring, the keyboard does."""

    def __init__(self, text: str = "", kind: ButtonKind = ButtonKind.PLAIN, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("kind", kind.value)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if kind in {ButtonKind.SWITCH, ButtonKind.NAV}:
            self.setCheckable(True)

    def set_kind(self, kind: ButtonKind) -> None:
        """Look otherwise from now on."""
        if self.property("kind") != kind.value:
            self.setProperty("kind", kind.value)
            self.style().unpolish(self)
            self.style().polish(self)


class IconButton(Button):
    """A quiet button that shows one of our icons; `name` is what screen readers and the tool tip say."""

    def __init__(
        self, theme: Theme, icon: str, name: str, kind: ButtonKind = ButtonKind.ICON, parent: QWidget | None = None
    ) -> None:
        super().__init__("", kind, parent)
        self._theme = theme
        self._icon = icon
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setIconSize(QSize(16, 16))
        self.setFixedSize(_SQUARE, _SQUARE)
        theme.changed.connect(self._recolour)
        self._recolour()

    def _recolour(self) -> None:
        self.setIcon(pixmap(self._icon, self._theme.palette.muted, 16, self.devicePixelRatioF()))
