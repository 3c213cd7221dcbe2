"""The tray's pictures: one glyph for each mode, drawn from SVG at every size. No state, no tray."""

import functools
import os
import sys
from dataclasses import dataclass
from typing import Final, assert_never

from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from lynkr_desktop.config.settings import Mode, ModeKind

SIZES: Final = (16, 18, 20, 22, 24, 32, 44, 48, 64)
_SMALL: Final = 24  # up to here the frame is thin and the letter large, or both blur
_INK: Final = "#1d1d1f"
_PAPER: Final = "#ffffff"
_ATTENTION: Final = "#d9820f"
_DIMMED: Final = 0.45

# Letters as strokes in a square of 24, drawn within 7 to 17: fonts differ between systems, these do not.
_STROKES: Final = {
    "A": "M7.4 17 12 7l4.6 10M9.1 13.6h5.8",
    "S": "M15.7 8.9C15.1 7.6 13.8 7 12.1 7 9.9 7 8.4 8 8.4 9.6c0 3.7 7.4 1.3 7.4 4.9"
    "C15.8 16.1 14.3 17 12.1 17 10.2 17 8.7 16.3 8.2 14.9",
    "M": "M7 17V7.2l5 6.6 5-6.6V17",
    "C": "M16.4 9A5 5 0 1 0 16.4 15",
    "R": "M8.4 17V7.2h4.4a2.9 2.9 0 0 1 0 5.8H8.4M12.7 13l3.5 4",
    "D": "M8.2 7.2h2.9a4.9 4.9 0 0 1 0 9.8H8.2Z",
    "O": "M12 7a5 5 0 1 0 0 10 5 5 0 1 0 0-10Z",
    "L": "M8.9 7v10h6.6",
}


@dataclass(frozen=True, slots=True)
class TrayLook:
    """What the icon tells: the mode's letter, a dot if somebody should look, pale when nothing is served."""

    letter: str
    needs_attention: bool = False
    is_dimmed: bool = False


def letter_of(mode: Mode) -> str:
    """A, S, M, C, R, D, O or L."""
    match mode.kind:
        case ModeKind.AUTO:
            return "A"
        case ModeKind.PIN:
            return mode.tier.value[0] if mode.tier else "A"
        case ModeKind.DIRECT:
            return "D"
        case ModeKind.OBSERVE:
            return "O"
        case ModeKind.LOCAL:
            return "L"
        case _:
            assert_never(mode.kind)


def svg_of(look: TrayLook, size: int, *, is_panel_dark: bool, is_template: bool = False) -> bytes:
    """The picture as SVG.

    A template is black on nothing: the system gives it its colour. Elsewhere the letter stands on a plate of its own, so that
    it stays readable where the panel's colour was guessed wrong.
    """
    ink, plate = (_PAPER, _INK) if is_panel_dark else (_INK, _PAPER)
    if is_template:
        ink, plate = "#000000", "none"
    frame, stroke, scale = (1.5, 2.5, 1.16) if size <= _SMALL else (1.5, 2.1, 1.0)
    inset = 1 + frame / 2
    side = 24 - 2 * inset
    radius = 5 if size <= _SMALL else 4
    fill = ink if is_template else _ATTENTION
    dot = f'<circle cx="{24 - radius}" cy="{radius}" r="{radius}" fill="{fill}"/>' if look.needs_attention else ""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
        f'<g opacity="{_DIMMED if look.is_dimmed else 1}" stroke="{ink}" stroke-linecap="round" stroke-linejoin="round">'
        f'<rect x="{inset}" y="{inset}" width="{side}" height="{side}" rx="5.5" fill="{plate}" stroke-width="{frame}"/>'
        f'<path d="{_STROKES[look.letter]}" fill="none" stroke-width="{stroke / scale:.3f}" '
        f'transform="translate(12 12) scale({scale}) translate(-12 -12)"/></g>{dot}</svg>'
    ).encode()


@functools.lru_cache(maxsize=64)
def icon_of(look: TrayLook, *, is_panel_dark: bool) -> QIcon:
    """The picture at all sizes; a template that the system colours itself on macOS."""
    is_template = sys.platform == "darwin"
    icon = QIcon()
    for size in SIZES:
        icon.addPixmap(_drawn(svg_of(look, size, is_panel_dark=is_panel_dark, is_template=is_template), size))
    icon.setIsMask(is_template)
    return icon


def _drawn(svg: bytes, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg)).render(painter)
    painter.end()
    return pixmap


def is_panel_dark() -> bool:
    """Our best guess of the panel's colour: each system keeps it elsewhere than the windows' colours.

    GNOME's top bar is dark in both schemes. Windows has a setting of its own for the taskbar. Others follow the scheme.
    """
    if sys.platform == "win32":
        themes = r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        return QSettings(themes, QSettings.Format.NativeFormat).value("SystemUsesLightTheme", 0) in (0, "0")
    if "GNOME" in os.environ.get("XDG_CURRENT_DESKTOP", "").upper():
        return True
    return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
