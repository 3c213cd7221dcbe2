"""The tray's menu as a value, made from one state. Pure: no Qt, no clock, no settings file."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lynkr_desktop.config.settings import Mode, ModeKind, Settings
from lynkr_desktop.engine.api import Snapshot
from lynkr_desktop.ui import text, text_money, text_tray
from lynkr_desktop.ui.modes import mode_choices


class Command(StrEnum):
    """What pressing a line does."""

    NONE = "none"  # the line only tells something
    MODE = "mode"  # use the entry's mode
    WHY = "why"  # open the exchange that the entry names
    TROUBLE = "trouble"  # open the page that shows what is wrong
    COPY_ENDPOINT = "copy_endpoint"
    COPY_TOKEN = "copy_token"  # noqa: S105  the name of a command
    OPEN = "open"
    PROVIDERS = "providers"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One line. `is_checked` is None where a check mark makes no sense; a line with `children` opens them."""

    label: str = ""
    command: Command = Command.NONE
    is_enabled: bool = True
    is_checked: bool | None = None
    mode: Mode | None = None
    exchange: str = ""
    children: tuple["MenuEntry", ...] = ()

    @property
    def is_separator(self) -> bool:
        """Is it a line between groups?"""
        return not self.label


SEPARATOR: Final = MenuEntry(is_enabled=False)


def menu_of(snapshot: Snapshot, settings: Settings, *, is_read_only: bool = False) -> tuple[MenuEntry, ...]:
    """The whole menu. While settings cannot be saved, the modes are shown but cannot be changed."""
    return (
        MenuEntry(state_line(snapshot, settings), is_enabled=False),
        _last_route(snapshot),
        *(MenuEntry(text_tray.tray_trouble(trouble.title), Command.TROUBLE) for trouble in snapshot.troubles[:1]),
        SEPARATOR,
        MenuEntry(text_tray.tray_mode(settings.routing.mode), children=_modes(settings, is_read_only=is_read_only)),
        SEPARATOR,
        MenuEntry(text_tray.TRAY_COPY_ENDPOINT, Command.COPY_ENDPOINT, is_enabled=bool(snapshot.url)),
        MenuEntry(text_tray.TRAY_COPY_TOKEN, Command.COPY_TOKEN, is_enabled=bool(snapshot.url)),
        SEPARATOR,
        MenuEntry(text_tray.TRAY_OPEN, Command.OPEN),
        MenuEntry(text_tray.TRAY_PROVIDERS, Command.PROVIDERS),
        SEPARATOR,
        MenuEntry(text_tray.TRAY_QUIT, Command.QUIT),
    )


def state_line(snapshot: Snapshot, settings: Settings) -> str:
    """Mode, address and today's cost: the menu's first line, and the icon's tool tip."""
    if not snapshot.is_serving:
        return text_tray.tray_stopped(snapshot.note)
    address = snapshot.url.removeprefix("http://").rstrip("/")
    budget = text_money.of_today(snapshot.budgets)
    amount = budget.budget.amount if budget else None
    today = text_tray.tray_today(snapshot.cost_today_usd, snapshot.requests_today, snapshot.unpriced_today, amount)
    return text_tray.tray_state(settings.routing.mode, address, today)


def _last_route(snapshot: Snapshot) -> MenuEntry:
    last = snapshot.last
    if last is None:
        return MenuEntry(text_tray.TRAY_NO_ROUTE, is_enabled=False)
    return MenuEntry(text_tray.tray_route(last), Command.WHY, exchange=last.id)


def _modes(settings: Settings, *, is_read_only: bool) -> tuple[MenuEntry, ...]:
    current = settings.routing.mode
    return tuple(
        MenuEntry(
            text_tray.tray_unset(label) if choice.obstacle else label,
            Command.MODE,
            is_enabled=not choice.obstacle and not is_read_only,
            is_checked=choice.mode == current,
            mode=choice.mode,
        )
        for choice in mode_choices(settings)
        for label in (_label(choice.mode, settings),)
    )


def _label(mode: Mode, settings: Settings) -> str:
    if mode.kind is ModeKind.PIN and mode.tier is not None:
        return text_tray.tray_pin(mode.tier)
    return text_tray.tray_direct(_direct_model(settings)) if mode.kind is ModeKind.DIRECT else text.mode_title(mode)


def _direct_model(settings: Settings) -> str:
    target = settings.routing.direct
    return target.model if target else ""
