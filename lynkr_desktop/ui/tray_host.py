"""Is there a tray to show an icon in? Asks the desktop itself, because Qt on Linux asks once and then never again.

The first look at `QSystemTrayIcon` decides for the life of the process whether Qt speaks D-Bus to the tray. A program that
starts before its panel, as at login, would stay without an icon for ever. So nobody may touch that class until this module has
seen a tray.
"""

import ctypes
import sys
from typing import Final

from PySide6.QtDBus import QDBusConnection
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSystemTrayIcon

_WATCHER: Final = "org.kde.StatusNotifierWatcher"


def is_tray_present() -> bool:
    """Does something show icons now? Takes well under a millisecond."""
    if not sys.platform.startswith("linux"):
        return QSystemTrayIcon.isSystemTrayAvailable()
    if QGuiApplication.platformName() == "offscreen":
        return False
    return _has_watcher() or (QGuiApplication.platformName() == "xcb" and _has_old_tray())


def _has_watcher() -> bool:
    """The way of today: a watcher on the session's bus."""
    bus = QDBusConnection.sessionBus()
    return bus.isConnected() and bool(bus.interface().isServiceRegistered(_WATCHER).value())


def _has_old_tray() -> bool:
    """The way before it (XEmbed): somebody owns the tray's X selection."""
    try:
        xlib = ctypes.CDLL("libX11.so.6")
    except OSError:
        return False
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XDefaultScreen.argtypes = (ctypes.c_void_p,)
    xlib.XInternAtom.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
    xlib.XInternAtom.restype = ctypes.c_ulong
    xlib.XGetSelectionOwner.argtypes = (ctypes.c_void_p, ctypes.c_ulong)
    xlib.XGetSelectionOwner.restype = ctypes.c_ulong
    xlib.XCloseDisplay.argtypes = (ctypes.c_void_p,)
    display = xlib.XOpenDisplay(None)
    if not display:
        return False
    try:
        name = f"_NET_SYSTEM_TRAY_S{xlib.XDefaultScreen(display)}".encode()
        return bool(xlib.XGetSelectionOwner(display, xlib.XInternAtom(display, name, 0)))
    finally:
        xlib.XCloseDisplay(display)
