"""What budgets allow: their steps, their periods at every midnight, and what routes are left."""

import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.settings import Budget, BudgetPeriod, Settings, Target, Tier, validate
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.resilience.budgets import Standing, Step, day_of, days_of, midnight, narrowed, notice, step_at
from lynkr_desktop.engine.resilience.spending import SpendingBook, Spent
from lynkr_desktop.engine.routing.route import Route
from lynkr_desktop.errors import BudgetError, ConfigError

ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Africa/Cairo", "UTC"]).map(
    ZoneInfo
)
MOMENTS = st.integers(min_value=1_500_000_000_000, max_value=2_500_000_000_000)
PERIODS = st.sampled_from([BudgetPeriod.DAY, BudgetPeriod.WEEK, BudgetPeriod.MONTH])
BERLIN = ZoneInfo("Europe/Berlin")
FOUR = Budget("10", notify_at=50, cap_at=80, highest_tier=Tier.MEDIUM, free_at=90, stop_at=100)
CLOUD, MIDDLE, CHEAP, LOCAL = (Target("a", name) for name in ("opus", "sonnet", "haiku", "local"))
ROUTE = Route(
    ((CLOUD, Tier.COMPLEX), (MIDDLE, Tier.MEDIUM), (CHEAP, Tier.SIMPLE), (LOCAL, None)),
    Tier.COMPLEX,
    None,
    "score",
    "Several files depend on each other.",
)


def at(*when: int, zone: ZoneInfo = BERLIN) -> int:
    return round(datetime.datetime(*when, tzinfo=zone).timestamp() * 1000)  # type: ignore[arg-type, misc]


def facts_of(target: Target) -> ModelFacts:
    return ModelFacts(is_free=target == LOCAL)


def standing(spent: str, budget: Budget = FOUR, reserved: str = "0") -> Standing:
    return Standing(budget, Decimal(spent), Decimal(reserved), datetime.datetime(2026, 11, 23, tzinfo=BERLIN))


def left(spent: str, route: Route = ROUTE) -> list[str]:
    return [target.model for target, _ in narrowed(route, [standing(spent)], facts_of).targets]


def test_each_step_takes_more_targets_away() -> None:
    assert left("4.99") == left("7.9999") == ["opus", "sonnet", "haiku", "local"]
    assert left("8") == left("8.99") == ["sonnet", "haiku", "local"]
    assert left("9") == left("9.999999999999") == ["local"]
    with pytest.raises(BudgetError):
        left("10")


def test_the_route_says_why_it_is_another_one() -> None:
    route = narrowed(ROUTE, [standing("8.50")], facts_of)
    assert route.tier is Tier.MEDIUM
    expected = "MEDIUM instead of COMPLEX: the daily budget of $10 is 85 % used. Several files depend on each other."
    assert route.reason == expected
    simple = Route(ROUTE.targets[2:], Tier.SIMPLE, None, "score", "It is short.")
    assert narrowed(simple, [standing("8.50")], facts_of) == simple


def test_the_strictest_of_several_budgets_decides() -> None:
    mine = Budget("100", "client:codex", BudgetPeriod.MONTH, cap_at=10, highest_tier=Tier.SIMPLE)
    route = narrowed(ROUTE, [standing("11", mine), standing("8.50")], facts_of)
    assert [target.model for target, _ in route.targets] == ["haiku", "local"]


def test_a_refusal_says_which_budget_when_it_ends_and_what_to_do() -> None:
    with pytest.raises(BudgetError) as caught:
        narrowed(ROUTE, [standing("9.80", reserved="0.25")], facts_of)
    assert str(caught.value) == (
        "The daily budget of $10 is 100 % used: $9.80 spent, $0.25 held back for answers that still come. It begins anew on "
        "Monday, 23 November at 00:00. Raise the budget in Lynkr Desktop under Settings to go on before."
    )


def test_a_step_that_leaves_nobody_is_a_refusal_with_the_reason() -> None:
    with pytest.raises(BudgetError, match="No model that it still allows can serve this request"):
        left("9.5", Route(((CLOUD, Tier.COMPLEX),), Tier.COMPLEX, None, "score", ""))


def test_every_step_has_its_words() -> None:
    words = [notice(standing(spent))[1] for spent in ("5", "8", "9", "10")]
    until = "until Monday, 23 November at 00:00."
    assert words[:3] == ["$5 spent.", f"No tier above MEDIUM is used {until}", f"Only models that cost nothing are used {until}"]
    assert words[3] == f"Requests are refused {until} Raise the budget in Lynkr Desktop under Settings to go on."


@given(st.decimals(min_value=0, max_value=30, places=4), st.decimals(min_value="0.01", max_value=20, places=2))
def test_more_money_never_allows_more(used: Decimal, amount: Decimal) -> None:
    budget = Budget(str(amount), notify_at=50, cap_at=80, free_at=90, stop_at=100)
    assert step_at(budget, used) <= step_at(budget, used + Decimal("0.01"))
    assert (step_at(budget, used) is Step.STOP) == (used >= amount)


@given(MOMENTS, ZONES, PERIODS)
def test_periods_tile_time_in_every_zone(now_ms: int, zone: ZoneInfo, period: BudgetPeriod) -> None:
    """Each moment lies in exactly one period, which ends where the next begins, whatever the clocks do."""
    days = days_of(period, day_of(now_ms, zone))
    assert days is not None
    begin, end = (round(midnight(day, zone).timestamp() * 1000) for day in days)
    assert begin <= now_ms < end
    assert days_of(period, day_of(end, zone)) == (days[1], (days_of(period, days[1]) or days)[1])
    assert days_of(period, day_of(end - 1, zone)) == days


@pytest.mark.parametrize(
    ("period", "before", "after"),
    [
        (BudgetPeriod.DAY, (2026, 11, 22, 23, 59, 59), (2026, 11, 23)),
        (BudgetPeriod.DAY, (2026, 10, 25, 23, 59, 59), (2026, 10, 26)),  # a day of 25 hours
        (BudgetPeriod.DAY, (2026, 3, 29, 23, 59, 59), (2026, 3, 30)),  # a day of 23 hours
        (BudgetPeriod.WEEK, (2026, 11, 22, 23, 59, 59), (2026, 11, 23)),  # Sunday, Monday
        (BudgetPeriod.MONTH, (2028, 2, 29, 23, 59, 59), (2028, 3, 1)),
        (BudgetPeriod.MONTH, (2026, 12, 31, 23, 59, 59), (2027, 1, 1)),
    ],
)
def test_money_of_the_last_second_is_gone_with_the_period(
    period: BudgetPeriod, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    book, budget = SpendingBook(BERLIN), Budget("10", period=period)
    book.add(Spent(at(*before), "codex", "s", Decimal("9.99")))
    last = book.standing(budget, "", at(*before))
    assert last.spent == Decimal("9.99")
    assert last.ends_at == datetime.datetime(*after, tzinfo=BERLIN)  # type: ignore[arg-type, misc]
    assert book.standing(budget, "", at(*after)).spent == 0


def test_a_clock_that_jumps_neither_doubles_nor_forgets() -> None:
    book, budget, noon = SpendingBook(BERLIN), Budget("10"), at(2026, 11, 22, 12)
    book.add(Spent(noon, "codex", "s", Decimal(3)))
    tomorrow = noon + 86_400_000
    assert book.standing(budget, "", tomorrow).spent == 0
    book.add(Spent(tomorrow, "codex", "s", Decimal(1)))
    assert book.standing(budget, "", noon).spent == 3
    assert book.standing(Budget("10", period=BudgetPeriod.MONTH), "", noon).spent == 4


def test_budgets_of_a_program_and_of_sessions_count_their_own() -> None:
    book, now = SpendingBook(BERLIN), at(2026, 11, 22, 12)
    for client, session, amount in (("codex", "a", "1"), ("codex", "b", "2"), ("claude-code", "c", "4")):
        book.add(Spent(now, client, session, Decimal(amount)))
    book.reserve("x", Spent(now, "codex", "b", Decimal("0.5")))
    each = Budget("10", "session", BudgetPeriod.NONE)
    assert book.standing(Budget("10", "client:codex"), "", now).spent == 3
    assert book.standing(each, "b", now).spent == 2
    assert book.standing(each, "b", now).reserved == Decimal("0.5")
    assert book.standing(each, "c", now).reserved == 0
    assert book.standing(each, "b", now, without="x").reserved == 0
    assert book.standing(each, "b", at(2027, 1, 1)).spent == 2
    assert book.fullest_session(now) == "c"


@pytest.mark.parametrize(
    ("budget", "field"),
    [
        (Budget("0"), "amount_usd"),
        (Budget("ten"), "amount_usd"),
        (Budget("NaN"), "amount_usd"),
        (Budget("-1"), "amount_usd"),
        (Budget("1e9"), "amount_usd"),
        (Budget("1", "everything"), "scope"),
        (Budget("1", "client:"), "scope"),
        (Budget("1", "session"), "period"),
        (Budget("1", period=BudgetPeriod.NONE), "period"),
        (Budget("1", stop_at=101), "stop_at"),
        (Budget("1", cap_at=0), "cap_at"),
    ],
)
def test_a_budget_that_cannot_be_is_refused_by_its_field(budget: Budget, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validate(Settings(budgets=(Budget("10"), budget)))
    assert caught.value.field == f"budgets[1].{field}"
