"""What the ledger's requests would have cost at a baseline that the user named, against what they cost. Signed: it can be a loss.

The baseline is each answer's own tokens at the baseline's prices. That is `measured` where the baseline's provider itself served
and told the tokens; anywhere else it is `estimated`, for another provider counts and caches otherwise. Where prices or tokens
are unknown it is not measurable, and the request stands on neither side. What a failed request cost counts against us.
"""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from lynkr_desktop.config.settings import ASKED_BASELINE, COMPLEX_BASELINE, Settings, Target
from lynkr_desktop.engine.chat.events import Usage
from lynkr_desktop.engine.metering import cost, decimal_text
from lynkr_desktop.engine.providers import catalogue
from lynkr_desktop.engine.providers.models import ModelFacts, facts_of
from lynkr_desktop.engine.store import schema
from lynkr_desktop.engine.store.reader import Reader
from lynkr_desktop.engine.surfaces import SURFACES, Ask

_MAKERS: Final = {"anthropic": "anthropic", "openai_chat": "openai", "openai_responses": "openai", "gemini": "google"}
_MAKER_OF: Final = {surface.name: _MAKERS.get(surface.wire, "") for surface in SURFACES}
_NO_ANSWERS: Final = frozenset(surface.name for surface in SURFACES if surface.ask is not Ask.CHAT)
_COLUMNS: Final = (
    "rowid, surface, requested_model, account, provider, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, "
    "cost_pico, cost_basis, error"
)

_MATCHES: Final = "(? = '' OR provider = ? OR account = ?) AND (? = '' OR model = ?)"


class Choice(msgspec.Struct, frozen=True):
    """A provider and a model there: what would have served."""

    provider: str
    model: str


class Baseline(msgspec.Struct, frozen=True):
    """What is compared with. `name` is for the user; `choice_for` takes surface and requested model; None where none is known."""

    key: str
    name: str
    choice_for: Callable[[str, str], Choice | None]


class Saved(msgspec.Struct, frozen=True):
    """A sum over requests: USD saved (negative: lost), how many are in it by label, and how many could not be measured."""

    amount: Decimal = Decimal(0)
    actual: Decimal = Decimal(0)
    measured: int = 0
    estimated: int = 0
    unmeasurable: int = 0

    @property
    def usd(self) -> str | None:
        """The amount as decimal text; None if requests were made and none could be measured."""
        return None if self.unmeasurable and not (self.measured or self.estimated or self.actual) else decimal_text(self.amount)

    @property
    def label(self) -> str:
        """`measured` if everything in the sum is, else `estimated`."""
        return "estimated" if self.estimated else "measured"


def baseline_of(settings: Settings) -> Baseline | None:
    """The baseline that the settings name; None if they name none, or one that is not set up."""
    wanted = settings.baseline
    if wanted == ASKED_BASELINE:
        accounts = " ".join(f"{each.id}={each.provider}" for each in settings.accounts)
        return Baseline(f"{wanted} {accounts}", "the model asked for", lambda surface, model: _asked(settings, surface, model))
    name = ""
    target: Target | None = None
    if wanted == COMPLEX_BASELINE:
        name, target = "always COMPLEX", next(iter(settings.routing.tiers.complex), None)
    elif ":" in wanted:
        name, target = f"always {wanted.partition(':')[2]}", Target(*wanted.split(":", 1))
    account = settings.account(target.account) if target is not None else None
    if target is None or account is None:
        return None
    choice = Choice(account.provider, target.model)
    return Baseline(f"{wanted} {choice.provider}:{choice.model}", name, lambda _surface, _model: choice)


def _asked(settings: Settings, surface: str, model: str) -> Choice | None:
    """Where the requested name leads without us: its account's provider, or the maker of the wire that the client speaks."""
    account_id, _, rest = model.partition(":")
    account = settings.account(account_id)
    if rest and account is not None:
        return Choice(account.provider, rest)
    maker = _MAKER_OF.get(surface, "")
    return Choice(maker, model) if maker else None


class Filter(msgspec.Struct, frozen=True):
    """Only requests that a provider (or an account of that id) and a model served. Empty takes all."""

    provider: str = ""
    model: str = ""


EVERYTHING: Final = Filter()


class Savings:
    """Keeps the sum of the last question, so that asking again reads only what is new. Called from worker threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[int, str, Filter] = (0, "", EVERYTHING)
        self._row = 0
        self._saved = Saved()

    def since(self, connection: Reader, since_ms: int, baseline: Baseline, of: Filter = EVERYTHING) -> Saved:
        """The sum from a moment until now."""
        with self._lock:
            if self._key != (since_ms, baseline.key, of):
                self._key, self._row, self._saved = (since_ms, baseline.key, of), 0, Saved()
            (newest,) = connection.execute("SELECT max(rowid) FROM exchanges").fetchone()
            if (newest or 0) < self._row:  # the ledger was emptied or begun anew
                self._row, self._saved = 0, Saved()
            by = "rowid > ? AND started_at_ms + 0 >= ?" if self._row else "rowid > ? AND started_at_ms >= ?"
            select = f"SELECT {_COLUMNS} FROM exchanges WHERE {by} AND {_MATCHES}"  # noqa: S608
            rows = connection.execute(select, (self._row, since_ms, of.provider, of.provider, of.provider, of.model, of.model))
            saved, last = self._saved, self._row
            for rowid, *values in rows:
                saved, last = _added(saved, _Row(*values), baseline), max(last, rowid)
            self._saved, self._row = saved, last
            return saved


class _Row(msgspec.Struct, frozen=True):
    surface: str
    requested_model: str
    account: str
    provider: str
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cost_pico: int | None
    cost_basis: str
    error: str

    @property
    def actual(self) -> Decimal:
        return Decimal(self.cost_pico or 0) / schema.PICO


def _added(saved: Saved, row: _Row, baseline: Baseline) -> Saved:
    if row.surface in _NO_ANSWERS or not (row.account or row.actual):
        return saved
    if row.error:
        amount, actual = saved.amount - row.actual, saved.actual + row.actual
        return msgspec.structs.replace(saved, amount=amount, actual=actual)
    choice = baseline.choice_for(row.surface, row.requested_model)
    would_cost = _cost(row, choice) if choice is not None and row.cost_pico is not None else None
    if would_cost is None:
        return msgspec.structs.replace(saved, unmeasurable=saved.unmeasurable + 1)
    is_measured = choice is not None and row.provider == choice.provider and row.cost_basis != "estimated"
    return Saved(
        amount=saved.amount + would_cost - row.actual,
        actual=saved.actual + row.actual,
        measured=saved.measured + is_measured,
        estimated=saved.estimated + (not is_measured),
        unmeasurable=saved.unmeasurable,
    )


def _cost(row: _Row, choice: Choice) -> Decimal | None:
    usage = Usage(
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cache_read_tokens=row.cache_read_tokens,
        cache_write_tokens=row.cache_write_tokens,
    )
    return cost(usage, _facts(choice)).amount


def _facts(choice: Choice) -> ModelFacts:
    """Prices of the baseline. A server on this machine is free, whatever its model is called."""
    provider = catalogue.provider(choice.provider)
    return facts_of(choice.provider, choice.model) if provider is not None else ModelFacts()
