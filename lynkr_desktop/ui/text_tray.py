"""Every sentence of the tray: its menu, its tool tip, its notifications. Constants and small functions; no decisions."""

from decimal import Decimal
from typing import Final

from lynkr_desktop.config.settings import Mode, ModeKind, Tier
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui.language import say, say_back
from lynkr_desktop.ui.text import failure, mode_title, tier_name_of

TRAY_COPY_ENDPOINT: Final = "Copy endpoint"
TRAY_COPY_TOKEN: Final = "Copy token"  # noqa: S105  a label
TRAY_OPEN: Final = "Open Lynkr"
TRAY_PROVIDERS: Final = "Providers…"
TRAY_QUIT: Final = "Quit"
TRAY_NO_ROUTE: Final = "No request yet"
TIER_SHAPES: Final = {Tier.SIMPLE: "●", Tier.MEDIUM: "■", Tier.COMPLEX: "◆", Tier.REASONING: "▲"}
START_NOTICE: Final = "Something about your settings."
KEYCHAIN_TROUBLE: Final = "Keys cannot be kept in the system's keychain."
OTHER_INSTANCE_SILENT: Final = "Lynkr runs already, but does not answer. End it and start again."


def tray_mode(mode: Mode) -> str:
    """The title of the submenu of modes."""
    return say("Mode ({mode})", mode=mode_title(mode))


def tray_pin(tier: Tier) -> str:
    """The line that pins a tier."""
    return f"{mode_title(Mode(ModeKind.PIN, tier))} {TIER_SHAPES[tier]}"


def tray_direct(model: str) -> str:
    """The line of Direct mode."""
    return say("Direct ({model})", model=model) if model else say("Direct")


def tray_unset(label: str) -> str:
    """A mode that cannot serve yet."""
    return say("{mode} – no model set", mode=label)


def tray_stopped(note: str) -> str:
    """The state line while nothing is served."""
    return f"{say('Stopped')} · {say_back(note)}" if note else say("Stopped")


def tray_state(mode: Mode, address: str, today: str) -> str:
    """The state line while requests are served."""
    return f"{mode_title(mode)} · {address} · {today}"


def tray_today(cost_usd: str, requests: int, unpriced: int, budget: Decimal | None = None) -> str:
    """Today's cost, and the day's budget if there is one; never claiming more than is known."""
    if budget is not None:
        spent = say("today {spent} of {budget}", spent=shown.money(cost_usd), budget=shown.money(budget))
        return f"{spent} + {_unpriced(unpriced)}" if unpriced else spent
    if not requests:
        return say("no requests today")
    return say("today {spent}", spent=spent_today(cost_usd, unpriced))


def spent_today(cost_usd: str, unpriced: int) -> str:
    """Today's cost with what is not in it."""
    priced = shown.money(cost_usd) if (shown.decimal(cost_usd) or 0) > 0 else ""
    return " + ".join(part for part in (priced, _unpriced(unpriced) if unpriced else "") if part) or shown.FREE


def _unpriced(number: int) -> str:
    return say("{number} unpriced", number=shown.count(number))


def tray_route(exchange: Exchange) -> str:
    """The last request: where it went, how long it took, and the way to why."""
    went = f"{tier_name_of(exchange)} → {exchange.model or exchange.account or shown.UNKNOWN}"
    ended = say("failed") if exchange.error else shown.duration(exchange.total_ms)
    return say("{went}, {ended} — why?", went=went, ended=ended)


def tray_trouble(title: str) -> str:
    """The line that leads to what is wrong."""
    return say("Needs attention: {title}", title=say_back(title))


def mode_note(mode: Mode, before: Mode) -> tuple[str, str]:
    """The notification that the mode has changed."""
    return say("Mode: {mode}", mode=mode_title(mode)), say("It was {mode}.", mode=mode_title(before))


def provider_note(title: str) -> str:
    """The notification that a provider has begun to fail."""
    return say("{provider} fails", provider=title)


def failover_note(kind: str, from_target: str, to_target: str) -> tuple[str, str]:
    """The notification that another target serves instead."""
    return say("{new} serves instead of {old}", new=to_target, old=from_target), failure(kind)[0]
