"""The icon in the tray: shows the menu of `tray_menu`, acts on it, and notifies. It decides nothing about modes or routes."""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from lynkr_desktop.config.settings import Mode
from lynkr_desktop.ui import tray_icons
from lynkr_desktop.ui.bridge import Bridge
from lynkr_desktop.ui.notes import Notes
from lynkr_desktop.ui.tray_host import is_tray_present
from lynkr_desktop.ui.tray_menu import Command, MenuEntry, menu_of, state_line

_HOST_POLL_MS: Final = 2000
_NOTE_MS: Final = 8000

Token = Callable[[], Awaitable[str]]


class MenuView(QObject):
    """A `QMenu` that shows entries. Lines change in place, so that an open menu neither flickers nor closes.

    Only where the menu's shape changes (a line more or less) is it filled anew.
    """

    pressed = Signal(object)  # MenuEntry

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.menu = QMenu()
        self._entries: tuple[MenuEntry, ...] = ()

    def show_entries(self, entries: tuple[MenuEntry, ...]) -> None:
        """Show these lines from now on."""
        if entries == self._entries:
            return
        if _shape(entries) != _shape(self._entries):
            self.menu.clear()
            self._fill(self.menu, entries)
        else:
            self._update(self.menu, entries)
        self._entries = entries

    def _fill(self, menu: QMenu, entries: Sequence[MenuEntry]) -> None:
        for entry in entries:
            if entry.is_separator:
                menu.addSeparator()
                continue
            if entry.children:
                below = QMenu(menu)
                self._fill(below, entry.children)
                action = menu.addMenu(below)
            else:
                action = menu.addAction("")
                action.triggered.connect(lambda _checked=False, action=action: self._press(action))
            _dress(action, entry)

    def _update(self, menu: QMenu, entries: Sequence[MenuEntry]) -> None:
        for action, entry in zip(menu.actions(), entries, strict=True):
            if entry.is_separator:
                continue
            _dress(action, entry)
            below = action.menu()
            if isinstance(below, QMenu):
                self._update(below, entry.children)

    def _press(self, action: QAction) -> None:
        entry: MenuEntry = action.data()
        _dress(action, entry)  # a press toggles the mark; it moves only when the mode has really changed
        self.pressed.emit(entry)


def _dress(action: QAction, entry: MenuEntry) -> None:
    action.setText(entry.label.replace("&", "&&"))
    action.setEnabled(entry.is_enabled)
    action.setCheckable(entry.is_checked is not None)
    action.setChecked(bool(entry.is_checked))
    action.setData(entry)


def _shape(entries: Sequence[MenuEntry]) -> tuple[object, ...]:
    return tuple(() if entry.is_separator else (_shape(entry.children),) for entry in entries)


class Tray(QObject):
    """The icon with its menu and notifications.

    It appears as soon as the desktop has a tray, also later and again after the tray's program was restarted. `token` gives
    the endpoint's token when the user wants to copy it.
    """

    window_wanted = Signal()
    page_wanted = Signal(str)  # name of a page: overview, providers
    exchange_wanted = Signal(str)  # id of the exchange to show
    quit_wanted = Signal()
    visibility_changed = Signal(bool)

    def __init__(self, bridge: Bridge, token: Token, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._token = token
        self._was_visible = False
        self._actions: dict[Command, Callable[[MenuEntry], None]] = {
            Command.NONE: lambda _: None,
            Command.MODE: self._change_mode,
            Command.WHY: lambda entry: self.exchange_wanted.emit(entry.exchange),
            Command.TROUBLE: lambda _: self.page_wanted.emit("overview"),
            Command.COPY_ENDPOINT: lambda _: self._copy_endpoint(),
            Command.COPY_TOKEN: lambda _: self._bridge.spawn(self._copy_token(), "copy the token"),
            Command.OPEN: lambda _: self.window_wanted.emit(),
            Command.PROVIDERS: lambda _: self.page_wanted.emit("providers"),
            Command.QUIT: lambda _: self.quit_wanted.emit(),
        }
        self._view = MenuView(self)
        self._view.pressed.connect(self._act)
        self._icon: QSystemTrayIcon | None = None  # made once there is a tray: see `tray_host`
        bridge.signals.snapshot_changed.connect(self.refresh)
        bridge.signals.settings_changed.connect(self.refresh)
        self.notes = Notes(bridge, self)
        self.notes.noted.connect(self._note)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.refresh)
        self._host_poll = QTimer(self, interval=_HOST_POLL_MS)
        self._host_poll.timeout.connect(self._look_for_host)
        self.refresh()

    def start(self) -> None:
        """Show the icon now, or once there is a tray."""
        self._look_for_host()
        self._host_poll.start()

    def stop(self) -> None:
        """Take the icon away."""
        self._host_poll.stop()
        if self._icon is not None:
            self._icon.hide()

    @property
    def is_visible(self) -> bool:
        """Can the user see the icon? Only then may the window hide."""
        return self._icon is not None and self._icon.isVisible() and is_tray_present()

    @property
    def entries(self) -> tuple[MenuEntry, ...]:
        """The menu's lines as they should be now."""
        return menu_of(self._bridge.snapshot(), self._bridge.settings, is_read_only=self._bridge.is_read_only)

    def refresh(self) -> None:
        """Show the state as it is now."""
        self._view.show_entries(self.entries)
        if self._icon is None:
            return
        snapshot, settings = self._bridge.snapshot(), self._bridge.settings
        self._icon.setToolTip(state_line(snapshot, settings))
        look = tray_icons.TrayLook(
            tray_icons.letter_of(settings.routing.mode),
            needs_attention=bool(snapshot.troubles),
            is_dimmed=not snapshot.is_serving,
        )
        icon = tray_icons.icon_of(look, is_panel_dark=tray_icons.is_panel_dark())
        if icon.cacheKey() != self._icon.icon().cacheKey():
            self._icon.setIcon(icon)

    def _look_for_host(self) -> None:
        if self._icon is None and is_tray_present():
            self._icon = QSystemTrayIcon(self)
            self._icon.setContextMenu(self._view.menu)
            self._icon.activated.connect(self._activated)
            self.refresh()
            self._icon.show()
        if self.is_visible != self._was_visible:
            self._was_visible = not self._was_visible
            self.visibility_changed.emit(self._was_visible)

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self.window_wanted.emit()

    def _act(self, entry: MenuEntry) -> None:
        self._actions[entry.command](entry)

    def _change_mode(self, entry: MenuEntry) -> None:
        if entry.mode is not None:
            self._bridge.spawn(self._use_mode(entry.mode), "change the mode")

    def _copy_endpoint(self) -> None:
        QGuiApplication.clipboard().setText(self._bridge.snapshot().url)

    async def _use_mode(self, mode: Mode) -> None:
        settings = self._bridge.settings
        routing = dataclasses.replace(settings.routing, mode=mode)
        await self._bridge.change(dataclasses.replace(settings, routing=routing))

    async def _copy_token(self) -> None:
        QGuiApplication.clipboard().setText(await self._token())

    def _note(self, title: str, detail: str) -> None:
        if self._icon is not None and self.is_visible:
            self._icon.showMessage(title, detail, self._icon.icon(), _NOTE_MS)
