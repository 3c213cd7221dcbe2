"""The main window: a sidebar and the pages that the composition root adds. Knows no page by name."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QByteArray, Qt, Signal, SignalInstance
from PySide6.QtGui import QCloseEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QWidget

from lynkr_desktop import __version__
from lynkr_desktop.ui import text
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.sidebar import Sidebar

FIRST_SIZE: Final = (1180, 780)
SMALLEST: Final = (640, 480)
_SLIM_BELOW: Final = 960  # pixels of width under which the sidebar shows icons only


class MainWindow(QMainWindow):
    """Pages by key. `Ctrl+1` to `Ctrl+9` open them in the order of adding, `Ctrl+F` goes to the open page's filter,
    `Ctrl+K` or `Ctrl+Shift+P` emits `palette_wanted`.

    `load_geometry` and `save_geometry` keep size and place as opaque bytes; empty means none yet. When the user closes the
    window it hides if `hides_on_close()` says so (a tray icon can bring it back); otherwise `closed` is emitted.
    """

    closed = Signal()

    def __init__(
        self,
        theme: Theme,
        desk: Desk,
        *,
        load_geometry: Callable[[], bytes],
        save_geometry: Callable[[bytes], None],
        hides_on_close: Callable[[], bool],
    ) -> None:
        super().__init__()
        self._desk = desk
        self._save_geometry = save_geometry
        self._hides_on_close = hides_on_close
        self._keys: list[str] = []
        self._titles: dict[str, str] = {}
        self._finders: dict[str, Callable[[], None]] = {}
        self.setWindowTitle(text.APPLICATION)
        self.setMinimumSize(*SMALLEST)
        self._sidebar = Sidebar(theme)
        self._pages = QStackedWidget()
        centre = QWidget()
        centre.setProperty("kind", "page")
        layout = QHBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._sidebar)
        layout.addWidget(self._pages, 1)
        self.setCentralWidget(centre)
        centre.setFocus()  # else Qt gives the first button a focus ring that nobody asked for
        self._sidebar.chosen.connect(self.show_page)
        desk.signals.snapshot_changed.connect(self._show_state)
        self._show_state()
        self._on_key(QKeySequence(QKeySequence.StandardKey.Find), self._find)
        self.palette_wanted = self._palette_keys()
        self.resize(*FIRST_SIZE)
        geometry = load_geometry()
        if geometry:
            self.restoreGeometry(QByteArray(geometry))

    def add_page(
        self,
        key: str,
        title: str,
        icon: str,
        page: QWidget,
        *,
        find: Callable[[], None] | None = None,
        keys: str = "",
        is_listed: bool = True,
    ) -> None:
        """Add a page at the end; the first one is open at once. `icon` names a file of `ui/assets`.

        `find` puts the keyboard into the page's filter, if it has one; `keys` is one more shortcut. A page that is not listed
        has no place in the sidebar; add such pages last.
        """
        self._keys.append(key)
        if find is not None:
            self._finders[key] = find
        self._pages.addWidget(page)
        if not is_listed:
            return
        self._titles[key] = title
        self._sidebar.add(key, title, icon)
        if len(self._keys) <= 9:
            self._on_key(QKeySequence(f"Ctrl+{len(self._keys)}"), lambda: self.show_page(key))
        if keys:
            self._on_key(QKeySequence(keys), lambda: self.show_page(key))
        if len(self._keys) == 1:
            self.show_page(key)

    @property
    def pages(self) -> tuple[tuple[str, str], ...]:
        """Key and title of each page that the sidebar lists, in its order."""
        return tuple(self._titles.items())

    @property
    def page_key(self) -> str:
        """Which page is open."""
        return self._keys[self._pages.currentIndex()]

    def show_page(self, key: str) -> None:
        """Open a page. A key that no page has changes nothing."""
        if key in self._keys:
            self._pages.setCurrentIndex(self._keys.index(key))
            self._sidebar.mark(key)

    def bring_up(self) -> None:
        """Show the window and put it in front."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def remember_geometry(self) -> None:
        """Keep size and place now, before the program ends."""
        self._save_geometry(bytes(self.saveGeometry().data()))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt's name
        """Leave the sidebar's words out where there is no room for them."""
        super().resizeEvent(event)
        self._sidebar.set_slim(is_slim=self.width() < _SLIM_BELOW)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  Qt's name
        """Hide, or let the program end."""
        self.remember_geometry()
        if self._hides_on_close():
            event.ignore()
            self.hide()
            return
        event.accept()
        self.closed.emit()

    def _palette_keys(self) -> SignalInstance:
        """Two shortcuts, because a line of text may take the first one for itself."""
        shortcut = QShortcut(self)
        shortcut.setKeys([QKeySequence("Ctrl+K"), QKeySequence("Ctrl+Shift+P")])
        return shortcut.activated

    def _on_key(self, keys: QKeySequence, action: Callable[[], None]) -> None:
        QShortcut(keys, self).activated.connect(action)

    def _find(self) -> None:
        finder = self._finders.get(self.page_key) if self._keys else None
        if finder is not None:
            finder()

    def _show_state(self) -> None:
        self._sidebar.set_foot(text.version_line(__version__, self._desk.snapshot()))
