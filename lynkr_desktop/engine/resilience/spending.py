"""What was spent, by local day, program and project, and by session; and what is held back for answers that still come.

Exact decimal numbers. No clock: an exchange counts into the local day in which it began, as in the ledger, so a clock that
jumps neither counts anything twice nor forgets it.
"""

import datetime
from collections import OrderedDict, defaultdict
from decimal import Decimal
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Budget
from lynkr_desktop.engine.resilience.budgets import Standing, day_of, days_of, midnight

DAYS_KEPT: Final = 62  # more than the longest period, also after a clock was set
SESSIONS_KEPT: Final = 5_000
_ZERO: Final = Decimal(0)


class Spent(msgspec.Struct, frozen=True):
    """A sum of money that was spent by a program in a session, for a project, at about a moment, in milliseconds since 1970."""

    at_ms: int
    client: str
    session: str
    amount: Decimal
    project: str = ""


class SpendingBook:
    """The sums. `zone` is where the days begin; None is this machine's."""

    def __init__(self, zone: datetime.tzinfo | None = None) -> None:
        self._zone = zone
        self._days: dict[datetime.date, dict[tuple[str, str], Decimal]] = {}  # by program and project
        self._sessions: OrderedDict[str, tuple[Decimal, datetime.date]] = OrderedDict()
        self._reserved: dict[str, Spent] = {}

    def add(self, spent: Spent) -> None:
        """Count money that was spent."""
        day = day_of(spent.at_ms, self._zone)
        sums = self._days.setdefault(day, defaultdict(lambda: _ZERO))
        sums[spent.client, spent.project] += spent.amount
        if len(self._days) > DAYS_KEPT:
            del self._days[min(self._days)]
        if spent.session:
            before, last = self._sessions.pop(spent.session, (_ZERO, day))
            self._sessions[spent.session] = (before + spent.amount, max(last, day))
            if len(self._sessions) > SESSIONS_KEPT:
                self._sessions.popitem(last=False)

    def reserve(self, exchange_id: str, spent: Spent) -> None:
        """Hold money back for a request until `release`; another call for the same one replaces the first."""
        self._reserved[exchange_id] = spent

    def release(self, exchange_id: str) -> None:
        """The request is over; what it cost is told by `add`."""
        self._reserved.pop(exchange_id, None)

    def standing(self, budget: Budget, session: str, now_ms: int, *, without: str = "") -> Standing:
        """Where a budget stands. `session` is for budgets of each session; `without` leaves a request's own part out."""
        held = [each for key, each in list(self._reserved.items()) if key != without and _is_in(budget, each, session)]
        reserved = sum((each.amount for each in held), _ZERO)
        days = days_of(budget.period, day_of(now_ms, self._zone))
        if days is None:
            return Standing(budget, self._sessions.get(session, (_ZERO, None))[0], reserved, None)
        first, after = days
        spent = sum((self._on(day, budget) for day in list(self._days) if first <= day < after), _ZERO)
        return Standing(budget, spent, reserved, midnight(after, self._zone))

    def fullest_session(self, now_ms: int) -> str:
        """The session of today in which most was spent; empty if there is none."""
        today = day_of(now_ms, self._zone)
        sums = {session: amount for session, (amount, day) in list(self._sessions.items()) if day >= today}
        return max(sums, key=lambda session: sums[session], default="")

    def _on(self, day: datetime.date, budget: Budget) -> Decimal:
        return sum([amount for whose, amount in list(self._days.get(day, {}).items()) if is_of(budget, *whose)], _ZERO)


def is_of(budget: Budget, client: str, project: str) -> bool:
    """Does what a program asks for a project count into a budget that is not of each session?"""
    return (not budget.client or budget.client == client) and (not budget.project or budget.project == project)


def _is_in(budget: Budget, spent: Spent, session: str) -> bool:
    if budget.scope == "session":
        return bool(session) and spent.session == session
    return is_of(budget, spent.client, spent.project)
