"""The header's pills: the mode with its menu, the endpoint that a click copies, the health of all providers."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QMenu, QStyle, QStyleOptionButton, QWidget

from lynkr_desktop.config.settings import Mode, Settings
from lynkr_desktop.engine.api import Snapshot
from lynkr_desktop.ui import text
from lynkr_desktop.ui.modes import mode_choices
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.health import SIZE, health_sign
from lynkr_desktop.ui.widgets.icons import pixmap

_SAYS_COPIED_MS = 1200
_GAP = 6


class _IconPill(Button):
    """A button of words and an icon that follows the theme, the icon before the words or after them."""

    def __init__(
        self, theme: Theme, size: int, parent: QWidget | None = None, *, is_last: bool = False, kind: ButtonKind = ButtonKind.PILL
    ) -> None:
        super().__init__("", kind, parent)
        self._theme = theme
        self._size = size
        self._is_last = is_last
        self._margin = 12 if kind is ButtonKind.PILL else 6
        self.setCheckable(False)
        theme.changed.connect(self.update)

    def picture(self) -> QPixmap:
        """The icon now."""
        raise NotImplementedError

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Words, icon, a gap between them and a margin around."""
        self.ensurePolished()
        words = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(words + self._size + _GAP + 2 * self._margin, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """All of it."""
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Let the style paint the shape, then paint words and icon where they belong."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text, words = "", option.text
        painter = QPainter(self)
        self.style().drawControl(QStyle.ControlElement.CE_PushButton, option, painter, self)
        width = self.fontMetrics().horizontalAdvance(words)
        left = (self.width() - width - self._size - _GAP) / 2
        words_left, icon_left = (left, left + width + _GAP) if self._is_last else (left + self._size + _GAP, left)
        painter.setPen(self.palette().buttonText().color())
        painter.drawText(QRectF(words_left, 0, width + 2, self.height()), int(Qt.AlignmentFlag.AlignVCenter), words)
        painter.drawPixmap(QPointF(round(icon_left), round((self.height() - self._size) / 2)), self.picture())


class MenuPill(_IconPill):
    """A pill that opens a menu. Fill `choices`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, kind: ButtonKind = ButtonKind.PILL) -> None:
        super().__init__(theme, 12, parent, is_last=True, kind=kind)
        self.choices = QMenu(self)
        self.choices.setToolTipsVisible(True)
        self.setMenu(self.choices)

    def picture(self) -> QPixmap:
        """A small arrow down."""
        return pixmap("chevron-down", self._theme.palette.muted, 12, self.devicePixelRatioF())


class ModePill(MenuPill):
    """Shows the routing mode; `chosen` carries another one. Modes that nothing is set up for are there, but cannot be chosen."""

    chosen = Signal(object)

    def show_settings(self, settings: Settings) -> None:
        """Show the mode of these settings and what else could be chosen."""
        routing = settings.routing
        self.setText(text.mode_title(routing.mode))
        self.setAccessibleName(text.mode_name_for_readers(routing.mode))
        self.choices.clear()
        for choice in mode_choices(settings):
            self._add(choice.mode, routing.mode, choice.obstacle)

    def _add(self, mode: Mode, current: Mode, obstacle: str) -> None:
        action = self.choices.addAction(text.mode_title(mode))
        action.setCheckable(True)
        action.setChecked(mode == current)
        action.setEnabled(not obstacle)
        action.setToolTip(obstacle)
        action.triggered.connect(lambda: self.chosen.emit(mode))


class EndpointPill(_IconPill):
    """Shows the endpoint's address; a click copies it and says so for a moment."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, 14, parent, is_last=True)
        self._url = ""
        self._timer = QTimer(self, singleShot=True, interval=_SAYS_COPIED_MS)
        self._timer.timeout.connect(self._show)
        self.setToolTip(text.COPY_ENDPOINT)
        self.clicked.connect(self._copy)
        self._show()

    def picture(self) -> QPixmap:
        """Two sheets, or a check mark after copying."""
        return pixmap("check" if self._timer.isActive() else "copy", self._theme.palette.muted, 14, self.devicePixelRatioF())

    def show_url(self, url: str) -> None:
        """Show this address; empty while nothing serves."""
        if url != self._url:
            self._url = url
            self._timer.stop()
            self._show()

    def _show(self) -> None:
        self.setText(self._url)
        self.setVisible(bool(self._url))
        self.setAccessibleName(f"{self._url}, {text.COPY_ENDPOINT}")
        self.setMinimumWidth(0)
        self.update()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._url)
        self._timer.start()
        self.setMinimumWidth(self.width())
        self.setText(text.COPIED)


class HealthPill(_IconPill):
    """One claim about all providers, with the sign of the worst; a click goes to them."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, SIZE, parent)
        self._state = "unknown"

    def picture(self) -> QPixmap:
        """The sign of the worst state."""
        return health_sign(self._theme.palette, self._state, self.devicePixelRatioF())

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the providers of a snapshot."""
        states = {account.state for account in snapshot.accounts}
        worst = next((state for state in ("failing", "no_key", "slow", "healthy") if state in states), "unknown")
        self._state = worst if snapshot.is_serving else "failing"
        self.setText(text.health_line(snapshot.accounts, is_serving=snapshot.is_serving))
        self.setAccessibleName(self.text())
        self.update()
