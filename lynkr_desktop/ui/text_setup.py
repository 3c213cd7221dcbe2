"""Every sentence that a user reads on the pages Tiers and Providers. Constants and small functions; no widgets, no decisions."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from lynkr_desktop.config.settings import AccountKey, Boundaries, Mode, Target, Tier
from lynkr_desktop.engine.api import AccountState, KeyState, LocalServer, ProbeResult
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.providers.provider import Auth, Provider
from lynkr_desktop.engine.routing.replay import WhatIf
from lynkr_desktop.engine.routing.route import Dimension
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui.language import say, say_back, say_number
from lynkr_desktop.ui.text import failure, mode_title, points, tier_name

# ---------------------------------------------------------------- both

UNSAVED: Final = "Not saved yet"
SAVE: Final = "Save"
UNDO: Final = "Undo"
CANCEL: Final = "Cancel"
REMOVE: Final = "Remove"
READ_ONLY: Final = (
    "These settings cannot be changed here.",
    "A newer Lynkr wrote them. Update this one, or set the file aside and start afresh.",
)


def price(facts: ModelFacts) -> str:
    """What a million tokens cost, in and out."""
    if facts.is_free:
        return shown.FREE
    if facts.input_price is None or facts.output_price is None:
        return shown.UNPRICED
    return shown.dollars(f"{_amount(facts.input_price)} / {_amount(facts.output_price)}")


def _amount(price_usd: str) -> str:
    return shown.amount_text(Decimal(price_usd))


def price_hint(facts: ModelFacts) -> str:
    """The price in a sentence, with its date."""
    if facts.is_free:
        return say("Free: the model runs on this machine.")
    if facts.input_price is None or facts.output_price is None:
        return say("No price is known for this model.")
    if not facts.as_of:
        return say("US dollars for a million tokens, in and out.")
    return say("US dollars for a million tokens, in and out, as of {date}.", date=facts.as_of)


def abilities(facts: ModelFacts) -> str:
    """Window and abilities in one line. What is unknown is left out."""
    window = say("{tokens} window", tokens=shown.tokens(facts.context_tokens)) if facts.context_tokens else ""
    marks = zip(ABILITIES, (facts.takes_tools, facts.takes_images, facts.thinks), strict=True)
    return " · ".join(part for part in (window, *(word for word, has in marks if has)) if part)


ABILITIES: Final = ("tools", "images", "thinks")
KEYCHAIN_WAITING: Final = "waiting for your keychain"
KEYCHAIN_SESSION: Final = "this session only"


def keychain_name(platform: str, desktop: str) -> str:
    """What the system calls its keychain."""
    if platform == "darwin":
        return say("macOS Keychain")
    if platform == "win32":
        return "Windows Credential Manager"
    return "KDE Wallet" if "KDE" in desktop.upper() else say("your system's keychain")


# ---------------------------------------------------------------- tiers

PRESETS: Final = "Presets"
PROVIDER: Final = "Provider"
MODEL: Final = "Model"
MODEL_HINT: Final = "Model"
SHOW_MODELS: Final = "Show all models"
ADD: Final = "Add"
ADD_PROVIDER: Final = "Add a provider"
USE_AUTO: Final = "Use Auto tiers"
MOVE_UP: Final = "Move up"
MOVE_DOWN: Final = "Move down"
BAND_TITLE: Final = "Where the boundaries lie"
BAND_NOTE: Final = "scores of the last 7 days · drag a boundary"
BAND_EMPTY: Final = "No scored request in the last 7 days"
ABILITIES_UNKNOWN: Final = "abilities unknown"
TIER_EMPTY: Final = "Add a model: tiers route only once each of the four has one."
TIERS_EMPTY: Final = "No tier has a model yet"
TIERS_EMPTY_DETAIL: Final = (
    "Each request gets a score from 0 to 100 and goes to the tier that the score falls into. Begin with one model for all four."
)
PRESET_BUILT_IN: Final = "Use the built-in model for all tiers"
TRY_IT: Final = "Try it"
TRY_IT_NOTE: Final = "nothing is sent to a model"
TRY_IT_NAME: Final = "A prompt to try"
TRY_IT_HINT: Final = "Type or paste a prompt"
TRY_IT_EMPTY: Final = "Its score, tier and reason appear here while you type."


def boundary_name(below: Tier, above: Tier) -> str:
    """What a boundary is called."""
    return say("Last score of {below}, before {above}", below=below, above=above)


def band_summary(boundaries: Boundaries, counts: Sequence[int]) -> str:
    """The band in one sentence."""
    parts = []
    for tier, count in zip(Tier, counts, strict=True):
        first, last = boundaries.range_of(tier)
        requests = requests_counted(count)
        parts.append(say("{tier} {first} to {last}, {requests}", tier=tier, first=first, last=last, requests=requests))
    return say("Scores of the last 7 days: {tiers}.", tiers="; ".join(parts))


def requests_counted(count: int) -> str:
    """A number of requests."""
    return say_number(count, "{number} request", "{number} requests")


def tier_range(first: int, last: int, count: int | None) -> str:
    """The scores of a tier, and how many requests it had."""
    scores = f"{first}–{last}"
    return f"{scores} · {say('{requests} last week', requests=requests_counted(count))}" if count else scores


def numbered(index: int, model: str) -> str:
    """A target's model with its place in the order."""
    return f"{index + 1}. {model}"


def target_name(index: int, model: str, account: str) -> str:
    """A target as screen readers say it."""
    place = say("Serves first") if index == 0 else say("Fallback {number}", number=index)
    return f"{place}: {model}, {account}"


def target_price(account: str, facts: ModelFacts) -> str:
    """Whose model it is and what it costs."""
    return f"{account} · {price(facts)}"


def add_target(*, has_targets: bool) -> str:
    """The button that adds a target."""
    return say("+ Add a fallback") if has_targets else say("+ Add a model")


def target_without_account(account: str) -> str:
    """A target whose account is gone."""
    return say("There is no provider named {name} any more. Remove its model, or add the provider again.", name=account)


def target_switched_off(title: str) -> str:
    """A target whose account is off."""
    return say("{name} is switched off, so its model does not serve.", name=title)


def preset_all(account: str, model: str) -> str:
    """The preset of one model for all tiers."""
    return say("Use {model} for all tiers", model=f"{account} · {model}")


def preset_split(local: str, remote: str) -> str:
    """The preset that keeps easy requests on this machine."""
    return say("{local} for SIMPLE and MEDIUM, {remote} above", local=local, remote=remote)


def what_if_line(found: WhatIf) -> str:
    """Last week under the tiers on the page. Empty where there was nothing to compare."""
    if not found.requests:
        return ""
    then, before = shown.money(found.cost_usd), shown.money(found.before_usd)
    moves = say("{moved} of {all} requests move", moved=shown.count(found.moved), all=shown.count(found.requests))
    missing = [
        say("{number} unpriced then", number=shown.count(found.unpriced)) if found.unpriced else "",
        say("{number} unpriced before", number=shown.count(found.unpriced_before)) if found.unpriced_before else "",
    ]
    told = [part for part in missing if part]
    parts = [say("Last week under these tiers: ≈ {then} instead of {before}", then=then, before=before), moves]
    return " · ".join([*parts, *([say("left out: {missing}", missing=", ".join(told))] if told else [])])


WHAT_IF_TIP: Final = (
    "From the stored scores and tokens of the last 7 days, as if the score had decided each request by itself. Nothing was sent, "
    "and it says nothing of how well the other models would have done."
)


def tiers_not_used(mode: Mode) -> str:
    """Why the tiers do nothing."""
    return say("The mode is {mode}: these tiers are not in use.", mode=mode_title(mode))


def under_unsaved(tier: Tier | None) -> str:
    """Why a prompt goes elsewhere than now."""
    return say("Under these tiers, once saved, it goes to {tier}.", tier=tier_name(tier))


def goes_to(target: Target | None) -> str:
    """The target of a prompt."""
    return f"→ {target.model}" if target else say("→ no model yet")


def dimension_line(dimension: Dimension) -> str:
    """What one signal did to the score."""
    return f"{points(dimension.points)}  {say_back(dimension.reason)}"


def estimates_line(estimates: Mapping[str, tuple[str, str | None]]) -> str:
    """What an answer would cost on each tier."""
    parts = [f"{tier} {_estimate(amount)}" for tier, (_, amount) in estimates.items()]
    return say("A usual answer: {costs}.", costs=", ".join(parts)) if parts else ""


def _estimate(amount: str | None) -> str:
    value = shown.decimal(amount)
    if value is None:
        return shown.UNPRICED
    return f"{shown.ABOUT} {shown.money(value)}" if value else shown.FREE


# ---------------------------------------------------------------- providers

NAME: Final = "Name"
KEY: Final = "API key"
ADDRESS: Final = "Address"
ADDRESS_HINT: Final = "https://host/path without /v1"
PROGRAM_HINT: Final = "The program's path; empty: it is looked for"
PROGRAM_FOUND: Final = "on this machine, found by itself"
PLACES: Final = {"project": "Project", "region": "Region"}  # parts of an address that users know by name
ADD_KEY: Final = "Add another key"
ADD_KEY_TIP: Final = "It serves while the keys before it are refused, used up or asked too often."
REMOVE_KEY: Final = "Remove this key"
GET_KEY: Final = "Get a key"
TEST: Final = "Test"
EDIT: Final = "Edit"
MORE: Final = "More"
TESTING: Final = "Asking for one short answer…"
TEST_AND_SAVE: Final = "Test and save"
SAVE_ANYWAY: Final = "Save anyway"
USE_DIRECT: Final = "Use in Direct mode"
IS_DIRECT: Final = "Used in Direct mode"
NO_MODEL: Final = "none chosen"
STARTED_BY_US: Final = "on this machine, started by Lynkr"
NO_ADDRESS: Final = "Enter the server's address."
NO_KEY_TYPED: Final = "Paste the key first."
KEY_DROPPED: Final = "The address is another one: enter the key again. The old one is never sent there."
KEY_STATES: Final = {
    "unknown": "not used yet",
    "healthy": "healthy",
    "slow": "slow",
    "failing": "failing",
    "no_key": "missing",
    "elsewhere": "entered for another address",
    "resting": "not used",
}
CARD_ROWS: Final = ("Model", "Key", "Address", "Offers")
PROVIDERS_EMPTY: Final = "No provider yet"
PROVIDERS_EMPTY_DETAIL: Final = "A provider answers requests: a vendor with a key of yours, or a model server on this machine."


def edit_title(title: str) -> str:
    """The form's title while an account is edited."""
    return say("Edit {title}", title=title)


def card_title(title: str, provider: str) -> str:
    """An account's own name, with its provider where that says something new."""
    return title if title == provider else f"{title} · {provider}"


def key_line(entry: Provider | None, hints: Sequence[str], place: str) -> str:
    """Where an account's keys are and how they end."""
    if not hints:
        return say("missing") if entry is not None and entry.needs_key else say("none needed")
    where = place if place == KEYCHAIN_SESSION else say("in {place}", place=place)
    if len(hints) == 1:
        return say("{where} · ends {hint}", where=where, hint=hints[0])
    return say("{number} keys {where}", number=len(hints), where=where)


def key_name(key: AccountKey) -> str:
    """What a key is called beside the account's others."""
    return key.title or say("Key {number}", number=key.id or 1)


def key_field_name(key: AccountKey) -> str:
    """A key's field as screen readers say it."""
    return KEY if not key.id and not key.title else f"{KEY}: {key_name(key)}"


def key_placeholder(entry: Provider, hint: str) -> str:
    """What stands in the empty key field."""
    if hint:
        return say("kept · ends {hint}", hint=hint)
    if entry.auth is Auth.AWS:
        return say("A Bedrock API key, or nothing: this machine's AWS credentials")
    if entry.auth is Auth.GOOGLE:
        return say("A service account's JSON, or this machine's own")
    if entry.auth in {Auth.ENTRA, Auth.ENTRA_X}:
        return say("The key, or the JSON of a service principal")
    return say("Paste the key") if entry.needs_key else say("Only if the server wants one")


def key_kept_in(place: str) -> str:
    """Where a key will go."""
    if place == KEYCHAIN_SESSION:
        return say("Kept for this session only.")
    if place == KEYCHAIN_WAITING:
        return say("Your keychain may ask for its password.")
    return say("Kept in {place}, never in a file of Lynkr.", place=place)


def own_place(entry: Provider | None) -> str:
    """Where something without an address runs."""
    return PROGRAM_FOUND if entry is not None and entry.is_program else STARTED_BY_US


def models_found(count: int | None) -> str:
    """How many models an account lists."""
    if count is None:
        return shown.UNKNOWN
    return say_number(count, "{number} model", "{number} models")


def hour_line(state: AccountState | None) -> str:
    """An account's last hour."""
    if state is None or not state.requests:
        return say("not used in the last hour")
    parts = [say("last hour: {requests}", requests=requests_counted(state.requests))]
    if state.errors:
        parts.append(say("{number} failed", number=shown.count(state.errors)))
    if state.p50_first_token_ms is not None:
        parts.append(say("first token {time}", time=shown.duration(state.p50_first_token_ms)))
    return " · ".join(parts)


def switch_words(*, is_enabled: bool) -> str:
    """The action that switches an account."""
    return say("Switch off") if is_enabled else say("Switch on")


def probe_words(result: ProbeResult) -> str:
    """What a test gave: time and the model's words, or the provider's own error and the next step."""
    if result.is_ok:
        return say("Answered in {time}: “{words}”", time=shown.duration(result.milliseconds), words=result.text)
    return f"{say_back(result.text)}\n{say_back(result.next_step) or failure(result.kind)[1]}".strip()


def key_health(key: KeyState, hint: str) -> str:
    """How one of several keys does."""
    name = say("Key {number}", number=key.name[4:]) if key.name.startswith("key ") else key.name
    state = KEY_STATES.get(key.state, key.state)
    if key.rests_seconds:
        state = say("{state} for {time}", state=state, time=shown.duration(key.rests_seconds * 1000))
    failed = say("{number} failed", number=shown.count(key.errors))
    used = f"{requests_counted(key.requests)}, {failed}" if key.requests else ""
    why = say_back(key.detail.partition("\n")[0]) if key.rests_seconds else ""
    ends = say("ends {hint}", hint=hint) if hint else ""
    return " · ".join(part for part in (name, ends, state, used, why) if part)


def named_result(key: AccountKey, result: ProbeResult) -> ProbeResult:
    """The failed test of one of several keys, with its name."""
    return result if result.is_ok else msgspec.structs.replace(result, text=f"{key_name(key)}: {result.text}")


def tested_keys(results: Sequence[tuple[AccountKey, ProbeResult]]) -> str:
    """The tests of an account's keys, one after the other."""
    return "\n".join(f"{key_name(key)}: {probe_words(result)}" for key, result in results)


def found_server(server: LocalServer) -> str:
    """A model server on this machine."""
    place = server.base_url.removeprefix("http://")
    models = models_found(len(server.models))
    return say("{server} found on {place} · {models}", server=server.title, place=place, models=models)


def removed(title: str) -> str:
    """What was just removed."""
    return say("{title} was removed, with its key and its places in the tiers.", title=title)


def unknown_provider(provider: str) -> str:
    """A provider that the catalogue does not have."""
    return say("There is no provider named “{name}”.", name=provider)
