"""The budgets in force: what they allow a request, what is held back for it, and what the user is told. Decides by `budgets`.

Between the verdict on a request and its reservation nothing else runs, so requests that come at once see each other. Where
several programs share a ledger, each request first `claim`s there: the database puts them all in one order, and each sees what
was held before it. If the database does not answer, the budgets hold for this program alone until it does.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from lynkr_desktop.config.settings import Budget, Target
from lynkr_desktop.engine.api import BudgetScope, BudgetState, Claim
from lynkr_desktop.engine.chat.events import Usage
from lynkr_desktop.engine.events import Event, RequestFinished, Trouble
from lynkr_desktop.engine.exchange import OpenExchange
from lynkr_desktop.engine.metering import cost, decimal_text
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.resilience.budgets import Standing, Step, day_of, days_of, midnight, narrowed, notice, used_up
from lynkr_desktop.engine.resilience.spending import SpendingBook, Spent, is_of
from lynkr_desktop.engine.routing.route import Route

# The longest answer that is held back for. Programs ask for far more than models write: 32,000 tokens for a line of text.
ANSWER_TOKENS: Final = 8_192


class SharedSpending(Protocol):
    """What several programs have spent and hold back together."""

    async def claim(self, claim: Claim, scopes: Sequence[BudgetScope]) -> list[tuple[Decimal, Decimal]] | None:
        """What was spent in each scope, and what others held before; None if nobody answers.

        What is held goes when the exchange's row is in the ledger.
        """
        ...


class BudgetGuard:
    """Asked before a request is sent, told when it is over. `tell` takes what the user should see."""

    def __init__(
        self,
        budgets: tuple[Budget, ...],
        clock_ms: Callable[[], int],
        tell: Callable[[Trouble], None],
        shared: SharedSpending | None = None,
    ) -> None:
        self.is_shared = shared is not None
        self._shared = shared
        self._claimed: dict[str, list[Standing]] = {}  # by exchange, as the database saw it
        self._totals: list[Standing] | None = None  # the same for the user, a little old
        self._budgets = budgets
        self._clock_ms = clock_ms
        self._tell = tell
        self._book = SpendingBook()
        self._told: dict[str, Trouble] = {}

    def use(self, budgets: tuple[Budget, ...]) -> None:
        """Other budgets from now on. What was spent stays spent."""
        self._budgets = budgets
        self.refresh()

    def restore(self, spent: Iterable[Spent]) -> None:
        """Count what the ledger holds of the time before this start."""
        for each in spent:
            self._book.add(each)
        self.refresh()

    def narrowed(self, route: Route, exchange: OpenExchange, facts_of: Callable[[Target], ModelFacts]) -> Route:
        """The route without what the budgets forbid. Raises `BudgetError`."""
        return narrowed(route, self._standings(exchange), facts_of) if self._budgets else route

    def reserve(self, exchange: OpenExchange, most_tokens: int | None, facts: ModelFacts) -> None:
        """Hold back what the request may cost at a model. Raises `BudgetError` if others have used the budget up meanwhile."""
        if not self._budgets:
            return
        for standing in self._standings(exchange):
            if standing.step is Step.STOP:
                raise used_up(standing)
        amount = _estimate(exchange, most_tokens, facts)
        held = Spent(self._clock_ms(), exchange.client, exchange.session, amount, exchange.project)
        self._book.reserve(exchange.id, held)

    async def claim(self, exchange: OpenExchange, most_tokens: int | None, facts: ModelFacts) -> None:
        """Hold back in the shared ledger what the request may cost at a model, and see what all programs have spent."""
        budgets = self._budgets_of(exchange)
        if self._shared is None or not budgets:
            return
        amount = _estimate(exchange, most_tokens, facts)
        scopes = [self._scope_of(budget, exchange.session) for budget in budgets]
        claim = Claim(exchange.id, exchange.client, exchange.project, exchange.session, amount)
        sums = await self._shared.claim(claim, scopes)
        if sums is None:
            self._claimed.pop(exchange.id, None)
        else:
            self._claimed[exchange.id] = self._standings_from(budgets, sums)

    async def look(self) -> None:
        """See what all programs have spent, and tell which steps were reached."""
        if self._shared is not None:
            budgets, session = self._budgets, self._fullest_session()
            scopes = [self._scope_of(budget, session) for budget in budgets]
            sums = await self._shared.claim(Claim(), scopes) if budgets else None
            self._totals = None if sums is None else self._standings_from(budgets, sums)
        self.refresh()

    def hear(self, event: Event) -> None:
        """Take one event."""
        if not isinstance(event, RequestFinished):
            return
        exchange = event.exchange
        self._book.release(exchange.id)
        self._claimed.pop(exchange.id, None)
        if exchange.cost_usd is not None:
            amount = Decimal(exchange.cost_usd)
            self._book.add(Spent(exchange.started_at_ms, exchange.client, exchange.session, amount, exchange.project))
            self.refresh()

    def states(self) -> tuple[BudgetState, ...]:
        """The budgets now. From any thread."""
        return tuple(_state(each) for each in self._fullest())

    def refresh(self) -> None:
        """Tell which steps were reached, each once, and which are over because a period turned or a budget was changed."""
        now = {trouble.key: trouble for standing in self._fullest() if (trouble := _trouble(standing)) is not None}
        for key in [key for key in self._told if key not in now]:
            del self._told[key]
            self._tell(Trouble(key, "", is_over=True))
        for key, trouble in now.items():
            if key not in self._told:
                self._told[key] = trouble
                self._tell(trouble)

    def _standings(self, exchange: OpenExchange) -> list[Standing]:
        """The budgets that count for a request, without what is held back for itself."""
        if (claimed := self._claimed.get(exchange.id)) is not None:
            return claimed
        now_ms = self._clock_ms()
        return [
            self._book.standing(budget, exchange.session, now_ms, without=exchange.id) for budget in self._budgets_of(exchange)
        ]

    def _budgets_of(self, exchange: OpenExchange) -> list[Budget]:
        return [
            budget
            for budget in self._budgets
            if is_of(budget, exchange.client, exchange.project) and (budget.scope != "session" or exchange.session)
        ]

    def _fullest(self) -> list[Standing]:
        if self._totals is not None and [each.budget for each in self._totals] == list(self._budgets):
            return self._totals
        now_ms, session = self._clock_ms(), self._fullest_session()
        return [self._book.standing(budget, session, now_ms) for budget in self._budgets]

    def _fullest_session(self) -> str:
        has_sessions = any(budget.scope == "session" for budget in self._budgets)
        return self._book.fullest_session(self._clock_ms()) if has_sessions else ""

    def _scope_of(self, budget: Budget, session: str) -> BudgetScope:
        days = days_of(budget.period, day_of(self._clock_ms()))
        if days is None:
            return BudgetScope(session=session)
        since_ms, until_ms = (round(midnight(day).timestamp() * 1000) for day in days)
        return BudgetScope(budget.client, budget.project, "", since_ms, until_ms)

    def _standings_from(self, budgets: Sequence[Budget], sums: Sequence[tuple[Decimal, Decimal]]) -> list[Standing]:
        found = []
        for budget, (spent, held) in zip(budgets, sums, strict=True):
            days = days_of(budget.period, day_of(self._clock_ms()))
            found.append(Standing(budget, spent, held, None if days is None else midnight(days[1])))
        return found


def _estimate(exchange: OpenExchange, most_tokens: int | None, facts: ModelFacts) -> Decimal:
    output = min(most_tokens or ANSWER_TOKENS, facts.output_tokens or ANSWER_TOKENS, ANSWER_TOKENS)
    return _most(exchange.rough_input_tokens, output, facts)


def _most(input_tokens: int, output_tokens: int, facts: ModelFacts) -> Decimal:
    """The most that so many tokens cost: with all of the input written to the provider's cache, or with none. 0 if unpriced."""
    plain = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    written = Usage(input_tokens=0, cache_write_tokens=input_tokens, output_tokens=output_tokens)
    return max(cost(usage, facts).amount or Decimal(0) for usage in (plain, written))


def _state(standing: Standing) -> BudgetState:
    ends_at = standing.ends_at
    return BudgetState(
        budget=standing.budget,
        spent_usd=decimal_text(standing.spent),
        reserved_usd=decimal_text(standing.reserved),
        step=standing.step.word,
        ends_at_ms=None if ends_at is None else round(ends_at.timestamp() * 1000),
    )


def _trouble(standing: Standing) -> Trouble | None:
    """What to tell. Only money that was really spent counts: what is held back comes and goes."""
    told = msgspec.structs.replace(standing, reserved=Decimal(0))
    if told.step is Step.NONE:
        return None
    budget = told.budget
    key = f"budget-{budget.scope}-{budget.period}-{budget.amount_usd}-{told.step.word}"
    return Trouble(key, *notice(told))
