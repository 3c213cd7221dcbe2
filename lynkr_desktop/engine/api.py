"""What the window may ask of the engine, and nothing more. A protocol and its values; no logic.

`Engine`'s coroutines run on the engine's loop: the window awaits them through its bridge. `snapshot` may come from any thread.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from lynkr_desktop.config.settings import Account, Boundaries, Budget, Routing, Settings
from lynkr_desktop.engine.events import Event, Exchange, Trouble
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.routing.learners.history import Effect as HistoryEffect
from lynkr_desktop.engine.routing.replay import WhatIf
from lynkr_desktop.engine.routing.route import Route


class KeyState(msgspec.Struct, frozen=True):
    """One of several keys in numbers of the last hour. `state`: unknown, healthy, slow, failing, no_key, elsewhere, resting.

    `elsewhere`: it was entered for another address than the account has. `rests_seconds` is how long it will not be used yet.
    """

    id: str
    name: str
    state: str
    detail: str = ""
    requests: int = 0
    errors: int = 0
    rests_seconds: int = 0


class ModelState(msgspec.Struct, frozen=True):
    """A model of an account: requests in progress, and of those of the last five minutes (twenty at most) how many it served."""

    model: str
    in_progress: int
    requests: int
    errors: int
    p50_first_token_ms: float | None


class AccountState(msgspec.Struct, frozen=True):
    """An account in numbers of the last hour. `state`: unknown, healthy, slow, failing, disabled, no_key.

    `keys` in the order of use, where it has several; `models` those that were asked in the last minutes.
    """

    id: str
    title: str
    provider: str
    provider_title: str
    is_local: bool
    state: str
    detail: str = ""
    requests: int = 0
    errors: int = 0
    p50_first_token_ms: float | None = None
    p95_first_token_ms: float | None = None
    cost_usd: str | None = None
    keys: tuple[KeyState, ...] = ()
    models: tuple[ModelState, ...] = ()


class BudgetScope(msgspec.Struct, frozen=True):
    """Whose money a budget counts, and from when until before when. Empty names mean everybody's.

    A budget of a session has that alone, and `until_ms` 0: it never ends.
    """

    client: str = ""
    project: str = ""
    session: str = ""
    since_ms: int = 0
    until_ms: int = 0


class Claim(msgspec.Struct, frozen=True):
    """An amount in USD that a request may cost, to be held back for all programs to see. An empty id holds nothing."""

    exchange_id: str = ""
    client: str = ""
    project: str = ""
    session: str = ""
    amount: Decimal = Decimal(0)


class BudgetState(msgspec.Struct, frozen=True):
    """A budget at one moment. Of budgets for each session it is the fullest one's among the sessions of today.

    `reserved_usd` is held back for answers that still come. `step`: empty, notify, cap, free, stop. `ends_at_ms` is when it
    begins anew, counted from 1970; None if never.
    """

    budget: Budget
    spent_usd: str
    reserved_usd: str
    step: str
    ends_at_ms: int | None


class Snapshot(msgspec.Struct, frozen=True):
    """The engine at one moment: what tray, window and command line show.

    Sums are of today, local time. `cost_today_usd` counts priced exchanges only; `unpriced_today` says how many are not in it.
    """

    is_serving: bool = False
    url: str = ""
    note: str = ""
    requests_today: int = 0
    failed_today: int = 0
    active: int = 0
    cost_today_usd: str = "0"
    unpriced_today: int = 0
    tiers_today: dict[str, int] = {}
    median_first_token_ms: float | None = None
    last: Exchange | None = None
    accounts: tuple[AccountState, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    budgets: tuple[BudgetState, ...] = ()


class ActivityQuery(msgspec.Struct, frozen=True):
    """Which exchanges to list, newest first. Empty fields do not filter. `before` is an exchange id for the next page."""

    text: str = ""
    tiers: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    only_failed: bool = False
    since_ms: int = 0
    before: str = ""
    limit: int = 200


class Bucket(msgspec.Struct, frozen=True):
    """One bar of the spend chart: cost by key (tier, account, model or client) as decimal text."""

    start_ms: int
    cost_by_key: dict[str, str]
    requests: int


class LatencyBucket(msgspec.Struct, frozen=True):
    """One bar of the latency chart: how long first tokens took. None where there was no answer."""

    start_ms: int
    answers: int
    p50_ms: float | None
    p95_ms: float | None


class Figures(msgspec.Struct, frozen=True):
    """The overview's numbers for a span of time, with a sparkline's values for each, oldest first."""

    cost_usd: str
    unpriced: int
    requests: int
    failed: int
    median_first_token_ms: float | None
    cost_line: tuple[float, ...] = ()
    requests_line: tuple[float, ...] = ()
    first_token_line: tuple[float, ...] = ()
    saved_usd: str | None = None  # signed, against `baseline`; None if it cannot be told
    baseline: str = ""
    saved_label: str = ""  # measured or estimated
    unmeasurable: int = 0  # requests that `saved_usd` leaves out


class ProbeResult(msgspec.Struct, frozen=True):
    """What a real, cheapest call to a provider gave. `text` is the model's answer or the provider's own error."""

    is_ok: bool
    text: str
    milliseconds: float
    model: str = ""
    kind: str = ""  # failure kind
    next_step: str = ""


class LocalServer(msgspec.Struct, frozen=True):
    """A model server found on this machine."""

    provider: str
    title: str
    base_url: str
    models: tuple[str, ...]


class Analysis(msgspec.Struct, frozen=True):
    """What the router would do with a request, without doing it. `estimates`: tier → (target, estimated cost or None)."""

    route: Route
    input_tokens: int
    estimates: dict[str, tuple[str, str | None]] = {}


class Thresholds(msgspec.Struct, frozen=True):
    """The boundaries that the user's verdicts ask for, and what the last thirty days would have been under them.

    Of `verdicts` that concern a boundary, `agreed` agree with those in force, `would_agree` with `boundaries`. `moved` of
    `requests` would have been of another tier. Both costs are of replays by the score alone, under these boundaries and those in
    force, in USD.
    """

    boundaries: Boundaries
    verdicts: int
    agreed: int
    would_agree: int
    requests: int = 0
    moved: int = 0
    cost_usd: str = "0"
    before_usd: str = "0"


class TargetRecord(msgspec.Struct, frozen=True):
    """What a target did in a tier in the last days. `worth` is 0 to 1: how well it did, as the order takes it."""

    target: str
    answers: int
    failed: int
    first_token_ms: float | None
    worth: float


class TierOrder(msgspec.Struct, frozen=True):
    """A tier's targets in the user's order, and which of them goes first by what each did."""

    tier: str
    targets: tuple[TargetRecord, ...]
    first: str


class Trials(msgspec.Struct, frozen=True):
    """What cheaper models were tried for in the last thirty days; USD as decimal text, negative where the trials cost more.

    `unpriced` of those that passed are not in `saved_usd`.
    """

    tried: int = 0
    passed: int = 0
    saved_usd: str = "0"
    unpriced: int = 0


_NO_TRIALS: Final = Trials()


class Learned(msgspec.Struct, frozen=True):
    """What routing has learned of the user, with the effect of each part. `orders` has the tiers with several targets."""

    thresholds: Thresholds
    history: HistoryEffect = HistoryEffect()
    orders: tuple[TierOrder, ...] = ()
    trials: Trials = _NO_TRIALS


class Engine(Protocol):
    """The engine as the window sees it."""

    def snapshot(self) -> Snapshot:
        """The state now. Cheap; from any thread."""
        ...

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` for each event, on the engine's loop. Returns the way to stop that."""
        ...

    async def apply(self, settings: Settings) -> None:
        """Use other settings from the next request on; streams go on. Raises `ConfigError`."""
        ...

    async def set_key(self, ref: str, key: str) -> None:
        """Use a key from now on, under its name (`Account.ref`); empty removes it. The keychain is not this room's business."""
        ...

    async def reset_breakers(self, account: str = "") -> int:
        """Let the targets of an account, or of all, be tried again at once. How many had been left alone."""
        ...

    async def probe(self, account: str, key_id: str | None = None) -> ProbeResult:
        """Make the cheapest real call to an account of the applied settings, with this key, else with the one that serves now."""
        ...

    async def probe_candidate(self, account: Account, key: str) -> ProbeResult:
        """The same for an account that is not among the settings yet, or not so. Neither it nor the key is kept."""
        ...

    async def models(self, account: str) -> tuple[ModelFacts, ...]:
        """The models that an account offers. Raises `UpstreamError`."""
        ...

    async def candidate_models(self, account: Account, key: str) -> tuple[ModelFacts, ...]:
        """The same for an account that is not among the settings yet, or not so. Neither it nor the key is kept."""
        ...

    async def discover(self) -> tuple[LocalServer, ...]:
        """Model servers on their usual ports on this machine."""
        ...

    async def analyze(self, text: str) -> Analysis:
        """What a bare prompt would score, and where it would go."""
        ...

    async def what_if(self, routing: Routing, since_ms: int) -> WhatIf:
        """What the requests since a moment would have cost under other tiers."""
        ...

    async def judge(self, exchange_id: str, verdict: int) -> None:
        """Keep the user's verdict on an exchange: 1 higher, -1 lower, 0 takes it back. Raises `ConfigError`."""
        ...

    async def learned(self) -> Learned:
        """What routing has learned, measured over the ledger."""
        ...

    async def activity(self, query: ActivityQuery) -> tuple[Exchange, ...]:
        """Exchanges of the ledger, newest first."""
        ...

    async def figures(self, since_ms: int) -> Figures:
        """The overview's numbers since a moment."""
        ...

    async def spend(self, since_ms: int, buckets: int, by: str) -> tuple[Bucket, ...]:
        """Spend over time in equal buckets, by `tier`, `account`, `model` or `client`."""
        ...

    async def latency(self, since_ms: int, buckets: int) -> tuple[LatencyBucket, ...]:
        """First tokens over time in equal buckets."""
        ...

    async def histogram(self, since_ms: int) -> tuple[int, ...]:
        """How many exchanges had each score: 101 numbers, for 0 to 100."""
        ...

    def facts_of(self, name: str, model: str) -> ModelFacts:
        """What is known of a model of an account, or of a provider. From any thread."""
        ...
