"""Where the next request goes: the score's route, held to its conversation's model. Joins routing with plan, breakers and clock.

The only room that knows conversations. It decides nothing itself: `routing` does.
"""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from lynkr_desktop.config.settings import TIERS, Cascade, ModeKind, Pin, Target, TargetOrder, Tier
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.events import Alternative
from lynkr_desktop.engine.exchange import Offer, OpenExchange
from lynkr_desktop.engine.learning import Learners
from lynkr_desktop.engine.metering import decimal_text, prices_at
from lynkr_desktop.engine.plan import Plan
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.resilience.breaker import Breakers, BreakerState
from lynkr_desktop.engine.resilience.preference import TargetBook, why
from lynkr_desktop.engine.routing.gate import ANSWER_TOKENS, Rates, Tokens, anew
from lynkr_desktop.engine.routing.learners.cascade import trial_of, with_trial
from lynkr_desktop.engine.routing.pace import PaceBook
from lynkr_desktop.engine.routing.pins import pin_for
from lynkr_desktop.engine.routing.route import Facts, Route
from lynkr_desktop.engine.routing.score import score
from lynkr_desktop.engine.routing.sessions import Sessions, Turn, key_of
from lynkr_desktop.engine.routing.sticky import Surroundings, settled
from lynkr_desktop.engine.routing.tiers import route

_SETTLED_MESSAGES: Final = 2  # a conversation longer than this has begun to work
_FREE: Final = Rates(Decimal(0), Decimal(0), Decimal(0), Decimal(0))


class Chooser:
    """Chooses routes and remembers who served. `clock` gives monotonic seconds, `clock_ms` milliseconds since 1970."""

    def __init__(
        self,
        breakers: Breakers,
        targets: TargetBook,
        learners: Learners,
        clock: Callable[[], float] = time.monotonic,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._breakers = breakers
        self._targets = targets
        self._learners = learners
        self._clock = clock
        self._clock_ms = clock_ms
        self._sessions = Sessions()
        self._paces = PaceBook()
        self._offered: tuple[Plan, tuple[Offer, ...]] | None = None

    def fresh(self, plan: Plan, request: ChatRequest, facts: Facts) -> Route:
        """Where the request would go if its conversation had no past. Raises `ConfigError`."""
        return self._fresh(plan, request, facts, self._pin(plan, facts))

    def _fresh(self, plan: Plan, request: ChatRequest, facts: Facts, pin: Pin | None) -> Route:
        routing = plan.settings.routing
        local = plan.local_targets() if routing.mode.kind is ModeKind.LOCAL else ()
        scored = self._learners.scored(score(facts), facts, routing.boundaries)
        found = route(routing, facts, scored, request.model, frozenset(plan.accesses), local=local, pin=pin)
        if routing.order is TargetOrder.LISTED:
            return self._learners.arranged(found)
        return found if found.tier is None else self._ordered(found, routing.order, pin)

    def _ordered(self, found: Route, order: TargetOrder, pin: Pin | None) -> Route:
        """The route with each tier's targets as the user prefers them. A pinned target stays first."""
        held = 1 if found.method == "pin" and pin is not None and pin.target == found.targets[0][0] else 0
        targets = (*found.targets[:held], *self._targets.preferred(found.targets[held:], order, self._clock()))
        if targets == found.targets:
            return found
        return msgspec.structs.replace(found, targets=targets, reason=f"{found.reason} {why(order, targets[0][0])}")

    def _pin(self, plan: Plan, facts: Facts) -> Pin | None:
        pins = plan.settings.pins
        return pin_for(pins, facts, self._clock_ms()) if pins else None

    def choose(self, exchange: OpenExchange, plan: Plan, request: ChatRequest, facts: Facts) -> Route:
        """Where the request goes. Raises `ConfigError` if there is nothing to try."""
        routing, pin = plan.settings.routing, self._pin(plan, facts)
        chosen = self._fresh(plan, request, facts, pin)
        exchange.offers = self._offers(plan)
        exchange.fingerprint = self._learners.remembered(facts)
        if not routing.is_sticky or facts.is_side_request:
            return self._with_trial(exchange, plan, request, facts, chosen)
        key, now = key_of(facts.session, request), self._clock()
        around = Surroundings(
            routing=routing,
            tokens=exchange.rough_input_tokens,
            now=now,
            can_serve=lambda target: (
                target.account in plan.accesses and self._breakers.state(target, now) is not BreakerState.OPEN
            ),
            window_of=lambda target: plan.facts_of(target).context_tokens,
            rates_of=lambda target, tokens: rates_of(plan.facts_of(target), tokens),
            pin=pin,
        )
        standing = self._sessions.standing(key, now)
        chosen = settled(chosen, facts, standing, around)
        wanted = standing.wanted if standing and facts.is_tool_turn and chosen.method == "sticky" else chosen.tier
        chosen = self._with_trial(exchange, plan, request, facts, chosen)
        is_small_talk = chosen.method == "force" and chosen.tier is Tier.SIMPLE
        exchange.turn = Turn(key, wanted, facts.message_count > _SETTLED_MESSAGES and not is_small_talk, routing, pin)
        return chosen

    def _with_trial(self, exchange: OpenExchange, plan: Plan, request: ChatRequest, facts: Facts, chosen: Route) -> Route:
        """The route with a cheaper model first, where the user wants that and it is known to be cheaper."""
        kind = plan.settings.learning.cascade
        if kind is Cascade.OFF or (trial := trial_of(chosen, request, facts, plan.settings.routing, kind)) is None:
            return chosen
        tokens = exchange.rough_input_tokens
        own, other = (rates_of(plan.facts_of(target), tokens) for target in (chosen.targets[0][0], trial.target))
        if own is None or other is None or other.input + other.output >= own.input + own.output:
            return chosen
        exchange.trial = trial
        return with_trial(chosen, trial)

    def note_served(self, exchange: OpenExchange) -> None:
        """A target served the exchange: what the conversation holds now is warm there."""
        turn, target, tokens = exchange.turn, exchange.served, _tokens(exchange)
        if target is not None:
            self._paces.note(target, exchange.first_token_ms, exchange.elapsed_ms(), tokens.output)
        exchange.alternatives = tuple([self._alternative(offer, tokens, target) for offer in exchange.offers])
        if turn is None or target is None:
            return
        self._sessions.remember(turn, target, exchange.served_tier, tokens.all_input + tokens.output, self._clock())

    def _alternative(self, offer: Offer, tokens: Tokens, served: Target | None) -> Alternative:
        time_ms = self._paces.estimate_ms(offer.target, tokens.output)
        rates = rates_of(offer.facts, tokens.all_input) if offer.facts.steps else offer.rates
        if rates is None:
            return Alternative(offer.tier, offer.name, None, None, time_ms)
        switch_usd = "" if offer.target == served else decimal_text(anew(tokens.all_input + tokens.output, rates))
        return Alternative(offer.tier, offer.name, decimal_text(tokens.cost(rates)), switch_usd, time_ms)

    def estimates_of(self, plan: Plan, tokens: int) -> tuple[Alternative, ...]:
        """Each tier's first target: what a usual answer to so much input would cost and how long it would take there.

        `switch_usd` is what a conversation of that length would cost to send there anew.
        """
        asked = Tokens(tokens, ANSWER_TOKENS, 0, 0)
        return tuple(self._alternative(offer, asked, None) for offer in self._offers(plan))

    def _offers(self, plan: Plan) -> tuple[Offer, ...]:
        if self._offered is None or self._offered[0] is not plan:
            firsts = [(tier, plan.settings.routing.tiers.of(tier)[:1]) for tier in TIERS]
            self._offered = plan, tuple(_offer(tier, target, plan) for tier, found in firsts for target in found)
        return self._offered[1]


def _offer(tier: Tier, target: Target, plan: Plan) -> Offer:
    facts = plan.facts_of(target)
    return Offer(tier, target, str(target), facts, rates_of(facts, 0))


def _tokens(exchange: OpenExchange) -> Tokens:
    usage = exchange.usage
    told = Tokens(usage.input_tokens or 0, usage.output_tokens or 0, usage.cache_read_tokens or 0, usage.cache_write_tokens or 0)
    return told if told.all_input else Tokens(exchange.rough_input_tokens, told.output, 0, 0)


def rates_of(facts: ModelFacts, tokens: int) -> Rates | None:
    """A model's prices for a request of so much input; None if they are not known. What is not cached costs as any input."""
    if facts.is_free:
        return _FREE
    prices = prices_at(tokens, facts)
    if prices.input_price is None or prices.output_price is None:
        return None
    return Rates(
        Decimal(prices.input_price),
        Decimal(prices.output_price),
        Decimal(prices.cache_read_price or prices.input_price),
        Decimal(prices.cache_write_price or prices.input_price),
    )
