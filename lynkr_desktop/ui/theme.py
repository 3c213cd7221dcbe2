"""Sizes, fonts and the palette in use, which follows the system. Colours are in `palette`; no words and no widgets here."""

from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from lynkr_desktop.config.settings import Theme as Choice
from lynkr_desktop.ui.palette import DARK, LIGHT, Palette, mixed, with_accent
from lynkr_desktop.ui.stylesheet import style_sheet

SPACE_4: Final = 4
SPACE_8: Final = 8
SPACE_12: Final = 12
SPACE_16: Final = 16
SPACE_24: Final = 24
SMALL, BODY, SUBTITLE, TITLE, FIGURE = 11, 13, 15, 20, 28  # font sizes, pixels
_QT_BLUE: Final = "#308cc6"
TABULAR_FIGURES: Final = QFont.Tag("tnum")


class Theme(QObject):
    """The palette in use. It follows the system live while the user's choice is SYSTEM; `changed` comes after each change.

    Painted widgets take their colours from `palette` when they paint, and repaint on `changed`.
    """

    changed = Signal()

    def __init__(self, application: QApplication, choice: Choice = Choice.SYSTEM) -> None:
        super().__init__(application)
        self._application = application
        self._choice = choice
        self._system_accent = _system_accent()
        self.palette = LIGHT
        application.setStyle("Fusion")
        application.setFont(_body_font())
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)
        self._follow()

    def choose(self, choice: Choice) -> None:
        """Use the user's choice from now on."""
        self._choice = choice
        self._follow()

    def _follow(self) -> None:
        system_is_dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        is_dark = self._choice is Choice.DARK or (self._choice is Choice.SYSTEM and system_is_dark)
        self.palette = with_accent(DARK if is_dark else LIGHT, self._system_accent)
        self._application.setPalette(_qt_palette(self.palette))
        self._application.setStyleSheet(style_sheet(self.palette))
        self.changed.emit()


def _system_accent() -> str:
    """The system's accent as #rrggbb; empty where the system has none and Qt fills in its own blue."""
    accent = QGuiApplication.palette().color(QPalette.ColorRole.Accent).name()
    return "" if accent == _QT_BLUE else accent


def font(size: int, *, is_strong: bool = False) -> QFont:
    """The system's font at one of the five sizes, with figures of equal width, for painted text."""
    result = QFont(QApplication.font())
    result.setPixelSize(size)
    result.setFeature(TABULAR_FIGURES, 1)
    if is_strong:
        result.setWeight(QFont.Weight.DemiBold)
    return result


def _body_font() -> QFont:
    result = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    result.setPixelSize(BODY)
    result.setFeature(TABULAR_FIGURES, 1)
    return result


def _qt_palette(palette: Palette) -> QPalette:
    role = QPalette.ColorRole
    colours = {
        role.Window: palette.window,
        role.WindowText: palette.text,
        role.Base: palette.card,
        role.AlternateBase: palette.window,
        role.Text: palette.text,
        role.Button: palette.card,
        role.ButtonText: palette.text,
        role.BrightText: palette.bad,
        role.ToolTipBase: palette.card,
        role.ToolTipText: palette.text,
        role.PlaceholderText: palette.muted,
        role.Highlight: palette.accent,
        role.HighlightedText: palette.on_accent,
        role.Accent: palette.accent,
        role.Link: palette.medium,
        role.LinkVisited: palette.complex,
        role.Light: palette.raised,
        role.Midlight: palette.raised,
        role.Mid: palette.hairline,
        role.Dark: palette.hairline,
        role.Shadow: palette.hairline,
    }
    result = QPalette()
    for which, colour in colours.items():
        result.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, which, QColor(mixed(palette.muted, palette.card, 0.7)))
    return result
