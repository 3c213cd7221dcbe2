"""Start, stop, apply: wires the rooms together and holds no policy. The whole engine behind `api.Engine`."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Account, Routing, Settings, validate
from lynkr_desktop.engine import probe as probes
from lynkr_desktop.engine.admin import Admin, ControlPages, Metrics, RoutingPages, Sources, Steward
from lynkr_desktop.engine.api import (
    AccountState,
    ActivityQuery,
    Analysis,
    Bucket,
    Figures,
    LatencyBucket,
    Learned,
    LocalServer,
    ModelState,
    ProbeResult,
    Snapshot,
)
from lynkr_desktop.engine.attempts import Attempts
from lynkr_desktop.engine.bus import Bus
from lynkr_desktop.engine.counting import TokenCounter
from lynkr_desktop.engine.doorkeeper import ADMIN_PREFIX, Doorkeeper
from lynkr_desktop.engine.embedding import Embedder
from lynkr_desktop.engine.events import (
    EngineStarted,
    EngineStopped,
    Event,
    Exchange,
    FailedOver,
    ModeChanged,
    RequestFinished,
    RequestStarted,
    Trouble,
)
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.learning import Learners
from lynkr_desktop.engine.lessons import Lessons
from lynkr_desktop.engine.model_watch import ModelWatch
from lynkr_desktop.engine.pipeline import Pipeline, Reply
from lynkr_desktop.engine.plan import plan_of
from lynkr_desktop.engine.port_owner import port_owner
from lynkr_desktop.engine.providers import catalogue
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.embedded import EmbeddedModel, EmbeddedState
from lynkr_desktop.engine.providers.known import KnownModels
from lynkr_desktop.engine.providers.models import ModelFacts, facts_of
from lynkr_desktop.engine.resilience.guard import BudgetGuard
from lynkr_desktop.engine.resilience.spending import DAYS_KEPT, Spent
from lynkr_desktop.engine.routing.facts import facts_of as facts_of_request
from lynkr_desktop.engine.routing.replay import WhatIf
from lynkr_desktop.engine.server import Server
from lynkr_desktop.engine.store.ledger import Ledger
from lynkr_desktop.engine.store.pen import Pen
from lynkr_desktop.engine.store.postgres import Postgres
from lynkr_desktop.engine.store.queries import Queries, SharedQueries
from lynkr_desktop.engine.store.responses import ResponsesStore
from lynkr_desktop.engine.store.savings import baseline_of
from lynkr_desktop.engine.store.shared import SharedLedger
from lynkr_desktop.engine.surfaces import Ask, Surface
from lynkr_desktop.engine.tally import Tally, midnight_ms
from lynkr_desktop.engine.tasks import Tasks
from lynkr_desktop.engine.tokens import estimate_tokens
from lynkr_desktop.engine.upstream import Upstream
from lynkr_desktop.engine.vectors import Vectors
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import ConfigError, LynkrError
from lynkr_desktop.json_reader import encode

_log: Final = logging.getLogger(__name__)
PORTS_TRIED: Final = 10
_DAY_MS: Final = 86_400_000
_MEGABYTE: Final = 1_000_000
_FOREVER_MS: Final = 2**62
_TAKING_OVER_SECONDS: Final = 2.0
_SHARED_WATCH_SECONDS: Final = 5.0
_WATCH_SECONDS: Final = 30.0  # how late a budget's new period may be noticed while nothing is asked


class EngineService:
    """The engine. Made anywhere, started on the loop that it lives on. `keys` by account id; `token` opens the endpoint;
    it may come later. `database` is the address of a ledger that several programs share. Raises `ConfigError`."""

    def __init__(
        self,
        settings: Settings,
        keys: Mapping[str, Secret],
        token: Secret | None,
        ledger_file: Path,
        database: Secret | None = None,
    ) -> None:
        self._keys = dict(keys)
        self._token = token
        self._bus = Bus()
        self._tasks = Tasks()
        self._upstream = Upstream()
        self._tally = Tally(_now_ms)
        self._ledger_trouble = ""
        self._has_embedded_trouble = False
        self._ledger, self._queries, shared = _books(ledger_file, database, self._publish_from_thread)
        self._use_limits_of_ledger(settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._budgets = BudgetGuard(settings.budgets, _now_ms, self._bus.publish, shared)
        self._began_ms = _now_ms()
        self._is_spending_known = False
        self._attempts = Attempts(self._upstream, self._bus, self._awake, self._budgets, self._ledger.begin)
        self._models = ModelWatch(self._upstream, lambda: self._pipeline.plan, self._replan)
        self._embedded = EmbeddedModel(on_change=self._embedded_changed)
        self._settings = settings
        self._responses = ResponsesStore(time.monotonic)
        self._learners = Learners(self._queries)
        self._pipeline = self._make_pipeline()
        self._counter = TokenCounter(self._upstream)
        self.vectors = Vectors(self._upstream, ledger_file.parent / "models")
        self._embedder = Embedder(
            self._upstream,
            self._bus,
            self._budgets,
            vectors=self.vectors,
            keys=self._attempts.keys,
            sending=self._ledger.begin,
        )
        self._metrics = Metrics(time.monotonic())
        self._admin = Admin(
            lambda: self._pipeline.plan,
            self._check_accounts,
            lambda: self._ledger_trouble,
            self._responses,
            self._sources(),
        )
        self._lessons = Lessons(self._queries, lambda: self._pipeline.plan)
        self._routing_pages = RoutingPages(lambda: self._pipeline.plan, self._pipeline, self._queries, self._lessons.what_if)
        self._control = ControlPages(lambda: self._settings, self._attempts.breakers)
        self._doorkeeper = Doorkeeper(token, settings.client_tokens)
        self._server = Server(self, self._doorkeeper, settings.limits)
        self.url = ""
        self.note = ""
        self._introduce()

    def _sources(self) -> Sources:
        """Where the pages for observation get what they show."""
        return Sources(
            settings=lambda: self._settings,
            accounts=lambda: tuple(map(self._account_state, self._settings.accounts)),
            budgets=self._budgets.states,
            queries=self._queries,
            breakers=self._attempts.breakers,
            metrics=self._metrics,
            crowd=lambda: self._server.crowd,
        )

    def _make_pipeline(self) -> Pipeline:
        return Pipeline(
            plan_of(self._settings, self._keys, None),
            self._attempts,
            self._bus,
            self._responses,
            budgets=self._budgets,
            learners=self._learners,
        )

    def _introduce(self) -> None:
        """Let each room hear what it needs."""
        self._bus.subscribe(self._tally.hear, RequestStarted, RequestFinished, Trouble)
        self._bus.subscribe(self._record, RequestFinished)
        self._bus.subscribe(self._budgets.hear, RequestFinished)
        self._bus.subscribe(self._pipeline.loops.hear, RequestFinished)
        self._bus.subscribe(self._metrics.hear, RequestStarted, RequestFinished, FailedOver)
        self._bus.subscribe(self._learners.hear, RequestFinished)

    # --- life ---

    async def start(self) -> None:
        """Serve. Raises `ConfigError` if no port can be had."""
        self._loop = asyncio.get_running_loop()
        validate(self._settings)
        self._upstream.open()
        self._ledger.open()
        if self._ledger.was_interrupted:
            await asyncio.to_thread(self._ledger.flush, _TAKING_OVER_SECONDS)  # for the budgets
        await self._restore_spending(_FOREVER_MS)
        await self._learn()
        await self._listen(self._settings.endpoint.port)
        self._tasks.spawn(self._restore_today(), "today's sums")
        self._tasks.spawn(self._watch_budgets(), "budgets")
        self._tasks.spawn(self._models.look(), "models of this machine")
        self._follow_embedded()
        self._bus.publish(EngineStarted(self.url, self.note))

    async def stop(self) -> None:
        """Let answers end for a moment, then break off the rest; write what is left to the ledger."""
        self._admin.is_stopping = True
        await self._server.stop(self._settings.limits.stop_seconds, self._upstream.cut)
        await self._tasks.end()
        await self._embedded.stop()
        await self.vectors.stop()
        await self._upstream.close()
        await asyncio.to_thread(self._ledger.close)
        self.url = ""
        self._bus.publish(EngineStopped())

    async def _listen(self, wanted: int) -> None:
        last = wanted if wanted == 0 else wanted + PORTS_TRIED - 1
        for port in range(wanted, last + 1):
            try:
                await self._server.start(port)
            except OSError as error:
                _log.info("port %d cannot be had: %s", port, error.strerror)
            else:
                self.url = f"http://127.0.0.1:{self._server.port}"
                if wanted and self._server.port != wanted:
                    owner = await asyncio.to_thread(port_owner, wanted)
                    self.note = f"Port {wanted} is used by {owner}; serving on {self._server.port} instead."
                return
        raise ConfigError(
            f"None of the ports {wanted} to {last} is free.",
            "Choose another port in the settings or with PORT.",
            field="endpoint.port",
        )

    async def _restore_today(self) -> None:
        since = midnight_ms(_now_ms())
        try:
            rows = await self._queries.activity(ActivityQuery(since_ms=since, limit=20_000))
        except LynkrError as error:
            _log.warning("the ledger cannot be read: %s", error)
            return
        self._tally.restore(reversed(rows))

    async def _restore_spending(self, until_ms: int) -> None:
        """Count what the ledger holds of the time before this start, once, as soon as there is a budget to hold it against."""
        if self._is_spending_known or not self._settings.budgets:
            return
        self._is_spending_known = True
        try:
            rows = await self._queries.spent(self._began_ms - DAYS_KEPT * _DAY_MS, until_ms)
        except LynkrError as error:
            detail = f"{error} What was spent before this start is not in the budgets."
            self._bus.publish(Trouble("budget-ledger", "The budgets begin at nothing.", detail))
            return
        self._budgets.restore(
            Spent(at_ms, client, session, Decimal(usd), project) for at_ms, client, session, project, usd in rows
        )

    def _use_limits_of_ledger(self, settings: Settings) -> None:
        self._ledger.keep_days = settings.ledger.keep_days
        self._ledger.most_bytes = settings.ledger.most_megabytes * _MEGABYTE

    async def _watch_budgets(self) -> None:
        """Periods turn also while nothing is asked, and other programs spend."""
        while True:
            await asyncio.sleep(_SHARED_WATCH_SECONDS if self._budgets.is_shared else _WATCH_SECONDS)
            await self._budgets.look()
            self._pipeline.loops.refresh()
            await self._models.look()

    async def _learn(self) -> None:
        """Follow the settings with what routing learns."""
        try:
            await self._learners.use(self._settings.learning)
        except LynkrError as error:
            _log.warning("nothing can be learned of the past: %s", error)

    async def set_token(self, token: Secret) -> None:
        """Open the endpoint with this token from now on. Until there is one, only programs with their own are let in."""
        self._token = token
        self._doorkeeper.use(token, self._settings.client_tokens)

    def open_administration(self, steward: Steward) -> None:
        """Let the endpoint be administered, with a token that opens nothing else. Without this, nobody can."""
        self._doorkeeper.use_for_administration(steward.token)
        self._control.steward = steward

    async def reset_breakers(self, account: str = "") -> int:
        """Let the targets of an account, or of all, be tried again at once. How many had been left alone."""
        return self._control.reset_breakers(account)

    async def forget_exchanges(self) -> None:
        """Delete all requests from the ledger. Today's sums stay until the end of the program. Raises `ConfigError`."""
        await asyncio.to_thread(self._ledger.forget)
        await self._learners.look_again()

    # --- behind the door ---

    async def serve(self, surface: Surface, inbound: Inbound) -> Reply:
        """Answer a model request."""
        if surface.ask is Ask.COUNT_TOKENS:
            return await self._count(inbound)
        if surface.ask is Ask.EMBEDDINGS:
            return await self._embedder.answer(inbound, self._pipeline.plan)
        return await self._pipeline.answer(inbound)

    async def _count(self, inbound: Inbound) -> Reply:
        wire = WIRES[inbound.wire]
        request = inbound.parsed()
        plan = self._pipeline.plan
        route = self._pipeline.route(plan, request, facts_of_request(request, inbound.headers))
        tokens, _ = await self._counter.count(request, route, plan, inbound)
        return Reply(200, {"content-type": "application/json"}, wire.render_token_count(tokens))

    async def page(self, method: str, path: str, inbound: Inbound) -> Reply | None:
        """Health, lists, and what routing does."""
        if path.startswith(ADMIN_PREFIX):
            return await self._control.page(method, path, inbound)
        return await self._routing_pages.page(method, path, inbound) or await self._admin.page(method, path, inbound)

    def refusal(self, error: LynkrError, inbound: Inbound) -> Reply:
        """An error in the client's own wire."""
        return self._pipeline.refusal(error, inbound)

    # --- events ---

    def subscribe(self, listener: Callable[[Event], None], *kinds: type[Event]) -> Callable[[], None]:
        """Call `listener` for each event of these kinds, or of any if none is named."""
        return self._bus.subscribe(listener, *kinds)

    async def report(self, trouble: Trouble) -> None:
        """Tell of something that another room found, or of its end."""
        self._bus.publish(trouble)

    def _record(self, event: Event) -> None:
        if isinstance(event, RequestFinished):
            self._ledger.record(event.exchange)

    def _publish_from_thread(self, trouble: Trouble) -> None:
        """The ledger's writer thread reports here."""
        self._ledger_trouble = "" if trouble.is_over else trouble.title
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._bus.publish, trouble)

    # --- settings ---

    @property
    def settings(self) -> Settings:
        """The settings in use."""
        return self._settings

    async def apply(self, settings: Settings) -> None:
        """Use other settings from the next request on."""
        validate(settings)
        before, self._settings = self._settings, settings
        self._replan()
        self._use_limits_of_ledger(settings)
        self._server.use(settings.limits)
        self._doorkeeper.use(self._token, settings.client_tokens)
        await self._restore_spending(self._began_ms)
        self._budgets.use(settings.budgets)
        await self._learn()
        if before.accounts != settings.accounts:
            self._attempts.breakers.reset()
            self._models.forget()
        if (before.accounts, before.routing) != (settings.accounts, settings.routing):
            self._tasks.spawn(self._models.look(), "models of this machine")
        if before.routing.mode != settings.routing.mode:
            self._bus.publish(ModeChanged(settings.routing.mode))
        self._follow_embedded()

    async def replace(self, settings: Settings, keys: Mapping[str, Secret], token: Secret) -> None:
        """Use other settings, keys and another token from the next request on; streams go on. Raises `ConfigError`."""
        validate(settings)
        self._keys, self._token = dict(keys), token
        self._attempts.breakers.reset()
        await self.apply(settings)

    async def set_key(self, ref: str, key: str) -> None:
        """Use a key from now on, under its name; empty removes it."""
        self._keys.pop(ref, None)
        if key:
            self._keys[ref] = Secret(key)
        account = ref.partition(":")[0]
        self._attempts.keys.forget(ref)
        self._attempts.breakers.reset(account)
        self._attempts.health.forget(account)
        self._replan()

    def _replan(self) -> None:
        address = self._embedded.address
        embedded = (address.base_url, Secret(address.key)) if address else None
        self._pipeline.plan = plan_of(self._settings, self._keys, embedded, self._models.told)

    def _follow_embedded(self) -> None:
        """Run the built-in model while an account uses it."""
        is_wanted = any(
            each.is_enabled and (entry := catalogue.provider(each.provider)) is not None and entry.is_embedded
            for each in self._settings.accounts
        )
        is_up = self._embedded.state in (EmbeddedState.RUNNING, EmbeddedState.STARTING)
        if is_wanted and self._embedded.is_available() and not is_up:
            self._tasks.spawn(self._start_embedded(), "start of the built-in model")
        elif not is_wanted and is_up:
            self._tasks.spawn(self._embedded.stop(), "stop of the built-in model")

    async def _awake(self, access: Access) -> Access:
        """An account as it is; the built-in model's once that answers. Raises `UpstreamError` if it does not start."""
        if access.base_url or not access.provider.is_embedded:
            return access
        await self._embedded.start()
        return self._pipeline.plan.access(access.account.id)

    async def _start_embedded(self) -> None:
        try:
            await self._embedded.start()
        except LynkrError as error:
            self._has_embedded_trouble = True
            self._bus.publish(Trouble("embedded", "The built-in model did not start.", str(error)))

    def _embedded_changed(self, state: EmbeddedState) -> None:
        if state is EmbeddedState.RUNNING and self._has_embedded_trouble:
            self._has_embedded_trouble = False
            self._bus.publish(Trouble("embedded", "", is_over=True))
        self._replan()

    # --- questions of the window ---

    def snapshot(self) -> Snapshot:
        """The state now."""
        today = self._tally.figures()
        return Snapshot(
            is_serving=bool(self.url),
            url=self.url,
            note=self.note,
            requests_today=today.requests,
            failed_today=today.failed,
            active=today.active,
            cost_today_usd=today.cost_usd,
            unpriced_today=today.unpriced,
            tiers_today=today.tiers,
            median_first_token_ms=today.median_first_token_ms,
            last=today.last,
            accounts=tuple(self._account_state(account) for account in self._settings.accounts),
            troubles=today.troubles,
            budgets=self._budgets.states(),
        )

    def _account_state(self, account: Account) -> AccountState:
        provider = catalogue.provider(account.provider)
        health = self._attempts.health.of(account.id, time.monotonic())
        state: str = health.state
        detail = health.detail
        if not account.is_enabled:
            state, detail = "disabled", ""
        elif provider is not None and provider.needs_key and not any(ref in self._keys for ref in (account.id, *account.refs)):
            state, detail = "no_key", ""
        return AccountState(
            id=account.id,
            title=account.title or (provider.title if provider else account.id),
            provider=account.provider,
            provider_title=provider.title if provider else account.provider,
            is_local=bool(provider and provider.is_local),
            state=state,
            detail=detail,
            requests=health.requests,
            errors=health.errors,
            p50_first_token_ms=health.p50_first_token_ms,
            p95_first_token_ms=health.p95_first_token_ms,
            keys=self._attempts.keys.states(account, self._pipeline.plan.accesses.get(account.id), self._keys, time.monotonic()),
            models=self._model_states(account),
        )

    def _model_states(self, account: Account) -> tuple[ModelState, ...]:
        """The models of an account that were asked in the last minutes."""
        book, now = self._attempts.targets, time.monotonic()
        seen = ((each.model, book.of(each, now)) for each in book.targets() if each.account == account.id)
        return tuple(
            ModelState(model, doing.in_progress, doing.seen, doing.seen - doing.served, doing.first_token_ms)
            for model, doing in seen
            if doing.seen or doing.in_progress
        )

    async def probe(self, account: str, key_id: str | None = None) -> ProbeResult:
        """Make the cheapest real call to an account. A key that is served rests no longer."""
        first = await self._awake(self._pipeline.plan.access(account))
        access = self._attempts.keys.chosen(first, (), time.monotonic()) or first
        if key_id is not None:
            found = next((each for each in (first, *first.spares) if each.key_id == key_id), None)
            if found is None:
                raise ConfigError("This key cannot be used.", "It is missing, or was entered for another address.", field="key")
            access = found
        result = await self._probe(access)
        if result.is_ok:
            self._attempts.keys.wake(access)
        return result

    async def probe_candidate(self, account: Account, key: str) -> ProbeResult:
        """The same for an account that is not among the settings."""
        return await self._probe(self._candidate(account, key))

    async def _probe(self, access: Access) -> ProbeResult:
        return await probes.probe(self._upstream, access, access.account.model)

    def _candidate(self, account: Account, key: str) -> Access:
        provider = catalogue.provider(account.provider)
        if provider is None:
            raise ConfigError(f"There is no provider named {account.provider!r}.", field="accounts")
        return Access(account, provider, account.base_url or provider.base_url, Secret(key) if key else None)

    async def models(self, account: str) -> tuple[ModelFacts, ...]:
        """The models that an account offers."""
        told = await probes.list_models(self._upstream, await self._awake(self._pipeline.plan.access(account)))
        self._models.hear(account, told)
        access = self._pipeline.plan.access(account)
        return tuple(access.facts(name) for name in told)

    async def candidate_models(self, account: Account, key: str) -> tuple[ModelFacts, ...]:
        """The same for an account that is not among the settings."""
        access = self._candidate(account, key)
        told = await probes.list_models(self._upstream, access)
        known = KnownModels(access.provider, account, self._settings.models, told)
        return tuple(known.facts(name) for name in told)

    async def discover(self) -> tuple[LocalServer, ...]:
        """Model servers on this machine; not ourselves."""
        return tuple(each for each in await probes.discover(self._upstream) if each.base_url != self.url)

    async def _check_accounts(self) -> dict[str, str]:
        accesses = self._pipeline.plan.accesses
        states = await asyncio.gather(*(probes.reachable(self._upstream, access) for access in accesses.values()))
        return dict(zip(accesses, states, strict=True))

    async def analyze(self, text: str) -> Analysis:
        """What a bare prompt would score, and where it would go."""
        plan = self._pipeline.plan
        request = WIRES["openai_chat"].parse_request(_bare(text))
        chosen = self._pipeline.route(plan, request, facts_of_request(request, {}))
        tokens = estimate_tokens(request)
        firsts = self._pipeline.estimates(plan, tokens)
        return Analysis(chosen, tokens, {first.tier: (first.target, first.cost_usd) for first in firsts})

    async def what_if(self, routing: Routing, since_ms: int) -> WhatIf:
        """What the requests since a moment would have cost under other tiers."""
        return await self._lessons.what_if(routing, since_ms)

    async def judge(self, exchange_id: str, verdict: int) -> None:
        """Keep the user's verdict on an exchange. Raises `ConfigError`."""
        await asyncio.to_thread(self._ledger.judge, exchange_id, verdict)
        await self._learners.look_again()

    async def learned(self) -> Learned:
        """What routing has learned, measured over the ledger."""
        return await self._lessons.learned()

    async def activity(self, query: ActivityQuery) -> tuple[Exchange, ...]:
        """Exchanges of the ledger, newest first."""
        return await self._queries.activity(query)

    async def figures(self, since_ms: int) -> Figures:
        """The overview's numbers since a moment."""
        return await self._queries.figures(since_ms, baseline_of(self._settings))

    async def spend(self, since_ms: int, buckets: int, by: str) -> tuple[Bucket, ...]:
        """Spend over time."""
        return await self._queries.spend(since_ms, buckets, by)

    async def latency(self, since_ms: int, buckets: int) -> tuple[LatencyBucket, ...]:
        """First tokens over time."""
        return await self._queries.latency(since_ms, buckets)

    async def histogram(self, since_ms: int) -> tuple[int, ...]:
        """How many exchanges had each score."""
        return await self._queries.histogram(since_ms)

    def facts_of(self, name: str, model: str) -> ModelFacts:
        """What is known of a model of an account, or of a provider."""
        access = self._pipeline.plan.accesses.get(name)
        return access.facts(model) if access is not None else facts_of(name, model)


def _books(
    ledger_file: Path, database: Secret | None, on_trouble: Callable[[Trouble], None]
) -> tuple[Pen, Queries, SharedLedger | None]:
    """Pen and reader of the ledger: the file, or the shared database, which budgets ask too."""
    if database is None:
        return Ledger(ledger_file, on_trouble), Queries(ledger_file), None
    shared = SharedLedger(Postgres(database), ledger_file, on_trouble)
    return shared, SharedQueries(shared.database), shared


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _bare(text: str) -> bytes:
    return encode({"model": "lynkr-auto", "messages": [{"role": "user", "content": text}]})
