"""The command palette: by keyboard only, from typing to what it does."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import Mode, ModeKind, Tier
from lynkr_desktop.config.settings import Theme as Colours
from lynkr_desktop.ui.commands import commands_of
from lynkr_desktop.ui.premises import Premises
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.command_palette import CommandPalette
from lynkr_desktop.ui.window import MainWindow
from tests.ui.ledger_desk import URL, LedgerDesk
from tests.ui.surroundings import TOKEN, around, premises


class Open:
    """A window with a palette, opened by its keys."""

    def __init__(self, window: MainWindow, desk: LedgerDesk, here: Premises) -> None:
        self.window, self.desk, self.tested = window, desk, list[str]()
        self.palette = CommandPalette(window, lambda: commands_of(window, desk, here, self.tested.append))
        window.palette_wanted.connect(self.palette.open)
        self.keys()

    def keys(self) -> None:
        QTest.keyClick(self.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)

    def do(self, words: str) -> None:
        QTest.keyClicks(self.palette.line, words)
        QTest.keyClick(self.palette.line, Qt.Key.Key_Return)


@pytest.fixture
def opened(theme: Theme, desk: LedgerDesk, qtbot: QtBot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    here = premises(around(tmp_path_factory.mktemp("lynkr")))
    desk.spawn(here.unlock(), "unlock")
    window = MainWindow(theme, desk, load_geometry=lambda: b"", save_geometry=lambda _: None, hides_on_close=lambda: False)
    for key in ("overview", "tiers"):
        window.add_page(key, key.title(), key, QLineEdit() if key == "overview" else QLabel(key))
    window.add_page("welcome", "Welcome", "lynkr", QLabel("welcome"), is_listed=False)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    yield Open(window, desk, here)


def test_pages_are_opened(opened: Open) -> None:
    assert opened.palette.isVisible()
    assert opened.palette.line.hasFocus()
    assert "Go to Welcome" not in opened.palette.titles
    opened.do("tiers go")
    assert opened.window.page_key == "tiers"
    assert not opened.palette.isVisible()


def test_modes_that_are_set_up_are_offered_and_used(opened: Open) -> None:
    assert "Mode: Auto tiers" not in opened.palette.titles, "it is the mode already"
    assert "Mode: Direct" not in opened.palette.titles, "no model is set for it"
    opened.do("pin complex")
    assert opened.desk.settings.routing.mode == Mode(ModeKind.PIN, Tier.COMPLEX)


def test_address_and_token_are_copied_and_providers_tested(opened: Open) -> None:
    opened.do("copy endpoint")
    assert QGuiApplication.clipboard().text() == URL
    opened.keys()
    opened.do("copy token")
    assert QGuiApplication.clipboard().text() == TOKEN
    opened.keys()
    opened.do("test ollama")
    assert opened.tested == ["ollama"]
    opened.keys()
    opened.do("colours dark")
    assert opened.desk.settings.desktop.theme is Colours.DARK


def test_arrows_choose_and_escape_gives_the_keyboard_back(opened: Open) -> None:
    opened.palette.close_it()
    field = opened.window.findChildren(QLineEdit)[0]
    field.setFocus()
    opened.keys()
    QTest.keyClick(opened.palette.line, Qt.Key.Key_Down)
    QTest.keyClick(opened.palette.line, Qt.Key.Key_Return)
    assert opened.window.page_key == "tiers"
    opened.window.show_page("overview")
    field.setFocus()
    opened.keys()
    QTest.keyClick(opened.palette.line, Qt.Key.Key_Escape)
    assert not opened.palette.isVisible()
    assert field.hasFocus()


def test_what_nothing_fits_does_nothing(opened: Open) -> None:
    opened.do("no such words")
    assert opened.palette.titles == []
    assert opened.palette.isVisible()


def test_any_change_of_settings_can_be_taken_back(opened: Open) -> None:
    before = opened.desk.settings
    opened.do("colours dark")
    assert opened.desk.settings != before
    opened.keys()
    opened.do("undo last change")
    assert opened.desk.settings == before
