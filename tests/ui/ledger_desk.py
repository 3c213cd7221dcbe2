"""A desk for the window without an engine: a real ledger, settings in memory, a clock that stands still.

Coroutines run to their end at once, or wait until `run_held` while `holds` is set.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import msgspec

from lynkr_desktop.config.settings import TIERS, Account, Routing, Settings, Target, TierTargets, validate
from lynkr_desktop.engine.api import (
    AccountState,
    ActivityQuery,
    Analysis,
    Bucket,
    Figures,
    LatencyBucket,
    Learned,
    LocalServer,
    ProbeResult,
    Snapshot,
)
from lynkr_desktop.engine.chat.events import Usage
from lynkr_desktop.engine.choosing import rates_of
from lynkr_desktop.engine.events import Attempt, Exchange, ScoredDimension
from lynkr_desktop.engine.lessons import Lessons
from lynkr_desktop.engine.metering import cost
from lynkr_desktop.engine.plan import plan_of
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.engine.providers.models import ModelFacts, facts_of
from lynkr_desktop.engine.routing.replay import WhatIf, what_if
from lynkr_desktop.engine.routing.route import Facts
from lynkr_desktop.engine.routing.score import score
from lynkr_desktop.engine.routing.tiers import route
from lynkr_desktop.engine.store.ids import first_id_at
from lynkr_desktop.engine.store.ledger import Ledger
from lynkr_desktop.engine.store.queries import Queries
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui.desk import DeskSignals
from lynkr_desktop.ui.format import midnight_ms

NOW_MS: Final = round(datetime(2026, 11, 18, 15, 2, 30).astimezone().timestamp() * 1000)
URL: Final = "http://127.0.0.1:8081"
_HOUR_MS: Final = 3_600_000


ACCOUNTS: Final = (
    Account("anthropic", "anthropic", "Anthropic"),
    Account("openai", "openai", "OpenAI"),
    Account("openrouter", "openrouter", "OpenRouter"),
    Account("ollama", "ollama", "Ollama"),
    Account("lab", "openai-compatible", "Lab", base_url="http://lab.local:8000", model="qwen3-coder-480b"),
)
TIER_TARGETS: Final = TierTargets(
    simple=(Target("ollama", "qwen2.5-coder:7b"), Target("openai", "gpt-5-mini")),
    medium=(Target("anthropic", "claude-haiku-4-5"), Target("openrouter", "deepseek/deepseek-v3.1")),
    complex=(Target("anthropic", "claude-sonnet-4-5"), Target("lab", "qwen3-coder-480b")),
    reasoning=(Target("anthropic", "claude-opus-4-5"), Target("anthropic", "claude-sonnet-4-5")),
)
SETTINGS: Final = Settings(accounts=ACCOUNTS, routing=Routing(tiers=TIER_TARGETS))


def an_exchange(number: int = 0, *, ago_ms: int = 60_000, **changes: Any) -> Exchange:
    """A served exchange that started `ago_ms` before the desk's time; a higher number is a later id of the same time."""
    started = NOW_MS - ago_ms
    plain = Exchange(
        id=f"{int(first_id_at(started), 16) + number:016x}",
        started_at_ms=started,
        client="claude-code",
        surface="anthropic",
        session="s-1",
        mode="auto",
        requested_model="claude-sonnet-4-5",
        tier="COMPLEX",
        score=61,
        method="score",
        reason="Several files and steps depend on each other.",
        dimensions=(
            ScoredDimension("code", 13, "It quotes code."),
            ScoredDimension("scope", 48, "It is about several files."),
            ScoredDimension("simple_ask", -3, "It begins politely."),
        ),
        account="anthropic",
        provider="anthropic",
        model="claude-sonnet-4-5",
        fidelity="verbatim",
        losses=(),
        input_tokens=200,
        output_tokens=1100,
        cache_read_tokens=35_100,
        cache_write_tokens=2900,
        cost_usd="0.0312",
        cost_basis="priced",
        first_token_ms=900,
        total_ms=4100,
        status=200,
        error="",
        error_detail="",
        is_streamed=True,
        attempts=(Attempt("anthropic", "claude-sonnet-4-5", "COMPLEX", 0, 900, 4100, 200),),
    )
    return msgspec.structs.replace(plain, **changes)


class LedgerDesk:
    """The desk. `fails_with` makes each question to the ledger fail."""

    def __init__(self, path: Path, settings: Settings = SETTINGS) -> None:
        self.signals = DeskSignals()
        self.settings = settings
        self._before: Settings | None = None
        self.now_ms = NOW_MS
        self.holds = False
        self.fails_with: LynkrError | None = None
        self.asked: list[ActivityQuery] = []
        self.health: dict[str, tuple[str, str]] = {}  # account: state, detail
        self.found: tuple[LocalServer, ...] = ()
        self.base = Snapshot(is_serving=True, url=URL)
        self.ledger = Ledger(path, keep_days=3650, clock_ms=self.clock)
        self.ledger.open()
        self._queries = Queries(path, self.clock)
        self._loop = asyncio.new_event_loop()
        self._held: list[Coroutine[Any, Any, None]] = []
        self._look()

    def clock(self) -> int:
        """The desk's time."""
        return self.now_ms

    def close(self) -> None:
        """End the writer."""
        assert not self._held
        self.ledger.close()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def record(self, exchanges: Sequence[Exchange]) -> None:
        """Write into the ledger, without telling anybody."""
        for exchange in exchanges:
            self.ledger.record(exchange)
        assert self.ledger.flush()
        self._look()

    def finish(self, *exchanges: Exchange) -> None:
        """Tell the window of exchanges, which the ledger has not written yet."""
        self.signals.exchange_finished.emit(list(exchanges))

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        """Run a coroutine to its end, or keep it."""
        assert name
        if self.holds:
            self._held.append(coroutine)
        else:
            self._run(coroutine)

    def run_held(self, *, newest_first: bool = False) -> None:
        """Run what was kept."""
        held, self._held, self.holds = self._held, [], False
        for coroutine in reversed(held) if newest_first else held:
            self._run(coroutine)

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """To its end, with all that it starts."""
        task = self._loop.create_task(coroutine)
        while not self._loop.is_running() and (tasks := asyncio.all_tasks(self._loop)):
            self._loop.run_until_complete(asyncio.gather(*tasks))
        assert self._loop.is_running() or task.done()

    def _look(self) -> None:
        self._today = self._loop.run_until_complete(self._queries.today(midnight_ms(self.now_ms)))
        query = ActivityQuery(since_ms=self.now_ms - _HOUR_MS, limit=100_000)
        self._last_hour = self._loop.run_until_complete(self._queries.activity(query))

    def snapshot(self) -> Snapshot:
        """Sums of today from the ledger."""
        today = self._today
        return msgspec.structs.replace(
            self.base,
            requests_today=today.requests,
            failed_today=today.failed,
            cost_today_usd=today.cost_usd,
            unpriced_today=today.unpriced,
            tiers_today=today.tiers,
            median_first_token_ms=today.median_first_token_ms,
            last=today.last,
            accounts=self._accounts(),
        )

    def _accounts(self) -> tuple[AccountState, ...]:
        used: defaultdict[str, list[Exchange]] = defaultdict(list)
        for exchange in self._last_hour:
            used[exchange.account].append(exchange)
        return tuple(self._state(account, used[account.id]) for account in self.settings.accounts)

    def _state(self, account: Account, exchanges: list[Exchange]) -> AccountState:
        provider = PROVIDERS[account.provider]
        times = sorted(item.first_token_ms for item in exchanges if item.first_token_ms is not None)
        cuts = quantiles(times, n=20) if len(times) > 1 else [None] * 19
        state, detail = self.health.get(account.id, ("healthy" if exchanges else "unknown", ""))
        costs = [Decimal(item.cost_usd) for item in exchanges if item.cost_usd is not None]
        return AccountState(
            id=account.id,
            title=account.title,
            provider=account.provider,
            provider_title=provider.title,
            is_local=provider.is_local,
            state=state,
            detail=detail,
            requests=len(exchanges),
            errors=sum(bool(item.error) for item in exchanges),
            p50_first_token_ms=cuts[9],
            p95_first_token_ms=cuts[18],
            cost_usd=str(sum(costs)) if costs else None,
        )

    async def change(self, settings: Settings) -> None:
        """Use other settings."""
        self._before, self.settings = self.settings, validate(settings)
        self.signals.settings_changed.emit()

    async def undo(self) -> None:
        """Use the settings before the last change."""
        if self._before is not None:
            before, self._before = self._before, None
            self.settings = before
            self.signals.settings_changed.emit()

    @property
    def can_undo(self) -> bool:
        """Was anything changed?"""
        return self._before is not None

    async def set_key(self, ref: str, key: str) -> None:
        """There is no keychain here."""

    async def delete_key(self, ref: str) -> None:
        """There is no keychain here."""

    def key_hint(self, ref: str) -> str:
        """No key is kept."""
        account = self.settings.account(ref.partition(":")[0])
        return "" if account is None or PROVIDERS[account.provider].is_local else "…4f2a"

    def key_place(self) -> str:
        """In words, though nothing is kept here."""
        return "GNOME Keyring"

    async def activity(self, query: ActivityQuery) -> tuple[Exchange, ...]:
        """From the ledger."""
        self.asked.append(query)
        self._fail()
        return await self._queries.activity(query)

    async def figures(self, since_ms: int) -> Figures:
        """From the ledger."""
        self._fail()
        return await self._queries.figures(since_ms)

    async def spend(self, since_ms: int, buckets: int, by: str) -> tuple[Bucket, ...]:
        """From the ledger."""
        self._fail()
        return await self._queries.spend(since_ms, buckets, by)

    async def latency(self, since_ms: int, buckets: int) -> tuple[LatencyBucket, ...]:
        """From the ledger."""
        self._fail()
        return await self._queries.latency(since_ms, buckets)

    async def histogram(self, since_ms: int) -> tuple[int, ...]:
        """From the ledger."""
        self._fail()
        return await self._queries.histogram(since_ms)

    async def what_if(self, routing: Routing, since_ms: int) -> WhatIf:
        """From the ledger, with the real prices."""
        self._fail()
        past = await self._queries.past(since_ms)
        providers = {account.id: account.provider for account in self.settings.accounts}
        return what_if(
            routing, past, lambda target, tokens: rates_of(facts_of(providers.get(target.account, ""), target.model), tokens)
        )

    async def judge(self, exchange_id: str, verdict: int) -> None:
        """In the ledger."""
        self._fail()
        self.ledger.judge(exchange_id, verdict)

    async def learned(self) -> Learned:
        """From the ledger."""
        self._fail()
        return await Lessons(self._queries, lambda: plan_of(self.settings, {}, None), self.clock).learned()

    async def analyze(self, text: str) -> Analysis:
        """By the real score and the real tiers; four letters count as a token."""
        facts, tokens = Facts(text=text, body_bytes=len(text)), len(text) // 4
        estimates = {}
        for tier in TIERS:
            for target in self.settings.routing.tiers.of(tier)[:1]:
                owner = self.settings.account(target.account)
                facts_there = facts_of(owner.provider if owner else "", target.model)
                estimates[tier.value] = (str(target), cost(Usage(input_tokens=tokens, output_tokens=500), facts_there).usd)
        return Analysis(route(self.settings.routing, facts, score(facts), ""), tokens, estimates)

    async def probe(self, account: str, key_id: str | None = None) -> ProbeResult:
        """Without an engine nothing is called."""
        return ProbeResult(is_ok=False, text=f"{account} was not called", milliseconds=0)

    async def probe_candidate(self, account: Account, key: str) -> ProbeResult:
        """Without an engine nothing is called."""
        return await self.probe(account.id)

    async def models(self, account: str) -> tuple[ModelFacts, ...]:
        """The models that the tiers use there."""
        targets = [target for tier in TIERS for target in self.settings.routing.tiers.of(tier) if target.account == account]
        owner = self.settings.account(account)
        return tuple(facts_of(owner.provider, target.model) for target in dict.fromkeys(targets)) if owner else ()

    async def candidate_models(self, account: Account, key: str) -> tuple[ModelFacts, ...]:
        """Without an engine nothing is listed."""
        return ()

    async def reset_breakers(self, account: str = "") -> int:
        """None is open here."""
        return 0

    async def discover(self) -> tuple[LocalServer, ...]:
        """What `found` says."""
        return self.found

    def facts_of(self, provider: str, model: str) -> ModelFacts:
        """What is known offline."""
        return facts_of(provider, model)

    def _fail(self) -> None:
        if self.fails_with is not None:
            raise self.fails_with
