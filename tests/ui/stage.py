"""The window with all its pages over a desk of the tests: for pictures, and for tests that look at every page."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lynkr_desktop.ui import text
from lynkr_desktop.ui.commands import commands_of
from lynkr_desktop.ui.pages.activity import ActivityPage
from lynkr_desktop.ui.pages.clients import ClientsPage
from lynkr_desktop.ui.pages.overview import OverviewPage
from lynkr_desktop.ui.pages.providers import ProvidersPage
from lynkr_desktop.ui.pages.settings import SettingsPage
from lynkr_desktop.ui.pages.tiers import TiersPage
from lynkr_desktop.ui.pages.welcome import WelcomePage
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.command_palette import CommandPalette
from lynkr_desktop.ui.window import MainWindow
from tests.ui.ledger_desk import LedgerDesk
from tests.ui.surroundings import around, premises

FOUND: Final = {"claude-code": "/usr/local/bin/claude", "codex": "/home/you/.codex", "curl": "/usr/bin/curl"}


@dataclass(frozen=True)
class Stage:
    """The window of one scene and what is in it."""

    window: MainWindow
    overview: OverviewPage
    activity: ActivityPage
    desk: LedgerDesk
    settings: SettingsPage
    clients: ClientsPage
    welcome: WelcomePage


def stage_of(theme: Theme, desk: LedgerDesk, size: tuple[int, int]) -> Stage:
    """The window, not shown yet."""
    window = MainWindow(theme, desk, load_geometry=lambda: b"", save_geometry=lambda _: None, hides_on_close=lambda: False)
    overview = OverviewPage(theme, desk, desk.clock)
    activity = ActivityPage(theme, desk, desk.clock)
    window.add_page("overview", text.OVERVIEW, "overview", overview)
    window.add_page("activity", text.ACTIVITY, "activity", activity, find=activity.focus_filter)
    window.add_page("tiers", text.TIERS, "tiers", TiersPage(theme, desk))
    window.add_page("providers", text.PROVIDERS, "providers", ProvidersPage(theme, desk))
    here = premises(around(Path(tempfile.gettempdir()) / "lynkr", environment={"OPENAI_API_KEY": "sk-0123456789abcdef"}))
    desk.spawn(here.unlock(), "unlock")
    clients = ClientsPage(theme, desk, here, find=lambda: FOUND, now_ms=desk.clock)
    window.add_page("clients", text.CLIENTS, "clients", clients)
    settings = SettingsPage(theme, desk, here)
    window.add_page("settings", text.SETTINGS, "settings", settings, keys="Ctrl+,")
    palette = CommandPalette(window, lambda: commands_of(window, desk, here, lambda _: None))
    window.palette_wanted.connect(palette.open)
    window.resize(*size)
    welcome = WelcomePage(theme, desk, here, find=lambda: FOUND)
    window.add_page("welcome", "", "lynkr", welcome, is_listed=False)
    return Stage(window, overview, activity, desk, settings, clients, welcome)
