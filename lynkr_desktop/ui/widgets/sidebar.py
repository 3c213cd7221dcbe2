"""The sidebar: one button for each page, the program's name above and a small line at its foot. Knows no page."""

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from lynkr_desktop.ui import text
from lynkr_desktop.ui.theme import SPACE_4, SPACE_8, SPACE_12, SPACE_16, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.icons import pixmap
from lynkr_desktop.ui.widgets.label import Label, LabelKind

WIDE = 176
SLIM = 56


class Sidebar(QWidget):
    """`chosen` carries the key of the page. `set_slim` leaves the icons only, with the words as tool tips."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_slim = False
        self._buttons: dict[str, tuple[Button, str, str]] = {}  # key: button, title, icon
        self._group = QButtonGroup(self)
        self.setProperty("kind", "sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(text.NAVIGATION)
        self._name = Label(text.APPLICATION, LabelKind.SUBTITLE)
        self._mark = Label()
        self._foot = Label("", LabelKind.SMALL)
        self._pages = QVBoxLayout()
        self._pages.setSpacing(2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, SPACE_16, 10, SPACE_16)
        layout.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(SPACE_8, SPACE_4, SPACE_8, SPACE_12)
        head.setSpacing(SPACE_8)
        head.addWidget(self._mark)
        head.addWidget(self._name, 1)
        layout.addLayout(head)
        layout.addLayout(self._pages)
        layout.addStretch(1)
        foot = QHBoxLayout()
        foot.setContentsMargins(SPACE_8, 0, 0, 0)
        foot.addWidget(self._foot)
        layout.addLayout(foot)
        theme.changed.connect(self._recolour)
        self.set_slim(is_slim=False)

    def add(self, key: str, title: str, icon: str) -> None:
        """Add a page's button."""
        button = Button(title, ButtonKind.NAV)
        button.setIconSize(QSize(16, 16))
        button.setAccessibleName(title)
        button.clicked.connect(lambda: self.chosen.emit(key))
        button.toggled.connect(self._recolour)
        self._group.addButton(button)
        self._buttons[key] = (button, title, icon)
        self._pages.addWidget(button)
        self._word(button, title)
        self._recolour()

    def mark(self, key: str) -> None:
        """Show which page is open; one without a button leaves none marked."""
        if key in self._buttons:
            self._buttons[key][0].setChecked(True)
        elif (marked := self._group.checkedButton()) is not None:
            self._group.setExclusive(False)  # else Qt keeps one marked
            marked.setChecked(False)
            self._group.setExclusive(True)

    def set_foot(self, words: str) -> None:
        """Change the small line at the foot."""
        self._foot.setText(words)

    def set_slim(self, *, is_slim: bool) -> None:
        """Show icons only, or icons and words."""
        self._is_slim = is_slim
        self.setFixedWidth(SLIM if is_slim else WIDE)
        self._name.setVisible(not is_slim)
        self._foot.setVisible(not is_slim)
        for button, title, _ in self._buttons.values():
            self._word(button, title)
        self._recolour()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802  Qt's name
        """Redraw the icons for a screen with another pixel ratio."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._recolour()

    def _word(self, button: Button, title: str) -> None:
        button.setText("" if self._is_slim else f"  {title}")
        button.setToolTip(title if self._is_slim else "")

    def _recolour(self) -> None:
        palette, ratio = self._theme.palette, self.devicePixelRatioF()
        self._mark.setPixmap(pixmap("lynkr", palette.text, 20, ratio))
        for button, _, icon in self._buttons.values():
            colour = palette.text if button.isChecked() else palette.muted
            button.setIcon(pixmap(icon, colour, 16, ratio))
