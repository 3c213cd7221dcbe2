"""Try a route's targets until one answers. Every try is noted in the exchange; no byte has gone to the client yet."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Target
from lynkr_desktop.engine.answer import Answer, fetch
from lynkr_desktop.engine.bus import Bus
from lynkr_desktop.engine.chat.events import Usage
from lynkr_desktop.engine.chat.request import ChatRequest, without_reasoning
from lynkr_desktop.engine.delivery import Delivery
from lynkr_desktop.engine.events import Attempt, FailedOver, Sent
from lynkr_desktop.engine.exchange import OpenExchange
from lynkr_desktop.engine.metering import Meter, cost
from lynkr_desktop.engine.plan import Plan
from lynkr_desktop.engine.prepare import Prepared, prepare
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.resilience.breaker import Breakers, BreakerState
from lynkr_desktop.engine.resilience.failures import Again, NextTarget, Stop, after, is_targets_fault, refuses_reasoning
from lynkr_desktop.engine.resilience.guard import BudgetGuard
from lynkr_desktop.engine.resilience.health import HealthBook
from lynkr_desktop.engine.resilience.keys import KeyRing, is_keys_fault, ref_of
from lynkr_desktop.engine.resilience.ladder import Needs, Rung, Skipped, ladder, with_larger_window
from lynkr_desktop.engine.resilience.preference import TargetBook
from lynkr_desktop.engine.routing.learners.cascade import fault_of, last_words, passed
from lynkr_desktop.engine.upstream import Upstream
from lynkr_desktop.engine.wire.contract import CannotCarryError
from lynkr_desktop.errors import ConfigError, LynkrError, UpstreamError

_STALE_REASONING: Final = ("reasoning that the provider could not verify",)
UNVERIFIED: Final = "unverified"
_SPENT: Final = 99  # tries on a target: no more of them


class Attempts:
    """Climbs the ladder of a route's targets. Keeps what it learns of them: breakers and health.

    `awake` gives an account whose server we start ourselves once it runs, any other as it is. `sending` hears of each request
    before it goes out.
    """

    def __init__(
        self,
        upstream: Upstream,
        bus: Bus,
        awake: Callable[[Access], Awaitable[Access]],
        budgets: BudgetGuard,
        sending: Callable[[Sent], None],
    ) -> None:
        self.breakers = Breakers()
        self.targets = TargetBook()
        self.health = HealthBook()
        self.keys = KeyRing(bus.publish)
        self._upstream = upstream
        self._bus = bus
        self._awake = awake
        self._budgets = budgets
        self._sending = sending

    async def first_answer(self, request: ChatRequest, needs: Needs, exchange: OpenExchange, plan: Plan) -> Answer:
        """The answer of the first target that gives one. Raises the failure that stopped the climb, with what else was tried."""
        now = time.monotonic()
        found = ladder(exchange.targets, needs, plan.facts_of, lambda target: self.breakers.state(target, now))
        rungs, failures = list(found.rungs), list[tuple[Target, LynkrError]]()
        while rungs:
            rung = rungs.pop(self._next_of(rungs, found.resting))
            target = rung[0]
            outcome: Answer | LynkrError | None = await self._try(request, rung, exchange, plan, has_next=bool(rungs))
            if isinstance(outcome, Answer) and exchange.trial is not None and exchange.trial.target == target:
                outcome = await self._tried(outcome, request, exchange, plan, has_next=bool(rungs))
            if outcome is None:
                continue
            if isinstance(outcome, Answer):
                self._tell_failover(exchange, target, failures)
                return outcome
            failures.append((target, outcome))
            if isinstance(outcome, UpstreamError):
                match after(outcome, _SPENT, has_next=bool(rungs)):
                    case Stop():
                        break
                    case NextTarget(needs_larger_window=True):
                        rungs = list(with_larger_window(rungs, target, plan.facts_of))
        raise _summary(failures, found.skipped)

    def _next_of(self, rungs: Sequence[Rung], resting: frozenset[Target]) -> int:
        """The first one, unless others have failed there meanwhile or are making the one probe; then the next that is free."""
        now = time.monotonic()
        if rungs[0][0] in resting or self.breakers.state(rungs[0][0], now) is not BreakerState.OPEN:
            return 0
        free = (place for place, (target, _) in enumerate(rungs) if self.breakers.state(target, now) is not BreakerState.OPEN)
        return next(free, 0)

    async def _try(
        self, request: ChatRequest, rung: Rung, exchange: OpenExchange, plan: Plan, *, has_next: bool
    ) -> Answer | LynkrError:
        """One target, as often as its failures allow; of an account with several keys, with each that may serve."""
        target = rung[0]
        limits = plan.settings.limits
        tried: set[str] = set()
        tries, lost = 0, tuple[str, ...]()
        while True:
            tries += 1
            started_ms = exchange.elapsed_ms()
            try:
                await self._hold_back(request, target, exchange, plan)
                access = await self._awake(plan.access(target.account))
                if access.spares:
                    access = self.keys.chosen(access, tried, time.monotonic()) or access
                prepared = prepare(request, rung, access, exchange.inbound, limits, is_edited=bool(lost))
                prepared = msgspec.structs.replace(prepared, losses=prepared.losses + lost) if lost else prepared
            except (CannotCarryError, LynkrError) as error:
                problem = ConfigError(str(error)) if isinstance(error, CannotCarryError) else error
                self._note(exchange, rung, started_ms, problem)
                return problem
            self._sending(exchange.sent_to(target, rung[1], access.provider.id))
            self.breakers.begin(target, time.monotonic())
            try:
                answer = await self._fetched(prepared, exchange, plan)
            except UpstreamError as error:
                if access.key_name and self._changes_key(exchange, rung, started_ms, error, (access, plan, tried)):
                    tries -= 1
                    continue
                self._failed(exchange, rung, started_ms, error, access.key_name)
                if not lost and refuses_reasoning(error) and (bare := without_reasoning(request)) is not request:
                    request, lost, tries = bare, _STALE_REASONING, tries - 1
                    continue
                decision = after(error, tries, has_next=has_next)
                if not isinstance(decision, Again):
                    return error
                await self._upstream.pause(decision.seconds)
            except BaseException:
                self.breakers.undecided(target)
                raise
            else:
                answer.started_ms = started_ms
                return answer

    async def _fetched(self, prepared: Prepared, exchange: OpenExchange, plan: Plan) -> Answer:
        """The answer of a prepared call. What a failed one costs is added to the exchange."""
        target = prepared.target

        def when_lost(usage: Usage) -> None:
            exchange.lost_usd += cost(usage, plan.facts_of(target)).amount or 0

        self.targets.begin(target)
        try:
            return await fetch(self._upstream, prepared, when_lost)
        except BaseException:
            self.targets.end(target)
            raise

    async def _hold_back(self, request: ChatRequest, target: Target, exchange: OpenExchange, plan: Plan) -> None:
        """What the request may cost at a target. Raises `BudgetError`."""
        facts = plan.facts_of(target)
        if self._budgets.is_shared and exchange.attempts:  # the first one's claim was made before the verdict
            await self._budgets.claim(exchange, request.max_tokens, facts)
        self._budgets.reserve(exchange, request.max_tokens, facts)

    async def _tried(
        self, answer: Answer, request: ChatRequest, exchange: OpenExchange, plan: Plan, *, has_next: bool
    ) -> Answer | LynkrError | None:
        """A trial's answer if it passes the checks, or nobody else could answer; else None, and what it has cost is noted."""
        trial, prepared = exchange.trial, answer.prepared
        target = prepared.target
        try:
            response = await answer.read_whole()
        except ValueError:
            fault = "its stream has no end"
        except UpstreamError as error:
            answer.close()
            self.targets.end(target)
            self._failed(exchange, (target, prepared.tier), answer.started_ms, error, prepared.access.key_name)
            return error
        except BaseException:
            self.targets.end(target)
            self.breakers.undecided(target)
            answer.close()
            raise
        else:
            fault = fault_of(request, response, last_words(request))
        if not fault or not has_next:
            if not fault and trial is not None and exchange.route is not None:
                exchange.route = passed(exchange.route, trial)
            return answer
        answer.close()
        self.targets.end(target)
        self.breakers.succeeded(target)
        meter = Meter()
        meter.hear((event for piece in answer.held for event in piece.events), exchange.elapsed_ms())
        price = meter.cost(plan.facts_of(target), meter.usage_seen(exchange.rough_input_tokens).input_tokens)
        exchange.trial_usd, exchange.trial = price.amount, None
        exchange.cost_usd, exchange.cost_basis = price.usd, price.basis  # the rest is added once another has answered
        exchange.attempts.append(_unverified(answer, exchange.elapsed_ms(), fault, price.usd))
        return None

    def note_served(self, delivery: Delivery, error: LynkrError | None) -> None:
        """The target that answered is done, well or with an error after its first content."""
        answer, exchange = delivery.answer, delivery.exchange
        target, now = answer.prepared.target, time.monotonic()
        kind = error.kind if isinstance(error, UpstreamError) else None
        if kind is not None and is_targets_fault(kind):
            self.breakers.failed(target, now)
        else:
            self.breakers.succeeded(target)
        self.targets.end(target)
        self.targets.note(target, now, has_served=kind is None, first_token_ms=exchange.first_token_ms)
        self.health.record(target.account, now, kind=kind, first_token_ms=exchange.first_token_ms)
        access = answer.prepared.access
        if access.key_name:
            self.keys.served(access, now, kind, exchange.first_token_ms)
        exchange.attempts.append(
            Attempt(
                account=target.account,
                model=target.model,
                tier=answer.prepared.tier or "",
                started_ms=answer.started_ms,
                first_byte_ms=exchange.first_token_ms,
                ended_ms=exchange.elapsed_ms(),
                status=answer.reply.status,
                error=kind or "",
                detail=str(error)[:500] if error else "",
                key=access.key_name,
            )
        )

    def _changes_key(
        self, exchange: OpenExchange, rung: Rung, started_ms: float, error: UpstreamError, used: tuple[Access, Plan, set[str]]
    ) -> bool:
        """Note how a key of several did. Is it this key's failure alone, and another one left to try?"""
        (access, plan, tried), now = used, time.monotonic()
        self.keys.failed(access, error, now)
        if not is_keys_fault(error.kind):
            return False
        tried.add(ref_of(access))
        if self.keys.chosen(plan.access(rung[0].account), tried, now) is None:
            return False
        self.breakers.undecided(rung[0])
        self._note(exchange, rung, started_ms, error, access.key_name)
        return True

    def _failed(self, exchange: OpenExchange, rung: Rung, started_ms: float, error: UpstreamError, key: str) -> None:
        target, now = rung[0], time.monotonic()
        if is_targets_fault(error.kind):
            self.breakers.failed(target, now)
            self.targets.note(target, now, has_served=False)
            self.health.record(target.account, now, kind=error.kind)
        else:
            self.breakers.undecided(target)
        self._note(exchange, rung, started_ms, error, key)

    def _note(self, exchange: OpenExchange, rung: Rung, started_ms: float, error: LynkrError, key: str = "") -> None:
        target, tier = rung
        exchange.attempts.append(
            Attempt(
                account=target.account,
                model=target.model,
                tier=tier or "",
                started_ms=started_ms,
                first_byte_ms=None,
                ended_ms=exchange.elapsed_ms(),
                status=error.status if isinstance(error, UpstreamError) else None,
                error=error.kind if isinstance(error, UpstreamError) else "config",
                detail=str(error)[:500],
                key=key,
            )
        )

    def _tell_failover(self, exchange: OpenExchange, served: Target, failures: Sequence[tuple[Target, LynkrError]]) -> None:
        if failures:
            first, error = failures[0]
            kind = error.kind if isinstance(error, UpstreamError) else "config"
            self._bus.publish(FailedOver(exchange.id, str(first), str(served), kind))


def _unverified(answer: Answer, now_ms: float, fault: str, cost_usd: str | None) -> Attempt:
    target = answer.prepared.target
    return Attempt(
        account=target.account,
        model=target.model,
        tier=answer.prepared.tier or "",
        started_ms=answer.started_ms,
        first_byte_ms=None,
        ended_ms=now_ms,
        status=answer.reply.status,
        error=UNVERIFIED,
        detail=f"The answer did not pass: {fault}.",
        cost_usd=cost_usd,
    )


def _summary(failures: Sequence[tuple[Target, LynkrError]], skipped: Sequence[Skipped]) -> LynkrError:
    """One error for all: the only one as it is, else the first one's kind with every target's reason."""
    if not failures:
        reasons = " ".join(f"{each.target}: {each.reason}" for each in skipped)
        return ConfigError("No configured model can serve this request.", reasons or "Give the tier a target under Tiers.")
    told = [error for _, error in failures if isinstance(error, UpstreamError)]
    chosen = told[0] if told else failures[0][1]
    if len(failures) == 1:
        return chosen
    detail = " ".join(f"[{target}] {error}" for target, error in failures)
    if isinstance(chosen, UpstreamError):
        return UpstreamError(
            chosen.kind,
            f"None of {len(failures)} targets could serve.",
            detail,
            provider=chosen.provider,
            status=chosen.status,
            retry_after=chosen.retry_after,
            request_id=chosen.request_id,
            code=chosen.code,
        )
    return ConfigError(f"None of {len(failures)} targets could serve.", detail)
