"""Typed telemetry of the engine. No prompt text and no secret inside. Published synchronously on the bus."""

import msgspec

from lynkr_desktop.config.settings import Mode


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One try at one target. Times in milliseconds from the exchange's start; `error` is a failure kind, empty if it served.

    `key` is the name of the account's key, where it has several. `unverified` is the kind of a trial whose answer did not pass.
    """

    account: str
    model: str
    tier: str
    started_ms: float
    first_byte_ms: float | None
    ended_ms: float
    status: int | None
    error: str = ""
    detail: str = ""
    key: str = ""
    cost_usd: str | None = None  # of a trial whose answer did not pass; it is also in the exchange's cost


class ScoredDimension(msgspec.Struct, frozen=True, gc=False):
    """A dimension as kept in the ledger."""

    name: str
    points: float
    reason: str
    value: float = 0.0  # 0 to 100 as measured


class KeptFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the score knew of a request, in numbers and marks only. `work` and `risk` as in the score."""

    work: str = ""
    risk: str = ""
    ask_chars: int = 0
    messages: int = 0
    tools: int = 0
    extra_tools: int = 0  # beyond the program's own
    tool_results: int = 0  # since the last ask
    has_images: bool = False
    is_tool_turn: bool = False
    is_side_request: bool = False
    is_go_ahead: bool = False


class Alternative(msgspec.Struct, frozen=True, gc=False):
    """Another tier's first target, and what it would have meant. USD as decimal text, None if a price is unknown.

    `cost_usd` is for the same tokens, cached ones too; `switch_usd` what sending the conversation there anew would cost, empty
    for the one that served.
    """

    tier: str
    target: str
    cost_usd: str | None = None
    switch_usd: str | None = ""
    time_ms: float | None = None  # for as long an answer, by what that model took lately; None if it has not served yet


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """One request's life, whole: the ledger's row and the window's row.

    `cost_usd` is a decimal number as text; `cost_basis` says where it comes from: `reported` by the provider, `priced` by our
    dated table, `estimated` (a broken stream), `free` (a local model) or `unpriced` (then `cost_usd` is None).
    `id` rises with time. Times are milliseconds; `started_at_ms` counts from 1970.
    """

    id: str
    started_at_ms: int
    client: str
    surface: str
    session: str
    mode: str
    requested_model: str
    tier: str
    score: int | None
    method: str
    reason: str
    dimensions: tuple[ScoredDimension, ...]
    account: str
    provider: str
    model: str
    fidelity: str
    losses: tuple[str, ...]
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cost_usd: str | None
    cost_basis: str
    first_token_ms: float | None
    total_ms: float
    status: int  # what the client got; 499 if it left, 0 if nobody knows
    error: str  # failure kind, `client` for the caller's own fault, `interrupted` if we were ended; empty if all went well
    error_detail: str
    is_streamed: bool
    attempts: tuple[Attempt, ...]
    shadow_tier: str = ""  # what the score would have chosen, where it was only observed
    shadow_target: str = ""
    alternatives: tuple[Alternative, ...] = ()  # one for each tier, SIMPLE first
    floor: str = ""  # the least tier by rule or by the kind of work
    project: str = ""
    verdict: int = 0  # the user's: 1 it should have been higher, -1 lower, 0 nothing
    fingerprint: str = ""  # of the ask, where routing learns from the user's history: 64 hexadecimal digits
    facts: KeptFacts = KeptFacts()


class Sent(msgspec.Struct, frozen=True):
    """What is known of an exchange when its request goes out to a target: enough for a row if nothing more is ever heard.

    `input_tokens` is an estimate.
    """

    id: str
    started_at_ms: int
    client: str
    surface: str
    session: str
    project: str
    mode: str
    requested_model: str
    tier: str
    score: int | None
    method: str
    reason: str
    account: str
    provider: str
    model: str
    input_tokens: int
    is_streamed: bool


class RequestStarted(msgspec.Struct, frozen=True):
    """A request came in."""

    id: str
    surface: str
    client: str


class RouteChosen(msgspec.Struct, frozen=True):
    """A route was decided; nothing was sent yet."""

    id: str
    tier: str
    score: int | None
    account: str
    model: str
    reason: str


class RequestFinished(msgspec.Struct, frozen=True):
    """A request is over, however it ended."""

    exchange: Exchange


class EngineStarted(msgspec.Struct, frozen=True):
    """The endpoint serves. `note` is for the user, e.g. that another port was taken."""

    url: str
    note: str = ""


class EngineStopped(msgspec.Struct, frozen=True):
    """The endpoint no longer serves."""


class ModeChanged(msgspec.Struct, frozen=True):
    """The routing mode is another one."""

    mode: Mode


class FailedOver(msgspec.Struct, frozen=True):
    """One target failed and another one served instead."""

    id: str
    from_target: str
    to_target: str
    kind: str


class AccountHealth(msgspec.Struct, frozen=True):
    """How an account does, from its last exchanges. `state`: unknown, healthy, slow, failing."""

    account: str
    state: str
    detail: str = ""


class Trouble(msgspec.Struct, frozen=True):
    """Something that the user should see: the ledger cannot write, the keychain is locked. `is_over` ends it."""

    key: str
    title: str
    detail: str = ""
    is_over: bool = False


Event = (
    RequestStarted
    | RouteChosen
    | RequestFinished
    | EngineStarted
    | EngineStopped
    | ModeChanged
    | FailedOver
    | AccountHealth
    | Trouble
)
