"""What the user is told of budgets, once each, and what a budget that comes later knows of the past."""

import asyncio
import datetime
from pathlib import Path

import pytest

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import Budget, BudgetPeriod, Endpoint, Settings
from lynkr_desktop.engine.events import RequestFinished, Trouble
from lynkr_desktop.engine.exchange import Inbound, OpenExchange
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.resilience.guard import BudgetGuard
from lynkr_desktop.engine.service import EngineService
from lynkr_desktop.engine.store.ledger import Ledger
from lynkr_desktop.errors import BudgetError
from tests.engine.store.exchanges import exchange
from tests.fakes.program import free_port

NOON = round(datetime.datetime(2026, 11, 22, 12).astimezone().timestamp() * 1000)
DAY_MS = 86_400_000
FOUR = Budget("10", notify_at=50, cap_at=80, free_at=90)


class Room:
    """A guard, its clock, and what it said."""

    def __init__(self, *budgets: Budget) -> None:
        self.now_ms = NOON
        self.said: list[Trouble] = []
        self.guard = BudgetGuard(budgets, lambda: self.now_ms, self.said.append)
        self.count = 0

    def spend(self, amount: str | None, session: str = "s-1") -> list[str]:
        """One more request; the steps that were told since the last one, those that ended with a minus."""
        self.count += 1
        basis = "unpriced" if amount is None else "priced"
        changes = {"started_at_ms": self.now_ms, "cost_usd": amount, "cost_basis": basis, "session": session}
        self.guard.hear(RequestFinished(exchange(self.count, **changes)))
        return self.steps()

    def steps(self) -> list[str]:
        """The steps that were told since the last question."""
        said = [f"{'-' if each.is_over else ''}{each.key.rpartition('-')[2]}" for each in self.said]
        self.said.clear()
        return said


def test_each_step_is_told_once_and_ends_the_one_before() -> None:
    room = Room(FOUR)
    assert [room.spend(amount) for amount in ("4.99", "0.01", "1", None, "2", "0.5", "0.5", "1", "3")] == [
        [],
        ["notify"],
        [],
        [],
        ["-notify", "cap"],
        [],
        ["-cap", "free"],
        ["-free", "stop"],
        [],
    ]


def test_a_new_period_ends_it_also_while_nothing_is_asked() -> None:
    room = Room(FOUR)
    assert room.spend("12") == ["stop"]
    room.now_ms += DAY_MS
    room.guard.refresh()
    assert room.steps() == ["-stop"]
    room.now_ms -= DAY_MS  # the clock was wrong
    room.guard.refresh()
    assert room.steps() == ["stop"]


def test_another_budget_ends_what_was_told_of_the_old_one() -> None:
    room = Room(FOUR)
    room.spend("9.5")
    room.steps()
    room.guard.use((Budget("20", notify_at=50, cap_at=80, free_at=90),))
    assert room.steps() == ["-free"]
    room.guard.use(())
    assert room.steps() == []
    assert room.guard.states() == ()


def test_sessions_are_told_of_by_the_fullest_one_of_today() -> None:
    room = Room(Budget("2", "session", BudgetPeriod.NONE, notify_at=50))
    assert room.spend("0.9", "a") == []
    assert room.spend("0.9", "b") == []
    assert room.spend("0.2", "b") == ["notify"]
    (state,) = room.guard.states()
    assert (state.spent_usd, state.step, state.ends_at_ms) == ("1.1", "notify", None)
    room.now_ms += DAY_MS
    room.guard.refresh()
    assert room.steps() == ["-notify"]


def test_what_is_held_back_counts_for_others_and_follows_a_request_to_its_next_target() -> None:
    room = Room(Budget("1"))
    cheap = ModelFacts(input_price="1", output_price="10", cache_write_price="2")
    dear = ModelFacts(input_price="10", output_price="100")
    first, second, third = (OpenExchange(Inbound("messages", "anthropic", {}, b"", "", name), "auto") for name in "abc")
    first.rough_input_tokens = 100_000
    room.guard.reserve(first, 1_000, cheap)
    assert _reserved(room) == "0.21"  # 0.20 for the input, were it all written to the cache, and 0.01
    room.guard.reserve(second, 32_000, cheap)
    assert _reserved(room) == "0.29192"  # the answer is bounded by what models usually write at most
    room.guard.reserve(first, 1_000, dear)
    assert _reserved(room) == "1.18192"
    with pytest.raises(BudgetError, match="held back for answers that still come"):
        room.guard.reserve(third, 1, cheap)
    room.guard.reserve(first, 1_000, cheap)  # its own part does not stand in its way
    room.guard.reserve(third, 1, ModelFacts())
    assert _reserved(room) == "0.29192"
    assert room.steps() == []  # what is held back comes and goes: nobody is told


def _reserved(room: Room) -> str:
    (state,) = room.guard.states()
    return state.reserved_usd


def test_a_budget_that_comes_later_knows_the_past_once(tmp_path: Path) -> None:
    """What was spent before the start is in the ledger; what was spent since is known already, in the ledger or not."""
    path = tmp_path / "ledger.db"

    async def spent() -> list[str]:
        port = free_port()
        service = EngineService(Settings(endpoint=Endpoint(port)), {}, Secret("token"), path)
        now_ms = service._began_ms
        ledger = Ledger(path)
        ledger.open()
        for number, ago_ms in enumerate((1, 400 * DAY_MS)):
            ledger.record(exchange(number, started_at_ms=now_ms - ago_ms, cost_usd="1.25"))
        ledger.close()
        await service.start()
        try:
            service._bus.publish(RequestFinished(exchange(7, started_at_ms=now_ms + 5, cost_usd="0.5")))
            assert await asyncio.to_thread(service._ledger.flush)
            found = []
            for amount in ("10", "20"):
                await service.apply(Settings(endpoint=Endpoint(port), budgets=(Budget(amount, period=BudgetPeriod.MONTH),)))
                found += [state.spent_usd for state in service.snapshot().budgets]
            return found
        finally:
            await service.stop()

    assert asyncio.run(spent()) == ["1.75", "1.75"]


def test_a_ledger_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    said: list[Trouble] = []

    async def begin() -> None:
        port = free_port()
        service = EngineService(Settings(endpoint=Endpoint(port), budgets=(FOUR,)), {}, Secret("token"), path)
        service.subscribe(lambda event: said.append(event) if isinstance(event, Trouble) else None)
        await service.start()
        await service.stop()

    asyncio.run(begin())
    assert "budget-ledger" in [trouble.key for trouble in said]
