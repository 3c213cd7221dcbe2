"""The window: pages, shortcuts, size, closing."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.sidebar import SLIM, WIDE, Sidebar
from lynkr_desktop.ui.window import MainWindow
from tests.ui.ledger_desk import LedgerDesk

MakeWindow = Callable[..., MainWindow]


@pytest.fixture
def make_window(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> MakeWindow:
    """Make a window with three pages; keywords replace its callables."""

    def make(**changes: object) -> MainWindow:
        calls: dict[str, object] = {
            "load_geometry": lambda: b"",
            "save_geometry": lambda _: None,
            "hides_on_close": lambda: False,
            **changes,
        }
        window = MainWindow(theme, desk, **calls)  # type: ignore[arg-type]
        for key in ("overview", "activity", "tiers"):
            window.add_page(key, key.title(), key, QLabel(key))
        qtbot.addWidget(window)
        with qtbot.waitActive(window):
            window.show()
        return window

    return make


def test_the_first_page_is_open_and_keys_open_the_others(make_window: MakeWindow) -> None:
    window = make_window()
    assert window.page_key == "overview"
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert window.page_key == "activity"
    window.show_page("tiers")
    window.show_page("no-such-page")
    assert window.page_key == "tiers"


def test_the_sidebar_opens_pages_and_shows_which_is_open(make_window: MakeWindow) -> None:
    window = make_window()
    sidebar = window.findChild(Sidebar)
    assert sidebar is not None
    buttons = {button.accessibleName(): button for button, _, _ in sidebar._buttons.values()}
    buttons["Tiers"].click()
    assert window.page_key == "tiers"
    assert [name for name, button in buttons.items() if button.isChecked()] == ["Tiers"]


def test_find_reaches_only_the_open_pages_filter(make_window: MakeWindow) -> None:
    window = make_window()
    found: list[str] = []
    window.add_page("log", "Log", "activity", QLabel("log"), find=lambda: found.append("log"))
    QTest.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert found == []
    window.show_page("log")
    QTest.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert found == ["log"]


def test_a_narrow_window_keeps_the_icons_only(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    sidebar = window.findChild(Sidebar)
    assert sidebar is not None
    window.resize(800, 560)
    qtbot.waitUntil(lambda: sidebar.width() == SLIM)
    assert {button.toolTip() for button, _, _ in sidebar._buttons.values()} == {"Overview", "Activity", "Tiers"}
    window.resize(1100, 720)
    qtbot.waitUntil(lambda: sidebar.width() == WIDE)


def test_closing_hides_where_something_can_bring_it_back(make_window: MakeWindow) -> None:
    hiding = make_window(hides_on_close=lambda: True)
    spy = QSignalSpy(hiding.closed)
    hiding.close()
    assert hiding.isHidden()
    assert spy.count() == 0
    hiding.bring_up()
    assert hiding.isVisible()
    ending = make_window()
    ended = QSignalSpy(ending.closed)
    ending.close()
    assert ended.count() == 1


def test_the_size_is_remembered(make_window: MakeWindow) -> None:
    kept: list[bytes] = []
    window = make_window(save_geometry=kept.append)
    window.resize(720, 560)
    window.close()
    again = make_window(load_geometry=lambda: kept[-1])
    assert (again.width(), again.height()) == (720, 560)


def test_a_broken_geometry_is_ignored(make_window: MakeWindow) -> None:
    assert make_window(load_geometry=lambda: b"not a geometry").width() >= 640


def test_no_button_has_a_focus_ring_at_first(make_window: MakeWindow) -> None:
    sidebar = make_window().findChild(Sidebar)
    assert sidebar is not None
    assert not any(button.hasFocus() for button, _, _ in sidebar._buttons.values())
