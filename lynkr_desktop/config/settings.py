"""What the user decided: one frozen, versioned tree. Values and their checks only; files are in `file`, secrets in `secrets`."""

import dataclasses
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from lynkr_desktop.errors import ConfigError

VERSION: Final = 2
DEFAULT_PORT: Final = 8081
MOST_KEYS: Final = 16
_KEY_ID: Final = re.compile(r"[2-9]|[1-9][0-9]")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")


class Tier(StrEnum):
    """How much model a request needs, cheapest first."""

    SIMPLE = "SIMPLE"
    MEDIUM = "MEDIUM"
    COMPLEX = "COMPLEX"
    REASONING = "REASONING"

    @property
    def rank(self) -> int:
        """0 for SIMPLE to 3 for REASONING."""
        return _RANKS[self]


TIERS: Final = tuple(Tier)
_RANKS: Final = {tier: rank for rank, tier in enumerate(TIERS)}


class ModeKind(StrEnum):
    """Who chooses the model."""

    AUTO = "auto"  # the score chooses a tier
    PIN = "pin"  # always the same tier
    DIRECT = "direct"  # always one provider and model, no tiers
    OBSERVE = "observe"  # the same, but what AUTO would have chosen is noted
    LOCAL = "local"  # as AUTO, but nothing leaves this machine


@dataclass(frozen=True, slots=True)
class Mode:
    """The routing mode; `tier` belongs to PIN."""

    kind: ModeKind = ModeKind.AUTO
    tier: Tier | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """An account and a model there. `model` may hold colons (`qwen2.5:7b`)."""

    account: str
    model: str

    def __str__(self) -> str:
        return f"{self.account}:{self.model}"


@dataclass(frozen=True, slots=True)
class AccountKey:
    """What is known of a key but the key itself, which is in the keychain under `Account.ref`.

    `origin` is the one that the key was entered for: it is used for no other; empty means any. `id` is empty for the account's
    first key, else a number that no other key of the account has.
    """

    origin: str = ""
    id: str = ""
    title: str = ""

    @property
    def name(self) -> str:
        """What to call it beside the account's other keys. Stays the same when their order changes."""
        return self.title or f"key {self.id or 1}"


@dataclass(frozen=True, slots=True)
class Account:
    """A provider as the user set it up.

    `base_url` empty means the provider's own. `keys` in the order of use: a later one serves while those before it are refused or
    used up.
    """

    id: str
    provider: str
    title: str = ""
    base_url: str = ""
    model: str = ""  # used in Direct mode and where a tier names no model
    keys: tuple[AccountKey, ...] = ()
    is_enabled: bool = True
    most_at_once: int = 0  # requests in progress there at one time; 0: as many as the provider allows
    keep_alive: str = ""  # of Ollama: how long a model stays in memory after a request, e.g. 30m, or -1 for ever
    is_preloaded: bool = False  # of Ollama: load the tiers' models when the program starts

    def ref(self, key_id: str = "") -> str:
        """The name under which one of its keys is kept."""
        return f"{self.id}:{key_id}" if key_id else self.id

    @property
    def refs(self) -> tuple[str, ...]:
        """The names of all its keys, in the order of use."""
        return tuple(self.ref(key.id) for key in self.keys)


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The highest score that still belongs to SIMPLE, MEDIUM and COMPLEX; the rest is REASONING."""

    simple: int = 25
    medium: int = 50
    complex: int = 75

    def tier_of(self, score: float) -> Tier:
        """The tier of a score 0 to 100. Only upper bounds are compared, so no score falls into a gap."""
        if score <= self.simple:
            return Tier.SIMPLE
        if score <= self.medium:
            return Tier.MEDIUM
        return Tier.COMPLEX if score <= self.complex else Tier.REASONING

    def range_of(self, tier: Tier) -> tuple[int, int]:
        """First and last whole score of a tier."""
        starts = (0, self.simple + 1, self.medium + 1, self.complex + 1)
        ends = (self.simple, self.medium, self.complex, 100)
        return starts[tier.rank], ends[tier.rank]


class TargetOrder(StrEnum):
    """Which of a tier's targets is tried first."""

    LISTED = "listed"  # the one that stands first
    LATENCY = "latency"  # the one whose first token comes soonest
    LEAST_BUSY = "least_busy"  # the one with the fewest requests in progress
    SUCCESS = "success"  # the one that fails least


@dataclass(frozen=True, slots=True)
class TierTargets:
    """Each tier's targets: the first serves, the rest are its fallbacks, in order."""

    simple: tuple[Target, ...] = ()
    medium: tuple[Target, ...] = ()
    complex: tuple[Target, ...] = ()
    reasoning: tuple[Target, ...] = ()

    def of(self, tier: Tier) -> tuple[Target, ...]:
        """The targets of one tier."""
        return (self.simple, self.medium, self.complex, self.reasoning)[tier.rank]

    def with_tier(self, tier: Tier, targets: tuple[Target, ...]) -> "TierTargets":
        """The same with one tier's targets replaced."""
        return dataclasses.replace(self, **{tier.value.lower(): targets})

    @property
    def are_complete(self) -> bool:
        """Has every tier a target? Only then do tiers route."""
        return all(self.of(tier) for tier in TIERS)


@dataclass(frozen=True, slots=True)
class Routing:
    """The mode, the tiers and where they end. `direct` is the account and model of Direct mode."""

    mode: Mode = field(default_factory=Mode)
    tiers: TierTargets = field(default_factory=TierTargets)
    boundaries: Boundaries = field(default_factory=Boundaries)
    direct: Target | None = None
    fallback: Target | None = None  # FALLBACK_PROVIDER: the last resort after all tiers
    is_fallback_enabled: bool = True
    order: TargetOrder = TargetOrder.LISTED  # among a tier's own targets; a conversation keeps its model all the same
    is_sticky: bool = True  # a conversation keeps its model unless a change is worth it
    is_careful: bool = False  # what changes payments, sign-in, secrets, stored data and the like is COMPLEX at least
    embeddings: Target | None = None  # EMBEDDINGS_PROVIDER: who makes vectors; without a model, the provider's usual one


@dataclass(frozen=True, slots=True)
class Pin:
    """What serves some requests by the user's order, whatever the score says: either a tier or one target.

    `scope` is `all`, `client:<id>`, `project:<name>` or `session:<id>`, as they stand in the ledger. `until_ms`, counted from
    1970, is when it ends by itself; None: when it is taken away.
    """

    scope: str
    tier: Tier | None = None
    target: Target | None = None
    until_ms: int | None = None

    @property
    def kind(self) -> str:
        """What the scope is of: all, client, project or session."""
        return self.scope.partition(":")[0]

    @property
    def name(self) -> str:
        """The program, project or session; empty for all."""
        return self.scope.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where clients reach us. Always loopback."""

    port: int = DEFAULT_PORT


@dataclass(frozen=True, slots=True)
class ClientToken:
    """A token of one program's own. The token itself is kept nowhere: `fingerprint` is its SHA-256 in hexadecimal.

    `name` is what the ledger calls the program. `hint` are the token's last letters, `made_on` is a day like 2026-11-22.
    """

    name: str
    fingerprint: str
    hint: str = ""
    made_on: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds, so that nothing hangs and nothing drowns. A stream as a whole is limited only by the program's end."""

    connect_seconds: float = 10.0
    first_byte_seconds: float = 300.0
    idle_seconds: float = 180.0
    stop_seconds: float = 5.0  # at the program's end, for the answers in progress
    max_concurrent: int = 256  # requests at once; as many again may wait
    max_memory_mib: int = 4096  # beyond it requests are taken one by one
    fast_spending_usd: float = 20.0  # a conversation that spends more in ten minutes is told of
    stops_loops: bool = False  # refuse conversations that go in circles or spend so fast, instead of only warning


class Theme(StrEnum):
    """Colours of the window."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class EngineLoop(StrEnum):
    """Which event loop hosts the engine in the desktop program."""

    THREAD = "thread"  # its own, in its own thread
    QT = "qt"  # the window's, through qasync


@dataclass(frozen=True, slots=True)
class Notifications:
    """What the desktop tells by a notification. At quiet hours, local time as `22:00`, it tells nothing; both empty: always."""

    failover: bool = True
    budget: bool = True
    trouble: bool = True
    mode: bool = True
    quiet_from: str = ""
    quiet_until: str = ""

    def is_quiet(self, minute: int) -> bool:
        """Is this minute of the day in the quiet hours? They may go over midnight."""
        if not self.quiet_from or not self.quiet_until:
            return False
        start, end = minute_of(self.quiet_from), minute_of(self.quiet_until)
        return start <= minute < end if start <= end else minute >= start or minute < end


def minute_of(clock: str) -> int:
    """The minute of the day of `22:00`. Raises `ValueError`."""
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", clock, re.ASCII)
    if match is None:
        raise ValueError(clock)
    return 60 * int(match[1]) + int(match[2])


@dataclass(frozen=True, slots=True)
class Desktop:
    """How the window behaves."""

    theme: Theme = Theme.SYSTEM
    language: str = ""  # as a code; empty: the system's
    engine_loop: EngineLoop = EngineLoop.THREAD
    shows_window_at_start: bool = True
    is_embedded_model_enabled: bool = True
    notifications: Notifications = field(default_factory=Notifications)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is kept of exchanges, and how long."""

    keep_days: int = 90
    most_megabytes: int = 1000  # beyond it the oldest go early; a million bytes each


class Cascade(StrEnum):
    """Which answers a cheaper model may try first, to be checked before anybody sees them."""

    OFF = "off"
    WHOLE = "whole"  # those that the client wants in one piece
    ALL = "all"  # streams too, which then come only once they are whole


@dataclass(frozen=True, slots=True)
class Learning:
    """What routing may learn of its user."""

    history: bool = False  # from verdicts on like asks; keeps a fingerprint of each ask
    order: bool = False  # the order of a tier's targets, from how each did
    cascade: Cascade = Cascade.OFF


class BudgetPeriod(StrEnum):
    """After what time a budget begins anew, at local midnight; weeks begin on Mondays."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    NONE = "none"  # never: for sessions


@dataclass(frozen=True, slots=True)
class Budget:
    """How much money may be spent, and what happens on the way there.

    `scope` is `all`, `client:<id>` for one program, `project:<name>` for one project, or `session` for every session by itself,
    which has no period. The steps are percents of the amount at which something happens; None leaves a step out. Programs and
    projects are called as in the ledger.
    """

    amount_usd: str  # decimal text, for it is compared with exact sums
    scope: str = "all"
    period: BudgetPeriod = BudgetPeriod.DAY
    notify_at: int | None = 80  # tell the user
    cap_at: int | None = None  # use no tier above `highest_tier`
    highest_tier: Tier = Tier.MEDIUM
    free_at: int | None = None  # use only models that cost nothing
    stop_at: int | None = 100  # refuse requests

    @property
    def amount(self) -> Decimal:
        """The amount as an exact number."""
        return Decimal(self.amount_usd)

    @property
    def client(self) -> str:
        """The program's id where the budget is one program's; else empty."""
        return self.scope.removeprefix(CLIENT_SCOPE) if self.scope.startswith(CLIENT_SCOPE) else ""

    @property
    def project(self) -> str:
        """The project's name where the budget is one project's; else empty."""
        return self.scope.removeprefix(PROJECT_SCOPE) if self.scope.startswith(PROJECT_SCOPE) else ""


CLIENT_SCOPE: Final = "client:"
PROJECT_SCOPE: Final = "project:"
_PIN_SCOPE: Final = re.compile(r"all|(?:client|project|session):[^\x00-\x1f]{1,128}")
_MOST_PINS: Final = 200
ASKED_BASELINE: Final = "requested"  # the model that the client asked for
COMPLEX_BASELINE: Final = "complex"  # always the first target of COMPLEX
_MOST_USD: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ModelOverride:
    """What the user knows better of a model: None leaves what is known. Prices in USD for a million tokens, as decimal text.

    `model` may be `*` for all models of an account, `account` for a model wherever it is. `quirks` are of those that the engine's
    wires know, by name, for what a provider refuses since yesterday.
    """

    account: str
    model: str
    context_tokens: int | None = None
    output_tokens: int | None = None
    takes_tools: bool | None = None
    takes_images: bool | None = None
    takes_sampling: bool | None = None  # temperature, top_p, top_k
    thinks: bool | None = None
    input_price: str | None = None
    output_price: str | None = None
    cache_read_price: str | None = None
    cache_write_price: str | None = None
    cache_write_1h_price: str | None = None
    is_free: bool | None = None
    quirks: dict[str, bool | int | str] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, object]:
        """What it says of the model."""
        others = ("account", "model", "quirks")
        return {item.name: getattr(self, item.name) for item in dataclasses.fields(self) if item.name not in others}


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole tree."""

    version: int = VERSION
    endpoint: Endpoint = field(default_factory=Endpoint)
    accounts: tuple[Account, ...] = ()
    models: tuple[ModelOverride, ...] = ()
    routing: Routing = field(default_factory=Routing)
    limits: Limits = field(default_factory=Limits)
    desktop: Desktop = field(default_factory=Desktop)
    ledger: Ledger = field(default_factory=Ledger)
    budgets: tuple[Budget, ...] = ()
    client_tokens: tuple[ClientToken, ...] = ()  # beside the one token that all programs may use
    pins: tuple[Pin, ...] = ()  # at most one of a scope
    learning: Learning = field(default_factory=Learning)
    baseline: str = COMPLEX_BASELINE  # what savings are counted against; also `account:model`; empty: they are not counted

    def account(self, account_id: str) -> Account | None:
        """The account of that id, if it exists."""
        return next((account for account in self.accounts if account.id == account_id), None)


def validate(settings: Settings) -> Settings:
    """The same settings. Raises `ConfigError` that names the field and the remedy."""
    if not 1 <= settings.endpoint.port <= 65535:
        raise ConfigError("The port is out of range.", "Choose a port from 1 to 65535.", field="endpoint.port")
    bounds = settings.routing.boundaries
    if not 0 <= bounds.simple < bounds.medium < bounds.complex < 100:
        raise ConfigError(
            "The tiers' boundaries are out of order.",
            "They must rise from 0 to 99, for example 25, 50, 75.",
            field="routing.boundaries",
        )
    seen: set[str] = set()
    for index, account in enumerate(settings.accounts):
        where = f"accounts[{index}]"
        if not _NAME.fullmatch(account.id):
            raise ConfigError(
                f"The account name {account.id!r} cannot be used.",
                "Use lower-case letters, digits, dots, dashes and underscores.",
                field=f"{where}.id",
            )
        if account.id in seen:
            raise ConfigError(f"There are two accounts named {account.id!r}.", "Rename one.", field=f"{where}.id")
        seen.add(account.id)
        _validate_places(account, where)
        _validate_keys(account, where)
    list(map(_validate_model, settings.models))
    _validate_limits(settings.limits)
    _validate_notifications(settings.desktop.notifications)
    _validate_client_tokens(settings.client_tokens)
    _validate_pins(settings.pins)
    for index, budget in enumerate(settings.budgets):
        _validate_budget(budget, f"budgets[{index}]")
    if settings.baseline not in ("", ASKED_BASELINE, COMPLEX_BASELINE) and not all(settings.baseline.partition(":")):
        raise ConfigError(
            f"Savings cannot be counted against {settings.baseline[:80]!r}.",
            "Use requested, complex, or an account and a model as account:model.",
            field="baseline",
        )
    if settings.ledger.keep_days < 1:
        raise ConfigError("The ledger must keep at least one day.", "Set 1 or more.", field="ledger.keep_days")
    if settings.ledger.most_megabytes < 1:
        raise ConfigError("The ledger needs at least one megabyte.", "Set 1 or more.", field="ledger.most_megabytes")
    return settings


def _validate_model(override: ModelOverride) -> None:
    where = f"models.{override.account}:{override.model}"
    if not override.account or not override.model or override.account == override.model == "*":
        raise ConfigError(
            "It is not said which model is meant.", "Name its account and the model; one of them may be *.", field=where
        )
    for name, value in override.facts.items():
        if name.endswith("_tokens") and isinstance(value, int) and value < 1:
            raise ConfigError("A number of tokens must be above 0.", "Leave it out if it is not known.", field=f"{where}.{name}")
        if name.endswith("_price") and isinstance(value, str) and not is_price(value):
            raise ConfigError(
                f"{value[:40]!r} is not a price.", "Write US dollars for a million tokens, e.g. 0.25.", field=f"{where}.{name}"
            )


def is_price(text: str) -> bool:
    """Is it an amount of US dollars for a million tokens?"""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return False
    return amount.is_finite() and 0 <= amount <= _MOST_USD


def _validate_keys(account: Account, where: str) -> None:
    if len(account.keys) > MOST_KEYS:
        raise ConfigError(f"An account can have {MOST_KEYS} keys.", "Make a second account.", field=f"{where}.keys")
    for index, key in enumerate(account.keys):
        if key.id and not _KEY_ID.fullmatch(key.id):
            raise ConfigError("A key's id is not a number.", "Use 2 to 99.", field=f"{where}.keys[{index}].id")
    if len(set(account.refs)) < len(account.keys):
        raise ConfigError("Two keys of an account have one id.", "Give each another one.", field=f"{where}.keys")


def _validate_notifications(notifications: Notifications) -> None:
    for name in ("quiet_from", "quiet_until"):
        try:
            clock = getattr(notifications, name)
            minute_of(clock or "0:00")
        except ValueError:
            where = f"desktop.notifications.{name}"
            raise ConfigError(f"{clock[:20]!r} is no time of day.", "Write it as 22:00.", field=where) from None


def _validate_places(account: Account, where: str) -> None:
    if not 0 <= account.most_at_once <= 1000:
        raise ConfigError(
            "The number of requests at once is out of range.", "Use 1 to 1000, or 0.", field=f"{where}.most_at_once"
        )


def _validate_limits(limits: Limits) -> None:
    for item in dataclasses.fields(limits):
        unit = "seconds" if item.name.endswith("_seconds") else "a number"
        value = getattr(limits, item.name)
        if not isinstance(value, bool) and not 0 < value <= 86400:
            raise ConfigError(
                f"The limit {item.name!r} is out of range.", f"Use {unit} from 1 to 86400.", field=f"limits.{item.name}"
            )


def _validate_client_tokens(tokens: tuple[ClientToken, ...]) -> None:
    seen: set[str] = set()
    for index, token in enumerate(tokens):
        where = f"client_tokens[{index}]"
        if not _NAME.fullmatch(token.name):
            raise ConfigError(
                f"The program's name {token.name[:80]!r} cannot be used.",
                "Use lower-case letters, digits, dots, dashes and underscores.",
                field=f"{where}.name",
            )
        if token.name in seen:
            raise ConfigError(f"The program {token.name} has two tokens.", "Keep one of them.", field=f"{where}.name")
        if not _FINGERPRINT.fullmatch(token.fingerprint):
            raise ConfigError(
                f"The fingerprint of {token.name}'s token is not one.",
                "Take the entry out and make a token anew.",
                field=f"{where}.fingerprint",
            )
        seen.add(token.name)


def _validate_pins(pins: tuple[Pin, ...]) -> None:
    if len(pins) > _MOST_PINS:
        raise ConfigError("There are too many pins.", f"Take some away: at most {_MOST_PINS} are kept.", field="pins")
    seen: set[str] = set()
    for index, pin in enumerate(pins):
        if not _PIN_SCOPE.fullmatch(pin.scope):
            raise ConfigError(
                f"The scope {pin.scope[:40]!r} of a pin is not known.",
                "Use all, or client:, project: or session: with a name, for example project:website.",
                field=f"pins[{index}].scope",
            )
        if (pin.tier is None) == (pin.target is None):
            raise ConfigError("A pin needs a tier or a target.", "Give one of the two.", field=f"pins[{index}]")
        if pin.scope in seen:
            raise ConfigError(f"There are two pins for {pin.scope[:60]!r}.", "Take one away.", field=f"pins[{index}].scope")
        seen.add(pin.scope)


def _validate_budget(budget: Budget, where: str) -> None:
    try:
        amount = budget.amount
    except InvalidOperation:
        amount = Decimal(0)
    if not (amount.is_finite() and 0 < amount <= _MOST_USD):
        raise ConfigError(
            f"A budget of {budget.amount_usd[:40]!r} is not an amount of money.",
            "Enter US dollars above 0 as a plain number, for example 10 or 2.50.",
            field=f"{where}.amount_usd",
        )
    if budget.scope not in ("all", "session") and not budget.client and not budget.project:
        raise ConfigError(
            f"The scope {budget.scope[:40]!r} of a budget is not known.",
            "Use all, session, client: with the id of a program, or project: with the name of a project.",
            field=f"{where}.scope",
        )
    if (budget.scope == "session") != (budget.period is BudgetPeriod.NONE):
        raise ConfigError(
            "A budget for each session has the period none, and only such a budget.",
            "Choose day, week or month for all other budgets.",
            field=f"{where}.period",
        )
    for name in ("notify_at", "cap_at", "free_at", "stop_at"):
        percent = getattr(budget, name)
        if percent is not None and not 1 <= percent <= 100:
            raise ConfigError("A budget's step lies outside the budget.", "Use percents from 1 to 100.", field=f"{where}.{name}")
