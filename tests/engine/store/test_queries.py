"""Questions to the ledger against the same questions to a plain list."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lynkr_desktop.engine.api import ActivityQuery, Bucket, Figures
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.engine.store import queries, schema
from lynkr_desktop.engine.store.ledger import Ledger
from lynkr_desktop.engine.store.queries import LINE_POINTS, Queries, Today
from lynkr_desktop.engine.store.reader import Reader
from lynkr_desktop.errors import ConfigError
from tests.engine.store.exchanges import NOW_MS, exchange
from tests.seed import seed_week

_DAY_MS = 86_400_000


def filled(folder: Path, exchanges: Sequence[Exchange]) -> Queries:
    path = folder / "ledger.db"
    ledger = Ledger(path, clock_ms=lambda: NOW_MS)
    ledger.open()
    for one in exchanges:
        ledger.record(one)
    ledger.close()
    assert ledger.dropped == 0
    return Queries(path, lambda: NOW_MS)


_costs = st.one_of(
    st.just((None, "unpriced")),
    st.just((None, "")),
    st.just(("0", "free")),
    st.integers(0, 10**15).map(lambda pico: (f"{Decimal(pico).scaleb(-12):f}", "priced")),
)


@st.composite
def _exchanges(draw: st.DrawFn) -> list[Exchange]:
    found = []
    for number in range(draw(st.integers(0, 40))):
        cost, basis = draw(_costs)
        found.append(
            exchange(
                number,
                started_at_ms=NOW_MS - draw(st.integers(0, 3 * _DAY_MS)),
                tier=draw(st.sampled_from(["SIMPLE", "MEDIUM", ""])),
                client=draw(st.sampled_from(["claude-code", "codex", ""])),
                account=draw(st.sampled_from(["openai", "lab"])),
                model=draw(st.sampled_from(["100%_sure", "gpt-5-mini", "Qwen"])),
                score=draw(st.one_of(st.none(), st.integers(0, 100))),
                error=draw(st.sampled_from(["", "", "rate"])),
                first_token_ms=draw(st.one_of(st.none(), st.floats(1, 9000))),
                cost_usd=cost,
                cost_basis=basis,
            )
        )
    return found


_some = st.lists(st.sampled_from(["SIMPLE", "MEDIUM", "REASONING"]), max_size=3).map(tuple)
_queries = st.builds(
    ActivityQuery,
    text=st.sampled_from(["", "", "qwen", "GPT mini", "%", "_", "\\", "lab 100%", "nowhere", "“weiß"]),
    tiers=_some,
    clients=st.lists(st.sampled_from(["claude-code", "codex", "aider"]), max_size=2).map(tuple),
    accounts=st.lists(st.sampled_from(["openai", "lab"]), max_size=2).map(tuple),
    only_failed=st.booleans(),
    since_ms=st.sampled_from([0, NOW_MS - _DAY_MS, NOW_MS - 2 * _DAY_MS]),
    limit=st.integers(1, 50),
)


def _wanted(all_exchanges: Sequence[Exchange], query: ActivityQuery) -> list[Exchange]:
    def matches(one: Exchange) -> bool:
        fields = (one.client, one.session, one.requested_model, one.account, one.model, one.error, one.error_detail, one.reason)
        texts = [text.lower() for text in fields]
        return (
            (not query.tiers or one.tier in query.tiers)
            and (not query.clients or one.client in query.clients)
            and (not query.accounts or one.account in query.accounts)
            and (not query.only_failed or bool(one.error))
            and one.started_at_ms >= query.since_ms
            and all(any(word.lower() in text for text in texts) for word in query.text.split())
        )

    return sorted(filter(matches, all_exchanges), key=lambda one: one.id, reverse=True)[: query.limit]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_exchanges(), st.lists(_queries, min_size=1, max_size=5))
def test_the_activity_is_that_of_a_plain_list(exchanges: list[Exchange], asked: list[ActivityQuery]) -> None:
    with TemporaryDirectory() as folder:
        ledger = filled(Path(folder), exchanges)
        for query in asked:
            assert list(asyncio.run(ledger.activity(query))) == _wanted(exchanges, query)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    _exchanges(), st.sampled_from([_DAY_MS, 3 * _DAY_MS, 1]), st.integers(1, 9), st.sampled_from(["tier", "account", "client"])
)
def test_sums_are_those_of_a_plain_list(exchanges: list[Exchange], length_ms: int, buckets: int, by: str) -> None:
    since_ms = NOW_MS - length_ms
    inside = [one for one in exchanges if one.started_at_ms >= since_ms]
    with TemporaryDirectory() as folder:
        ledger = filled(Path(folder), exchanges)
        figures = asyncio.run(ledger.figures(since_ms))
        today = asyncio.run(ledger.today(since_ms))
        spend = asyncio.run(ledger.spend(since_ms, buckets, by))
        histogram = asyncio.run(ledger.histogram(since_ms))

    cost = sum((Decimal(one.cost_usd) for one in inside if one.cost_usd), Decimal(0))
    times = [one.first_token_ms for one in inside if one.first_token_ms is not None]
    for numbers in (figures, today):
        assert Decimal(numbers.cost_usd) == cost
        assert numbers.requests == len(inside)
        assert numbers.failed == sum(bool(one.error) for one in inside)
        assert numbers.unpriced == sum(one.cost_basis == "unpriced" for one in inside)
        assert numbers.median_first_token_ms == (median(times) if times else None)
    assert sum(figures.requests_line) == len(inside)
    assert sum(figures.cost_line) == pytest.approx(float(cost))
    assert today.tiers == Counter(one.tier for one in inside if one.tier)
    assert today.last == max(exchanges, key=lambda one: one.id, default=None)
    assert list(histogram) == [sum(one.score == score for one in inside) for score in range(101)]
    _check_spend(spend, inside, by)


def _check_spend(spend: Sequence[Bucket], inside: list[Exchange], by: str) -> None:
    starts = [bucket.start_ms for bucket in spend]
    for number, bucket in enumerate(spend):
        until = starts[number + 1] if number + 1 < len(starts) else NOW_MS + 1
        mine = [one for one in inside if starts[number] <= one.started_at_ms < until]
        costs: dict[str, Decimal] = {}
        for one in mine:
            if one.cost_usd is not None:
                costs[getattr(one, by)] = costs.get(getattr(one, by), Decimal(0)) + Decimal(one.cost_usd)
        assert bucket.requests == len(mine)
        assert {key: Decimal(text) for key, text in bucket.cost_by_key.items()} == costs


async def test_pages_join_without_gap_or_repeat(tmp_path: Path) -> None:
    ledger = filled(tmp_path, [exchange(number, client=("codex", "aider")[number % 2]) for number in range(25)])
    seen: list[Exchange] = []
    while page := await ledger.activity(ActivityQuery(clients=("codex", "aider"), limit=10, before=seen[-1].id if seen else "")):
        seen += page
    assert [one.started_at_ms - NOW_MS for one in seen] == list(reversed(range(25)))


async def test_one_exchange_is_found_by_its_id(tmp_path: Path) -> None:
    ledger = filled(tmp_path, [exchange(1), exchange(2)])
    assert await ledger.exchange(exchange(2).id) == exchange(2)
    assert await ledger.exchange("none") is None


async def test_money_is_summed_without_rounding(tmp_path: Path) -> None:
    ledger = filled(tmp_path, [exchange(-number, cost_usd="0.0000000001") for number in range(1, 1001)])
    assert (await ledger.figures(NOW_MS - _DAY_MS)).cost_usd == "0.0000001"


async def test_everything_since_ever_begins_with_the_first_exchange(tmp_path: Path) -> None:
    ledger = filled(tmp_path, [exchange(started_at_ms=NOW_MS - 10 * _DAY_MS), exchange(started_at_ms=NOW_MS - 1)])
    spend = await ledger.spend(0, 10, "model")
    assert [bucket.requests for bucket in spend] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert spend[0].start_ms == NOW_MS - 10 * _DAY_MS


async def test_an_exchange_after_the_clock_was_set_back_counts_into_the_last_bucket(tmp_path: Path) -> None:
    ledger = filled(tmp_path, [exchange(started_at_ms=NOW_MS + _DAY_MS)])
    assert [bucket.requests for bucket in await ledger.spend(NOW_MS - _DAY_MS, 3, "tier")] == [0, 0, 1]


async def test_a_line_without_a_value_keeps_the_one_before(tmp_path: Path) -> None:
    span = 24 * 1000
    ledger = filled(
        tmp_path,
        [
            exchange(started_at_ms=NOW_MS - span + 2000, first_token_ms=500.0),
            exchange(started_at_ms=NOW_MS - 1000, first_token_ms=900.0),
        ],
    )
    line = (await ledger.figures(NOW_MS - span)).first_token_line
    assert len(line) == LINE_POINTS
    assert (line[0], line[10], line[-1]) == (500.0, 500.0, 900.0)


async def test_usage_adds_up_by_model(tmp_path: Path) -> None:
    ledger = filled(
        tmp_path,
        [
            exchange(1, cache_read_tokens=7),
            exchange(2, error="rate", input_tokens=None, cost_usd=None, cost_basis=""),
            exchange(3, model="other", cost_usd=None, cost_basis="unpriced"),
        ],
    )
    first, second = await ledger.usage(0)
    assert (first.requests, first.failed, first.input_tokens, first.cache_read_tokens) == (2, 1, 100, 7)
    assert (Decimal(first.cost_usd), first.unpriced) == (Decimal("0.012"), 0)
    assert (second.model, second.cost_usd, second.unpriced) == ("other", "0", 1)


@pytest.mark.parametrize("is_there", [False, True])
async def test_a_ledger_that_was_never_written_is_an_empty_one(tmp_path: Path, is_there: bool) -> None:
    if is_there:
        (tmp_path / "ledger.db").touch()
    ledger = Queries(tmp_path / "ledger.db")
    assert await ledger.activity(ActivityQuery()) == ()
    assert await ledger.figures(0) == Figures("0", 0, 0, 0, None)
    assert await ledger.today(0) == Today()
    assert await ledger.spend(0, 3, "tier") == ()
    assert await ledger.histogram(0) == (0,) * 101
    assert await ledger.usage(0) == ()
    assert (tmp_path / "ledger.db").exists() is is_there


async def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no database at all" * 500)
    with pytest.raises(ConfigError, match=str(tmp_path / "ledger.db")):
        await Queries(tmp_path / "ledger.db").activity(ActivityQuery())


async def test_reading_cannot_change_anything(tmp_path: Path) -> None:
    ledger = filled(tmp_path, [exchange(1)])

    def attack(connection: Reader) -> None:
        connection.execute("DELETE FROM exchanges")

    with pytest.raises(ConfigError, match="readonly"):
        await ledger._ask(attack, None)


async def test_spend_takes_known_keys_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one of"):
        await filled(tmp_path, []).spend(0, 3, "1; DROP TABLE exchanges")


def test_every_filter_walks_an_index(tmp_path: Path) -> None:
    """A page must not sort or read everything, however large the ledger is."""
    connection = sqlite3.connect(":memory:")
    schema.prepare(connection)
    before = exchange(1).id
    plans: list[str] = []
    connection.set_trace_callback(plans.append)
    for query in (
        ActivityQuery(before=before),
        ActivityQuery(only_failed=True, accounts=("a",)),
        ActivityQuery(accounts=("a", "b"), tiers=("SIMPLE",)),
        ActivityQuery(clients=("a", "b"), tiers=("SIMPLE",), before=before),
        ActivityQuery(tiers=("SIMPLE", "MEDIUM"), since_ms=NOW_MS),
    ):
        queries._activity(connection, query)
    connection.set_trace_callback(None)
    assert len(plans) == 5
    for statement in plans:
        plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"))
        assert "USING INDEX" in plan
    connection.close()


async def test_the_seeded_week_is_plausible_and_repeatable(tmp_path: Path) -> None:
    ledgers = []
    for name in ("a", "b"):
        path = tmp_path / name
        ledger = Ledger(path, clock_ms=lambda: NOW_MS)
        ledger.open()
        seed_week(ledger, NOW_MS, exchanges=1500)
        ledger.close()
        ledgers.append(Queries(path, lambda: NOW_MS))
    every, again = [await ledger.activity(ActivityQuery(limit=2000)) for ledger in ledgers]
    assert every == again
    assert len({one.id for one in every}) == 1500
    assert all(NOW_MS - 7 * _DAY_MS <= one.started_at_ms < NOW_MS for one in every)
    assert {one.client for one in every} == {"claude-code", "codex", "cursor", "continue", "aider"}
    assert {one.tier for one in every} == {"SIMPLE", "MEDIUM", "COMPLEX", "REASONING"}
    assert {"priced", "reported", "free", "unpriced"} <= {one.cost_basis for one in every}
    assert all(round(sum(part.points for part in one.dimensions)) == one.score for one in every)
    assert all(one.attempts[-1].account == one.account for one in every)
    assert any(len(one.attempts) == 2 and not one.error for one in every)
    assert any(one.error for one in every)
    assert any(one.method == "sticky" for one in every)
