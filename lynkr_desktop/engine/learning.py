"""The learners that are switched on, kept up to date: like asks of the past, and how each target did. Decides by their rooms.

What is off costs one look at a flag. All state comes from the ledger and can be made from it again.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Boundaries, Learning
from lynkr_desktop.engine.api import ActivityQuery
from lynkr_desktop.engine.events import Event, Exchange, RequestFinished
from lynkr_desktop.engine.resilience.failures import is_targets_fault
from lynkr_desktop.engine.routing.learners import bandit, history
from lynkr_desktop.engine.routing.learners.bandit import Outcome
from lynkr_desktop.engine.routing.learners.fingerprint import fingerprint
from lynkr_desktop.engine.routing.learners.history import Example, example_of
from lynkr_desktop.engine.routing.route import Facts, Method, Route, Score
from lynkr_desktop.engine.store.queries import Queries
from lynkr_desktop.errors import FailureKind

MOST_EXAMPLES: Final = 1000  # with a verdict, and as many without: looking through all of them takes half a millisecond
OUTCOME_DAYS: Final = 14
_MOST_OUTCOMES: Final = 5000
_DAY_MS: Final = 86_400_000
_ARRANGED: Final[frozenset[Method]] = frozenset(("score", "force"))
_FAULTS: Final = frozenset(kind.value for kind in FailureKind if is_targets_fault(kind))
_OFF: Final = Learning()


class Learners:
    """Asked for each request, told when one is over. `clock_ms` gives milliseconds since 1970."""

    def __init__(self, queries: Queries, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._queries = queries
        self._clock_ms = clock_ms
        self._settings = _OFF
        self._judged: tuple[Example, ...] = ()
        self._silent: deque[Example] = deque(maxlen=MOST_EXAMPLES)
        self._examples: Sequence[Example] | None = ()  # both; None: to be put together again
        self._state = bandit.EMPTY

    async def use(self, settings: Learning) -> None:
        """These learners from now on. Raises `ConfigError` if the ledger cannot be read; then they begin anew."""
        before, self._settings = self._settings, settings
        if before.history is not settings.history or before.order is not settings.order:
            await self.look_again()

    async def look_again(self) -> None:
        """Learn from the ledger as it is now: something was switched on, or the user said something."""
        settings = self._settings
        self._silent.clear()
        self._judged, self._examples, self._state = (), None, bandit.EMPTY
        if settings.history:
            found = await self._queries.examples(MOST_EXAMPLES)
            self._judged = tuple(each for each in found if each.verdict)
            self._silent.extend(each for each in found if not each.verdict)
            self._examples = None
        if settings.order:
            self._state = bandit.state_of(await outcomes(self._queries, self._clock_ms()))

    def scored(self, score: Score, facts: Facts, boundaries: Boundaries) -> Score:
        """The score, moved where like asks were corrected."""
        if not self._settings.history or score.forced or not is_telling(facts):
            return score
        tier = boundaries.tier_of(score.value)
        if self._examples is None:
            self._examples = (*self._judged, *self._silent)
        return history.adjusted(score, history.opinion(fingerprint(facts.text), tier, self._examples), boundaries)

    def arranged(self, route: Route) -> Route:
        """The route with its tier's own targets in the order in which they promise most."""
        if not self._settings.order or route.method not in _ARRANGED or route.tier is None:
            return route
        own = [target for target, tier in route.targets if tier is route.tier]
        if len(own) < 2:
            return route
        by_name = {str(target): target for target in own}
        names = bandit.ordered(self._state, route.tier, tuple(by_name))
        if names[0] == str(own[0]):
            return route
        arranged = tuple((by_name[name], route.tier) for name in names)
        rest = tuple(rung for rung in route.targets if rung[1] is not route.tier)
        reason = f"{route.reason} {by_name[names[0]].model} first: it has done better lately than {own[0].model}."
        return msgspec.structs.replace(route, targets=(*arranged, *rest), reason=reason)

    def remembered(self, facts: Facts) -> str:
        """What the ledger keeps of an ask so that like ones can be told; empty where nothing is to be kept."""
        if not self._settings.history or facts.is_tool_turn or not is_telling(facts):
            return ""
        found = fingerprint(facts.text)
        return f"{found:064x}" if found else ""

    def hear(self, event: Event) -> None:
        """Take one event."""
        settings = self._settings
        if not (settings.history or settings.order) or not isinstance(event, RequestFinished):
            return
        exchange = event.exchange
        if settings.order:
            for outcome in outcomes_of(exchange):
                self._state = bandit.learned(self._state, outcome)
        if settings.history and exchange.fingerprint:
            example = example_of(exchange.fingerprint, exchange.tier, exchange.method, exchange.verdict)
            if example is not None:
                self._silent.append(example)
                self._examples = None


def is_telling(facts: Facts) -> bool:
    """Does an ask stand for itself? A bare go-ahead and what a program asks for itself do not."""
    return bool(facts.text) and not facts.plan and not facts.is_side_request


async def outcomes(queries: Queries, now_ms: int) -> Sequence[Outcome]:
    """What targets did in the last days, oldest first. Raises `ConfigError`."""
    query = ActivityQuery(since_ms=now_ms - OUTCOME_DAYS * _DAY_MS, limit=_MOST_OUTCOMES)
    return [outcome for exchange in reversed(await queries.activity(query)) for outcome in outcomes_of(exchange)]


def outcomes_of(exchange: Exchange) -> list[Outcome]:
    """What each target of an exchange did: those that failed by their own fault, and the one that served."""
    found = [
        Outcome(attempt.tier, f"{attempt.account}:{attempt.model}", is_failed=True)
        for attempt in exchange.attempts
        if attempt.tier and attempt.error in _FAULTS
    ]
    if exchange.tier and exchange.account and not exchange.error:
        tokens = sum(
            count or 0
            for count in (
                exchange.input_tokens,
                exchange.output_tokens,
                exchange.cache_read_tokens,
                exchange.cache_write_tokens,
            )
        )
        usd = float(Decimal(exchange.cost_usd)) / tokens if exchange.cost_usd is not None and tokens else None
        target = f"{exchange.account}:{exchange.model}"
        found.append(Outcome(exchange.tier, target, False, usd, exchange.first_token_ms, exchange.verdict))
    return found
