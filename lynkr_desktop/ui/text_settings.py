"""Every sentence that a user reads on the Settings page. Constants and small functions; no widgets, no decisions."""

from collections.abc import Mapping, Sequence
from typing import Final

from lynkr_desktop.config.secrets import TOKEN_REF, KeychainState
from lynkr_desktop.config.settings import TIERS, EngineLoop, Settings, Target, Theme
from lynkr_desktop.ui.language import say, say_number
from lynkr_desktop.ui.text import mode_title
from lynkr_desktop.ui.text_money import baselines, budget_title

NEXT_START: Final = "Used from the next start."

# ---------------------------------------------------------------- general

GENERAL: Final = "General"
THEME: Final = "Colours"
THEMES: Final = ((Theme.SYSTEM, "Like the system"), (Theme.LIGHT, "Light"), (Theme.DARK, "Dark"))
LANGUAGE: Final = "Language"
SYSTEM_LANGUAGE: Final = "Like the system"
SHOW_WINDOW: Final = "Show this window at start"
SHOW_WINDOW_HINT: Final = "Without a tray it is shown all the same."
START_AT_LOGIN: Final = "Start at login"
START_AT_LOGIN_HINT: Final = "In the background, with its icon in the tray. This is your system's own switch."
NO_START_AT_LOGIN: Final = "This system has no such switch that we know of."

# ---------------------------------------------------------------- notifications

NOTIFICATIONS: Final = "Notifications"
NOTES: Final = {
    "failover": "Another model serves instead",
    "budget": "A budget reaches a step",
    "trouble": "A provider fails, or something else is wrong",
    "mode": "The mode changes while this window is not in front",
}
QUIET: Final = "Quiet hours"
QUIET_FROM: Final = "Quiet from"
QUIET_UNTIL: Final = "Quiet until"
QUIET_HINT: Final = "Local times such as 22:00 and 7:00; empty for none. What is wrong stands in the window all the same."
UNTIL: Final = "to"
NOT_A_CLOCK: Final = "Type a time of day as 22:00, or nothing."

# ---------------------------------------------------------------- endpoint

ENDPOINT: Final = "Endpoint"
ADDRESS: Final = "Address"
PORT: Final = "Port"
TOKEN: Final = "Token"  # noqa: S105  a label
TOKEN_HINT: Final = "Each program must show it. It lies in the keychain, not in a file."  # noqa: S105
NO_TOKEN: Final = "waiting for your keychain"  # noqa: S105
COPY: Final = "Copy"
SHOW: Final = "Show"
HIDE: Final = "Hide"
RENEW: Final = "Renew…"
RENEW_SURE: Final = "Renew: press again"
RENEW_HINT: Final = "The old token stops working at once. Every program that uses it must be given the new one."
RENEWED: Final = "There is a new token. Copy it into each program that used the old one."
TOKEN_GIVEN: Final = "It comes from LYNKR_TOKEN. Change it there."  # noqa: S105
PORT_GIVEN: Final = "It comes from PORT. Change it there."
NOT_A_PORT: Final = "Type a number from 1 to 65535."


def port_taken(port: int, owner: str) -> str:
    """A port that is in use. It is kept all the same: the other program may be gone by then."""
    return say("Port {port} is used by {owner} now.", port=port, owner=owner) + f" {NEXT_START}"


def port_moved(url: str, port: int) -> str:
    """The port in the settings is not the one that serves."""
    now = url.rpartition(":")[2]
    return say(
        "Now serving on {now}; {port} from the next start. Programs must then be given the new address.", now=now, port=port
    )


# ---------------------------------------------------------------- keychain

KEYCHAIN: Final = "Keychain"
RETRY: Final = "Try again"
KEYCHAIN_STATES: Final[Mapping[KeychainState, str]] = {
    KeychainState.UNKNOWN: "Not asked yet",
    KeychainState.READY: "Ready",
    KeychainState.WAITING: "Waiting for its answer",
    KeychainState.LOCKED: "Locked",
    KeychainState.MISSING: "There is none",
}
KEYCHAIN_READY_DETAIL: Final = "Keys and the token are kept there, never in a file of Lynkr."

# ---------------------------------------------------------------- import and export

TRANSFER: Final = "Import and export"
IMPORT_ENV: Final = "Import a .env…"
IMPORT_SETTINGS: Final = "Import settings…"
EXPORT_SETTINGS: Final = "Export settings…"
TRANSFER_HINT: Final = "A .env of Lynkr brings providers, keys and tiers. Exported settings hold no key and no token."
WOULD_CHANGE: Final = "This would change:"
NONE: Final = "none"
NO_MODEL: Final = "no model"
CHANGES_NOTHING: Final = "It changes nothing."
APPLY: Final = "Apply"
CANCEL: Final = "Cancel"
APPLIED: Final = "Applied."
ENV_FILES: Final = "Variables (*.env .env* *.txt);;All files (*)"
JSON_FILES: Final = "Settings (*.json);;All files (*)"
EXPORT_NAME: Final = "lynkr-settings.json"


def exported(path: str) -> str:
    """Where the settings were written."""
    return say("Written to {path}.", path=path)


def changes(before: Settings, after: Settings, secrets: Mapping[str, str]) -> list[str]:
    """What other settings change, one line each. `secrets` holds only the masked end of each."""
    lines = [*_account_changes(before, after), *_routing_changes(before, after)]
    for ref, hint in secrets.items():
        lines.append(
            say("Endpoint token: {hint}", hint=hint)
            if ref == TOKEN_REF
            else say("Key of {provider}: {hint}, goes into the keychain", provider=ref, hint=hint)
        )
    if before.endpoint != after.endpoint:
        lines.append(say("Port: {old} → {new}, from the next start", old=before.endpoint.port, new=after.endpoint.port))
    lines += [say("Limits: other values")] if before.limits != after.limits else []
    lines += [say("Window: other values")] if before.desktop != after.desktop else []
    if before.budgets != after.budgets:
        lines.append(say("Budgets: {budgets}", budgets=", ".join(map(budget_title, after.budgets)) or NONE))
    if before.baseline != after.baseline:
        baseline = dict(baselines(after)).get(after.baseline, after.baseline)
        lines.append(say("Savings are counted against: {baseline}", baseline=baseline))
    if before.ledger.most_megabytes != after.ledger.most_megabytes:
        old, new = before.ledger.most_megabytes, after.ledger.most_megabytes
        lines.append(say("Requests take at most: {old} → {new} megabytes", old=old, new=new))
    if before.ledger.keep_days != after.ledger.keep_days:
        kept = {"old": days(before.ledger.keep_days), "new": days(after.ledger.keep_days)}
        lines.append(say("Requests are kept: {old} → {new}", **kept))
    return lines


def _account_changes(before: Settings, after: Settings) -> list[str]:
    lines = []
    for account in after.accounts:
        old = before.account(account.id)
        words = " · ".join(part for part in (account.model, account.base_url) if part)
        if old is None:
            lines.append(say("New provider {name}", name=account.id) + (f": {words}" if words else ""))
        elif (old.model, old.base_url, old.is_enabled, old.title) != (
            account.model,
            account.base_url,
            account.is_enabled,
            account.title,
        ):
            lines.append(say("Provider {name} changes", name=account.id) + (f": {words}" if words else ""))
    lines += [say("Provider {name} goes", name=account.id) for account in before.accounts if after.account(account.id) is None]
    return lines


def _routing_changes(before: Settings, after: Settings) -> list[str]:
    old, new = before.routing, after.routing
    lines = [f"{tier}: {_targets(new.tiers.of(tier))}" for tier in TIERS if new.tiers.of(tier) != old.tiers.of(tier)]
    if old.mode != new.mode:
        lines.append(say("Mode: {mode}", mode=f"{mode_title(old.mode)} → {mode_title(new.mode)}"))
    if old.direct != new.direct:
        lines.append(say("Direct mode: {model}", model=new.direct or NO_MODEL))
    if (old.fallback, old.is_fallback_enabled) != (new.fallback, new.is_fallback_enabled):
        last = new.fallback if new.fallback and new.is_fallback_enabled else NONE
        lines.append(say("Last resort: {model}", model=last))
    if old.boundaries != new.boundaries:
        bounds = new.boundaries
        scores = f"{bounds.simple}, {bounds.medium}, {bounds.complex}"
        lines.append(say("Boundaries of the tiers: {scores}", scores=scores))
    if old.embeddings != new.embeddings:
        lines.append(say("Embeddings: {model}", model=new.embeddings or NO_MODEL))
    return lines


def _targets(targets: Sequence[Target]) -> str:
    return ", ".join(str(target) for target in targets) or NO_MODEL


# ---------------------------------------------------------------- privacy

PRIVACY: Final = "Privacy"
PRIVACY_TEXT: Final = (
    "Of each request Lynkr keeps when it came, from which program, its score with the reasons, model, tokens, cost, times and "
    "how it ended. Prompts and answers are never written to disk. Nothing is sent to anyone but the provider that serves."
)
KEEP_DAYS: Final = "Keep requests for"
DAYS: Final = "days"
MOST_MEGABYTES: Final = "At most"
MEGABYTES: Final = "megabytes"
NOT_MEGABYTES: Final = "Type a whole number from 1 to 100000."
NOT_DAYS: Final = "Type a whole number from 1 to 3650."
FORGET: Final = "Delete all requests…"
FORGET_SURE: Final = "Delete all: press again"
FORGET_HINT: Final = "The charts and the list begin anew. This cannot be undone."
FORGOTTEN: Final = "All requests were deleted. Today's sums in the header stay until Lynkr ends."


def days(number: int) -> str:
    """A number of days."""
    return say_number(number, "{number} day", "{number} days")


# ---------------------------------------------------------------- advanced

ADVANCED: Final = "Advanced"
LIMITS: Final = (
    ("connect_seconds", "Connect within", "Until a provider takes the connection."),
    ("first_byte_seconds", "First byte within", "Until a provider begins to answer. Models that think take long."),
    ("idle_seconds", "Silence of at most", "Between two pieces of an answer. An answer as a whole is never limited."),
    ("stop_seconds", "Time to end", "For answers in progress when the program ends. What is left then is cut off."),
)
SECONDS: Final = "seconds"
NOT_SECONDS: Final = "Type a number of seconds from 1 to 86400."
ENGINE_LOOP: Final = "The proxy runs"
ENGINE_LOOPS: Final = ((EngineLoop.THREAD, "in a thread of its own"), (EngineLoop.QT, "with the window"))
ENGINE_LOOP_HINT: Final = "In a thread of its own a busy window never holds an answer up."

# ---------------------------------------------------------------- about

ABOUT: Final = "About"
DATA_FOLDER: Final = "Data folder"
LOG_FOLDER: Final = "Log"
OPEN: Final = "Open"
LICENCES: Final = "Licences"
BACK: Final = "Back to Settings"
COPY_DIAGNOSTICS: Final = "Copy diagnostics"
DIAGNOSTICS_COPIED: Final = "Copied: versions, places and settings, without any key or token."
LICENCES_ERROR: Final = "The licences cannot be read."


def version(number: str) -> str:
    """The program and its version."""
    return say("Lynkr Desktop {version}, under the Apache License 2.0", version=number)
