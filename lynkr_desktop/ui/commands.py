"""What the command palette can do, made from the state at its opening. Acts only through desk, premises and pages."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtGui import QGuiApplication

from lynkr_desktop.config.settings import TIERS, Mode, ModeKind, Settings
from lynkr_desktop.config.settings import Theme as Colours
from lynkr_desktop.ui import text_palette as words
from lynkr_desktop.ui import text_settings
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.pages.tier_draft import account_title
from lynkr_desktop.ui.premises import Premises
from lynkr_desktop.ui.widgets.command_palette import PaletteCommand
from lynkr_desktop.ui.window import MainWindow


def commands_of(window: MainWindow, desk: Desk, premises: Premises, test_provider: Callable[[str], None]) -> list[PaletteCommand]:
    """All that makes sense now: modes that are set up, providers that are switched on. `test_provider` takes an account's id."""
    settings = desk.settings
    found = [PaletteCommand(words.go_to(title), partial(window.show_page, key)) for key, title in window.pages]
    found += [PaletteCommand(words.use_mode(mode), partial(_use_mode, desk, mode)) for mode in _modes(settings)]
    if url := desk.snapshot().url:
        found.append(PaletteCommand(words.COPY_ENDPOINT, partial(QGuiApplication.clipboard().setText, url)))
    if premises.token.reveal():
        found.append(PaletteCommand(words.COPY_TOKEN, partial(_copy, premises)))
    found += [
        PaletteCommand(words.test_provider(account_title(account)), partial(test_provider, account.id))
        for account in settings.accounts
        if account.is_enabled
    ]
    if desk.can_undo:
        found.append(PaletteCommand(words.UNDO, lambda: desk.spawn(desk.undo(), "take a change back")))
    found += [PaletteCommand(words.use_colours(title), partial(_use_colours, desk, key)) for key, title in text_settings.THEMES]
    return found


def _modes(settings: Settings) -> list[Mode]:
    routing = settings.routing
    modes = [Mode()] if routing.tiers.are_complete else []
    modes += [Mode(ModeKind.PIN, tier) for tier in TIERS if routing.tiers.of(tier)]
    modes += [Mode(ModeKind.DIRECT)] if routing.direct is not None else []
    return [mode for mode in modes if mode != routing.mode]


def _use_mode(desk: Desk, mode: Mode) -> None:
    settings = desk.settings
    desk.spawn(desk.change(replace(settings, routing=replace(settings.routing, mode=mode))), "change the mode")


def _use_colours(desk: Desk, colours: Colours) -> None:
    settings = desk.settings
    desk.spawn(desk.change(replace(settings, desktop=replace(settings.desktop, theme=colours))), "change the colours")


def _copy(premises: Premises) -> None:
    QGuiApplication.clipboard().setText(premises.token.reveal())
