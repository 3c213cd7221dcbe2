"""What a budget allows: its period, its steps, its words. Pure: money spent and the time come in, a verdict goes out.

The request that reaches a step is still served, and its estimate is held back from then on: so however many run at once, the
amount is overshot by one request's estimate at most.
"""

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import IntEnum
from typing import Final, assert_never

import msgspec

from lynkr_desktop.config.settings import Budget, BudgetPeriod, Target, Tier
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.routing.route import Route
from lynkr_desktop.errors import BudgetError

_ADJECTIVES: Final = {BudgetPeriod.DAY: "daily ", BudgetPeriod.WEEK: "weekly ", BudgetPeriod.MONTH: "monthly "}
_REMEDY: Final = "Raise the budget in Lynkr Desktop under Settings"


class Step(IntEnum):
    """How far a budget is, in the order of strictness."""

    NONE = 0
    NOTIFY = 1
    CAP = 2
    FREE = 3
    STOP = 4

    @property
    def word(self) -> str:
        """As shown and counted elsewhere; empty for none."""
        return "" if self is Step.NONE else self.name.lower()


class Standing(msgspec.Struct, frozen=True):
    """A budget, what was spent of it in its period, what is held back for answers that still come, and when it begins anew."""

    budget: Budget
    spent: Decimal
    reserved: Decimal
    ends_at: datetime.datetime | None

    @property
    def step(self) -> Step:
        """What applies to the next request."""
        return step_at(self.budget, self.spent + self.reserved)


def step_at(budget: Budget, used: Decimal) -> Step:
    """The strictest step that an amount of money has reached."""
    marks = ((Step.STOP, budget.stop_at), (Step.FREE, budget.free_at), (Step.CAP, budget.cap_at), (Step.NOTIFY, budget.notify_at))
    return next((step for step, mark in marks if mark is not None and used * 100 >= budget.amount * mark), Step.NONE)


def days_of(period: BudgetPeriod, day: datetime.date) -> tuple[datetime.date, datetime.date] | None:
    """The first day of the period that a day lies in, and the first one after it; None for a period that never ends."""
    one = datetime.timedelta(days=1)
    match period:
        case BudgetPeriod.DAY:
            return day, day + one
        case BudgetPeriod.WEEK:
            monday = day - one * day.weekday()
            return monday, monday + one * 7
        case BudgetPeriod.MONTH:
            first = day.replace(day=1)
            return first, (first + one * 31).replace(day=1)
        case BudgetPeriod.NONE:
            return None
        case _:
            assert_never(period)


def day_of(now_ms: int, zone: datetime.tzinfo | None = None) -> datetime.date:
    """The day of a moment, in milliseconds since 1970. No zone is this machine's."""
    return datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC).astimezone(zone).date()


def midnight(day: datetime.date, zone: datetime.tzinfo | None = None) -> datetime.datetime:
    """When a day begins. No zone is this machine's."""
    begin = datetime.datetime.combine(day, datetime.time.min)
    return begin.astimezone() if zone is None else begin.replace(tzinfo=zone)


def narrowed(route: Route, standings: Sequence[Standing], facts_of: Callable[[Target], ModelFacts]) -> Route:
    """The route without the targets that the budgets forbid. Raises `BudgetError` if none is left or a budget says stop.

    A target outside all tiers (Direct mode, the last resort) is not above any tier.
    """
    for standing in sorted(standings, key=lambda each: each.step, reverse=True):
        budget, step, targets = standing.budget, standing.step, route.targets
        if step is Step.STOP:
            raise used_up(standing)
        if step is Step.FREE:
            targets = tuple(rung for rung in targets if facts_of(rung[0]).is_free)
        elif step is Step.CAP:
            targets = tuple(rung for rung in targets if rung[1] is None or rung[1].rank <= budget.highest_tier.rank)
        if not targets:
            raise used_up(standing)
        if targets[0] != route.targets[0]:
            before, after = (_place(*rungs[0]) for rungs in (route.targets, targets))
            reason = f"{after} instead of {before}: {name_of(budget)} is {percent_of(standing)} % used. {route.reason}"
            route = msgspec.structs.replace(route, tier=targets[0][1], reason=reason)
        route = msgspec.structs.replace(route, targets=targets)
    return route


def _place(target: Target, tier: Tier | None) -> str:
    return tier.value if tier is not None else str(target)


def used_up(standing: Standing) -> BudgetError:
    """What a client is told when a request is refused."""
    budget = standing.budget
    held = f", {_usd(standing.reserved)} held back for answers that still come" if standing.reserved else ""
    title = f"{_sentence(name_of(budget))} is {percent_of(standing)} % used: {_usd(standing.spent)} spent{held}."
    why = "" if standing.step is Step.STOP else "No model that it still allows can serve this request. "
    if standing.ends_at is None:
        return BudgetError(title, f"{why}Begin a new session. {_REMEDY} to go on in this one.", field="budgets")
    return BudgetError(title, f"{why}It begins anew on {moment(standing.ends_at)}. {_REMEDY} to go on before.", field="budgets")


def notice(standing: Standing) -> tuple[str, str]:
    """Title and detail for the user when a step is reached."""
    budget, until = standing.budget, f" until {moment(standing.ends_at)}" if standing.ends_at is not None else ""
    title = f"{_sentence(name_of(budget))} is {percent_of(standing)} % used."
    step = standing.step
    match step:
        case Step.NONE | Step.NOTIFY:
            detail = f"{_usd(standing.spent)} spent."
        case Step.CAP:
            detail = f"No tier above {budget.highest_tier} is used{until}."
        case Step.FREE:
            detail = f"Only models that cost nothing are used{until}."
        case Step.STOP:
            detail = f"Requests are refused{until}. {_REMEDY} to go on."
        case _:
            assert_never(step)
    return title, detail


def name_of(budget: Budget) -> str:
    """`the daily budget of $10 for codex`."""
    name = budget.client or budget.project
    whose = f" for {name}" if name else " for this session" if budget.scope == "session" else ""
    return f"the {_ADJECTIVES.get(budget.period, '')}budget of {_usd(budget.amount)}{whose}"


def percent_of(standing: Standing) -> int:
    """How much is used and held back, in whole percents, never rounded up: 100 is reached when it is."""
    return int((standing.spent + standing.reserved) * 100 / standing.budget.amount)


def moment(when: datetime.datetime) -> str:
    """`Monday, 23 November at 00:00`."""
    return f"{when:%A}, {when.day} {when:%B} at {when:%H:%M}"


def _usd(amount: Decimal) -> str:
    """`$10`, `$2.50`, `$0.0125`."""
    if amount == amount.to_integral_value():
        return f"${amount:,.0f}"
    whole, _, digits = f"{amount:,.4f}".partition(".")
    return f"${whole}.{digits[:2] if abs(amount) >= 1 else digits[:2] + digits[2:].rstrip('0')}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
