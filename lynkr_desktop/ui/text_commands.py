"""Every sentence that the command line prints for the running program. Constants and small functions; no decisions."""

from typing import Final

from lynkr_desktop.config.settings import TIERS, ClientToken, Settings
from lynkr_desktop.engine.api import AccountState, Snapshot
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui import text, text_tray
from lynkr_desktop.ui.language import say, say_back
from lynkr_desktop.ui.text import mode_title
from lynkr_desktop.ui.text_setup import key_health, requests_counted
from lynkr_desktop.ui.text_tray import spent_today

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
OK: Final = "ok  "
BAD: Final = "BAD "
TIERS_SERVE: Final = "each tier has a model"


def status(snapshot: Snapshot, settings: Settings) -> list[str]:
    """How it goes."""
    served = say("Serving on {url}", url=snapshot.url) if snapshot.is_serving else text.NOT_SERVING
    lines = [served, mode_used(settings), *usage(snapshot)]
    lines += [f"{text_tray.tray_trouble(trouble.title)} {say_back(trouble.detail)}".rstrip() for trouble in snapshot.troubles]
    return [*lines, *([say_back(snapshot.note)] if snapshot.note else [])]


def usage(snapshot: Snapshot) -> list[str]:
    """Today's sums."""
    if not snapshot.requests_today:
        return [NO_REQUESTS]
    cost = spent_today(snapshot.cost_today_usd, snapshot.unpriced_today)
    requests, failed = requests_counted(snapshot.requests_today), shown.count(snapshot.failed_today)
    lines = [say("Today: {requests}, {failed} failed, {cost}", requests=requests, failed=failed, cost=cost)]
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
        state = text.ACCOUNT_STATES.get(account.state, account.state)
        lines.append(f"{account.id:<20} {state:<14} {account.title} {say_back(account.detail)}".rstrip())
        lines += [f"  {key_health(key, '')}" for key in account.keys]
    return lines or [NO_PROVIDERS]


def clients(tokens: tuple[ClientToken, ...]) -> list[str]:
    """The programs that have tokens of their own."""
    return [f"{each.name:<24} …{each.hint}  {say('since {date}', date=each.made_on)}" for each in tokens] or [NO_CLIENTS]


def revoked(name: str) -> str:
    """A token opens nothing any more."""
    return say("The token of {name} opens nothing any more.", name=name)


def no_such_account(account: str) -> str:
    """An account that is not there."""
    return say("There is no provider named {name}. lynkr-desktop providers lists them.", name=account[:80])


def reset(number: int) -> str:
    """Targets that had been left alone."""
    if not number:
        return say("No model was left alone.")
    return say("Models that are tried again: {number}.", number=shown.count(number))


def check(name: str, *, is_well: bool, words: str = "") -> str:
    """One line of the doctor."""
    return f"{OK if is_well else BAD} {name}" + (f": {words}" if words else "")


def mode_used(settings: Settings) -> str:
    """The mode in use."""
    return say("Mode: {mode}", mode=mode_title(settings.routing.mode))


def not_pinned(scope: str) -> str:
    """There is no such pin."""
    return say("{scope} is not pinned.", scope=scope)


def mode_unset(title: str) -> str:
    """A mode that nothing is set up for."""
    return say("{mode} cannot be used yet: no model is set for it.", mode=title)
