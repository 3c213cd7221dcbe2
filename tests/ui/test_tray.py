"""The tray's menu as a value, the widget that shows it, and its pictures."""

from dataclasses import replace

import msgspec
import pytest
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import Mode, ModeKind, Settings, Target, Tier, TierTargets
from lynkr_desktop.engine.api import Snapshot
from lynkr_desktop.engine.events import Trouble
from lynkr_desktop.ui import tray_icons
from lynkr_desktop.ui.tray import MenuView
from lynkr_desktop.ui.tray_icons import SIZES, TrayLook, icon_of, letter_of, svg_of
from lynkr_desktop.ui.tray_menu import Command, MenuEntry, menu_of, state_line
from tests.ui.ledger_desk import SETTINGS, an_exchange

SERVING = Snapshot(is_serving=True, url="http://127.0.0.1:8081")
WITH_DIRECT = replace(SETTINGS, routing=replace(SETTINGS.routing, direct=Target("anthropic", "claude-sonnet-4-5")))


def with_mode(mode: Mode, settings: Settings = WITH_DIRECT) -> Settings:
    return replace(settings, routing=replace(settings.routing, mode=mode))


def modes(settings: Settings, *, is_read_only: bool = False) -> dict[str, MenuEntry]:
    menu = menu_of(SERVING, settings, is_read_only=is_read_only)
    return {entry.label: entry for entry in next(entry for entry in menu if entry.children).children}


@pytest.mark.parametrize(
    ("snapshot", "line"),
    [
        (Snapshot(), "Stopped"),
        (Snapshot(note="Port 8081 is taken."), "Stopped · Port 8081 is taken."),
        (SERVING, "Auto tiers · 127.0.0.1:8081 · no requests today"),
        (Snapshot(True, SERVING.url, requests_today=9, cost_today_usd="1.84"), "Auto tiers · 127.0.0.1:8081 · today $1.84"),
        (
            Snapshot(True, SERVING.url, requests_today=9, cost_today_usd="1.84", unpriced_today=2),
            "Auto tiers · 127.0.0.1:8081 · today $1.84 + 2 unpriced",
        ),
        (Snapshot(True, SERVING.url, requests_today=2, unpriced_today=2), "Auto tiers · 127.0.0.1:8081 · today 2 unpriced"),
        (Snapshot(True, SERVING.url, requests_today=2), "Auto tiers · 127.0.0.1:8081 · today free"),
    ],
)
def test_first_line_tells_the_state_and_never_claims_a_price(snapshot: Snapshot, line: str) -> None:
    assert state_line(snapshot, WITH_DIRECT) == line
    assert menu_of(snapshot, WITH_DIRECT)[0].label == line


def test_last_route_leads_to_why() -> None:
    exchange = an_exchange(total_ms=4100.0, model="claude-sonnet-4-5")
    entry = menu_of(replace_snapshot(last=exchange), WITH_DIRECT)[1]
    assert entry == MenuEntry("COMPLEX → claude-sonnet-4-5, 4.1 s — why?", Command.WHY, exchange=exchange.id)
    failed = an_exchange(error="rate", tier="")
    assert menu_of(replace_snapshot(last=failed), WITH_DIRECT)[1].label.endswith("failed — why?")
    assert menu_of(replace_snapshot(last=failed), WITH_DIRECT)[1].label.startswith("DIRECT → ")


def replace_snapshot(**changes: object) -> Snapshot:
    return msgspec.structs.replace(SERVING, **changes)


@pytest.mark.parametrize(
    "mode",
    [Mode(), *(Mode(ModeKind.PIN, tier) for tier in Tier), *map(Mode, (ModeKind.DIRECT, ModeKind.OBSERVE, ModeKind.LOCAL))],
)
def test_exactly_the_current_mode_is_checked(mode: Mode) -> None:
    entries = modes(with_mode(mode)).values()
    assert [entry.mode for entry in entries if entry.is_checked] == [mode]
    assert all(entry.is_enabled for entry in entries)


def test_mode_is_named_where_the_submenu_opens() -> None:
    menu = menu_of(SERVING, with_mode(Mode(ModeKind.PIN, Tier.COMPLEX)))
    assert next(entry.label for entry in menu if entry.children) == "Mode (Pin COMPLEX)"


def test_mode_that_cannot_serve_cannot_be_chosen() -> None:
    tiers = TierTargets(simple=(Target("ollama", "m"),))
    entries = modes(replace(SETTINGS, routing=replace(SETTINGS.routing, tiers=tiers, direct=None)))
    assert {label for label, entry in entries.items() if entry.is_enabled} == {"Pin SIMPLE ●", "Local only"}
    assert "Pin COMPLEX ◆ – no model set" in entries


def test_read_only_settings_show_modes_but_change_none() -> None:
    assert not any(entry.is_enabled for entry in modes(WITH_DIRECT, is_read_only=True).values())


def test_trouble_has_a_line() -> None:
    menu = menu_of(replace_snapshot(troubles=(Trouble("ledger", "The ledger cannot write."),)), WITH_DIRECT)
    assert MenuEntry("Needs attention: The ledger cannot write.", Command.TROUBLE) in menu


def test_nothing_can_be_copied_while_nothing_is_served() -> None:
    copies = {Command.COPY_ENDPOINT, Command.COPY_TOKEN}
    assert all(not entry.is_enabled for entry in menu_of(Snapshot(), WITH_DIRECT) if entry.command in copies)
    assert all(entry.is_enabled for entry in menu_of(SERVING, WITH_DIRECT) if entry.command in copies)


def test_open_menu_changes_in_place(qtbot: QtBot) -> None:
    view = MenuView()
    view.show_entries(menu_of(SERVING, WITH_DIRECT))
    before = view.menu.actions()
    view.show_entries(menu_of(replace_snapshot(last=an_exchange()), with_mode(Mode(ModeKind.PIN, Tier.SIMPLE))))
    assert view.menu.actions() == before, "the lines were made anew: an open menu would flicker"
    assert before[1].isEnabled()
    assert before[3].text() == "Mode (Pin SIMPLE)"


def test_line_more_makes_the_menu_anew(qtbot: QtBot) -> None:
    view = MenuView()
    view.show_entries(menu_of(SERVING, WITH_DIRECT))
    wanted = menu_of(replace_snapshot(troubles=(Trouble("x", "A & B"),)), WITH_DIRECT)
    view.show_entries(wanted)
    shown = [action.text() for action in view.menu.actions() if not action.isSeparator()]
    assert shown == [entry.label.replace("&", "&&") for entry in wanted if not entry.is_separator]


def test_press_tells_the_entry_and_leaves_the_mark(qtbot: QtBot) -> None:
    """The mark moves only when the mode has really changed."""
    view = MenuView()
    view.show_entries(menu_of(SERVING, WITH_DIRECT))
    spy = QSignalSpy(view.pressed)
    below = next(menu for action in view.menu.actions() if isinstance(menu := action.menu(), QMenu))
    auto, simple = below.actions()[:2]
    simple.trigger()
    assert spy.at(0)[0].mode == Mode(ModeKind.PIN, Tier.SIMPLE)
    assert (auto.isChecked(), simple.isChecked()) == (True, False)


@pytest.mark.parametrize(
    ("mode", "letter"),
    [(Mode(), "A"), (Mode(ModeKind.DIRECT), "D"), *((Mode(ModeKind.PIN, tier), tier.value[0]) for tier in Tier)],
)
def test_icon_shows_the_mode(mode: Mode, letter: str) -> None:
    assert letter_of(mode) == letter


def test_each_look_is_another_picture_at_every_size(qtbot: QtBot) -> None:
    looks = [TrayLook(letter) for letter in "ASMCRD"]
    looks += [TrayLook("A", needs_attention=True), TrayLook("A", is_dimmed=True)]
    for size in SIZES:
        pictures = {bytes(icon_of(look, is_panel_dark=False).pixmap(size).toImage().constBits()) for look in looks}
        assert len(pictures) == len(looks), f"two looks are the same at {size} pixels"


def test_template_has_one_colour() -> None:
    """macOS colours it by itself and wants black on nothing."""
    svg = svg_of(TrayLook("A", needs_attention=True), 22, is_panel_dark=True, is_template=True).decode()
    assert "#000000" in svg
    assert tray_icons._ATTENTION not in svg
    assert tray_icons._PAPER not in svg


def test_panel_of_gnome_is_dark(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    assert tray_icons.is_panel_dark()
