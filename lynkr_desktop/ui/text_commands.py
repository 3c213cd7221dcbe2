"""Every sentence that the command line prints for the running program. Constants and small functions; no decisions."""

from typing import Final

from lynkr_desktop.config.settings import TIERS, ClientToken, Settings
from lynkr_desktop.engine.api import AccountState, Snapshot
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui.text import ACCOUNT_STATES, mode_title, tray_today
from lynkr_desktop.ui.text_setup import key_health, requests_counted

NO_SUCH_COMMAND: Final = "The running Lynkr Desktop does not know this command. It may be an older one."
NO_SUCH_MODE: Final = "There is no such mode. Use auto, pin TIER, direct, observe or local."
NO_SUCH_TIER: Final = "Name a tier: pin SIMPLE, pin MEDIUM, pin COMPLEX or pin REASONING."
NO_REQUESTS: Final = "No request today."
NO_PROVIDERS: Final = "There is no provider yet. Add one in the window."
NO_MODEL: Final = "no model"
NO_PINS: Final = "Nothing is pinned."
NO_CLIENTS: Final = "No program has a token of its own. lynkr-desktop clients add NAME makes one."
NO_SUCH_CLIENTS: Final = "Use clients, clients add NAME or clients revoke NAME."
SERVING: Final = "the endpoint serves"
HAS_TOKEN: Final = "the endpoint has its token"  # noqa: S105  a sentence
TIERS_SERVE: Final = "each tier has a model"


def status(snapshot: Snapshot, settings: Settings) -> list[str]:
    """How it goes."""
    served = f"Serving on {snapshot.url}" if snapshot.is_serving else "Not serving"
    lines = [served, f"Mode: {mode_title(settings.routing.mode)}", *usage(snapshot)]
    lines += [f"Needs attention: {trouble.title} {trouble.detail}".rstrip() for trouble in snapshot.troubles]
    return [*lines, *([snapshot.note] if snapshot.note else [])]


def usage(snapshot: Snapshot) -> list[str]:
    """Today's sums."""
    if not snapshot.requests_today:
        return [NO_REQUESTS]
    cost = tray_today(snapshot.cost_today_usd, snapshot.requests_today, snapshot.unpriced_today).removeprefix("today ")
    lines = [f"Today: {requests_counted(snapshot.requests_today)}, {shown.count(snapshot.failed_today)} failed, {cost}"]
    lines += [f"  {tier:<10} {shown.count(number)}" for tier, number in snapshot.tiers_today.items() if number]
    return lines


def tiers(settings: Settings) -> list[str]:
    """The tiers, cheapest first."""
    lines = []
    for tier in TIERS:
        first, last = settings.routing.boundaries.range_of(tier)
        targets = " → ".join(str(target) for target in settings.routing.tiers.of(tier)) or NO_MODEL
        lines.append(f"{tier:<10} {first:>3}–{last:<3}  {targets}")
    return [*lines, f"{'DIRECT':<10} {'':<7}  {settings.routing.direct or NO_MODEL}"]


def providers(accounts: tuple[AccountState, ...]) -> list[str]:
    """The providers and how they do."""
    lines = []
    for account in accounts:
        state = ACCOUNT_STATES.get(account.state, account.state)
        lines.append(f"{account.id:<20} {state:<14} {account.title} {account.detail}".rstrip())
        lines += [f"  {key_health(key, '')}" for key in account.keys]
    return lines or [NO_PROVIDERS]


def clients(tokens: tuple[ClientToken, ...]) -> list[str]:
    """The programs that have tokens of their own."""
    return [f"{each.name:<24} …{each.hint}  since {each.made_on}" for each in tokens] or [NO_CLIENTS]


def revoked(name: str) -> str:
    """A token opens nothing any more."""
    return f"The token of {name} opens nothing any more."


def no_such_account(account: str) -> str:
    """An account that is not there."""
    return f"There is no provider named {account[:80]}. lynkr-desktop providers lists them."


def reset(number: int) -> str:
    """Targets that had been left alone."""
    return "No model was left alone." if not number else f"Models that are tried again: {shown.count(number)}."


def check(name: str, *, is_well: bool, words: str = "") -> str:
    """One line of the doctor."""
    return f"{'ok  ' if is_well else 'BAD '} {name}" + (f": {words}" if words else "")


def mode_used(settings: Settings) -> str:
    """The mode in use."""
    return f"Mode: {mode_title(settings.routing.mode)}"


def not_pinned(scope: str) -> str:
    """There is no such pin."""
    return f"{scope} is not pinned."


def mode_unset(title: str) -> str:
    """A mode that nothing is set up for."""
    return f"{title} cannot be used yet: no model is set for it."
