"""The shared ledger in a real PostgreSQL server: SQLite's answers, nothing lost while it is away, one common budget."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.engine.api import ActivityQuery, BudgetScope, Claim
from lynkr_desktop.engine.events import Attempt, Exchange, Trouble
from lynkr_desktop.engine.store.ledger import Ledger
from lynkr_desktop.engine.store.postgres import Postgres
from lynkr_desktop.engine.store.queries import KEYS, Queries, SharedQueries
from lynkr_desktop.engine.store.savings import EVERYTHING, Baseline, Choice
from lynkr_desktop.engine.store.shared import SharedLedger
from lynkr_desktop.errors import ConfigError
from tests.engine.store.exchanges import NOW_MS, exchange, sent
from tests.fakes.caller import Caller
from tests.fakes.dialects import MESSAGES
from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.script import Delivery, Ending, Tokens, say
from tests.fakes.upstream import Upstream
from tests.rig import postgres

pytestmark = pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing())
_EVER = BudgetScope(until_ms=2**60)


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.PostgresServer]:
    server = postgres.PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def server(cluster: postgres.PostgresServer) -> postgres.PostgresServer:
    """The server with nothing of ours in it."""
    database = Postgres(Secret(cluster.url))
    database.start()
    database.run("DROP SCHEMA IF EXISTS lynkr CASCADE")
    database.stop()
    return cluster


@pytest.fixture
def shared(server: postgres.PostgresServer, tmp_path: Path) -> Iterator[Callable[..., SharedLedger]]:
    made: list[SharedLedger] = []

    def make(name: str = "a", on_trouble: Callable[[Trouble], None] = lambda _: None) -> SharedLedger:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        database = Postgres(Secret(server.url))
        ledger = SharedLedger(database, folder / "ledger.db", on_trouble, clock_ms=lambda: NOW_MS, retry_seconds=0.05)
        ledger.open()
        made.append(ledger)
        return ledger

    yield make
    for ledger in made:
        ledger.close()


def rows(ledger: SharedLedger) -> list[Exchange]:
    found = asyncio.run(SharedQueries(ledger.database).activity(ActivityQuery(limit=10_000)))
    return list(reversed(found))


SOME = [
    exchange(1, fingerprint="ab" * 32),
    exchange(2, score=None, cost_usd=None, cost_basis="unpriced", first_token_ms=None, dimensions=(), attempts=(), losses=()),
    exchange(3, client="codex", project="website", tier="SIMPLE", cost_usd="0.00000001", account="openai", model="gpt-5-mini"),
    exchange(4, error="timeout", status=504, error_detail="50 % \\ _ nothing"),
    exchange(-86_400_000, session="s-2", total_ms=1.5, is_streamed=False),
    exchange(5, method="cascade", fingerprint="0c" * 32),
    exchange(6, attempts=(Attempt("a", "m", "SIMPLE", 0.0, None, 9.0, 200, "unverified", cost_usd="0.001"),)),
    exchange(7, fingerprint="0d" * 32),
]


def test_every_question_has_the_same_answer_as_in_sqlite(shared: Callable[..., SharedLedger], tmp_path: Path) -> None:
    pen, own = shared(), Ledger(tmp_path / "own.db", clock_ms=lambda: NOW_MS)
    own.open()
    for each in SOME:
        pen.record(each)
        own.record(each)
    for ledger in (pen, own):
        ledger.judge(SOME[0].id, 1)
    own.close()
    ours = Queries(tmp_path / "own.db", lambda: NOW_MS + 1000)
    theirs = SharedQueries(pen.database, lambda: NOW_MS + 1000)
    baseline = Baseline("x", "always gpt-4o", lambda _surface, _model: Choice("openai", "gpt-4o"))
    asked: list[Callable[[Queries], Any]] = [
        lambda queries: queries.activity(ActivityQuery()),
        lambda queries: queries.activity(ActivityQuery(tiers=("SIMPLE", "COMPLEX"), clients=("codex",), limit=1)),
        lambda queries: queries.activity(ActivityQuery(accounts=("openai", "anthropic"), before=SOME[3].id)),
        lambda queries: queries.activity(ActivityQuery(only_failed=True, since_ms=NOW_MS)),
        lambda queries: queries.activity(ActivityQuery(text="CODEX gpt")),
        lambda queries: queries.activity(ActivityQuery(text="50 % \\ _")),
        lambda queries: queries.exchange(SOME[0].id),
        lambda queries: queries.exchange("none"),
        lambda queries: queries.figures(0, baseline),
        lambda queries: queries.figures(NOW_MS - 1),
        *(lambda queries, key=key: queries.spend(0, 7, key) for key in KEYS),
        lambda queries: queries.histogram(0),
        lambda queries: queries.today(NOW_MS),
        lambda queries: queries.saved(0, baseline, EVERYTHING),
        lambda queries: queries.usage(0),
        lambda queries: queries.verdicts(),
        lambda queries: queries.examples(10),
        lambda queries: queries.trials(0),
    ]
    for question in asked:
        assert asyncio.run(question(theirs)) == asyncio.run(question(ours))
    assert sorted(asyncio.run(theirs.spent(0, 2**60))) == sorted(asyncio.run(ours.spent(0, 2**60)))
    assert sorted(map(repr, asyncio.run(theirs.past(0)))) == sorted(map(repr, asyncio.run(ours.past(0))))
    assert msgspec.json.encode(asyncio.run(theirs.usage(0))) == msgspec.json.encode(asyncio.run(ours.usage(0)))


def test_what_postgres_cannot_hold_does_not_stop_the_others(shared: Callable[..., SharedLedger]) -> None:
    troubles: list[Trouble] = []
    pen = shared(on_trouble=troubles.append)
    for each in (exchange(1, reason="a\0b"), exchange(2, input_tokens=2**70), exchange(3, account="x" * 20_000), exchange(4)):
        pen.record(each)
    assert pen.flush()
    assert [row.reason if row.id == exchange(1).id else "" for row in rows(pen)] == ["a\ufffdb", "", ""][: len(rows(pen))]
    assert exchange(4) in rows(pen)
    assert "not in the ledger" in troubles[-1].detail


def test_two_programs_write_one_ledger_and_the_same_row_twice_is_one(shared: Callable[..., SharedLedger]) -> None:
    one, two = shared("a"), shared("b")
    for number in range(300):
        one.record(exchange(number))
        two.record(exchange(number, client="codex"))
    one.record(exchange(1))
    assert one.flush()
    assert two.flush()
    assert len(rows(one)) == 600
    assert one.database.run("SELECT sum(pico) FROM spending") == [(600 * 12_000_000_000,)]


def test_while_the_database_is_away_rows_wait_in_a_file_and_come_later(
    server: postgres.PostgresServer, shared: Callable[..., SharedLedger], tmp_path: Path
) -> None:
    told, is_over = threading.Event(), threading.Event()

    def tell(trouble: Trouble) -> None:
        (is_over if trouble.is_over else told).set()

    pen = shared(on_trouble=tell)
    pen.record(exchange(0))
    assert pen.flush()
    server.stop()
    for number in range(1, 500):
        pen.record(exchange(number))
    assert pen.flush()
    assert told.wait(20)
    assert len(list((tmp_path / "a").glob("ledger.spool-*"))) == 1
    with pytest.raises(ConfigError, match="cannot be read") as refusal:
        rows(pen)
    assert server.password not in str(refusal.value)
    server.start()
    pen.record(exchange(500))
    assert is_over.wait(20)
    pen.flush()
    for _ in range(200):
        if len(rows(pen)) == 501:
            break
    assert rows(pen) == [exchange(number) for number in range(501)]
    assert list((tmp_path / "a").glob("ledger.spool-*")) == []


def test_what_a_killed_program_left_comes_from_the_next_one(shared: Callable[..., SharedLedger], tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "ledger.spool-0123456789ab").write_bytes(msgspec.json.encode(exchange(1)) + b'\n{"id": "half')
    pen = shared()
    pen.begin(sent(2))
    pen.record(exchange(3))
    assert pen.flush()
    for _ in range(100):
        if len(rows(pen)) == 2:
            break
    assert [row.id for row in rows(pen)] == [exchange(1).id, exchange(3).id]


async def test_claims_are_in_one_order_and_money_is_held_or_spent_never_both_or_neither(
    shared: Callable[..., SharedLedger],
) -> None:
    """Twenty claims at once of two programs: each sees those before it, so their sums are 0, 1, 2, … in some order."""
    pens = [shared("a"), shared("b")]
    for pen in pens:
        assert await asyncio.to_thread(pen.flush)
        await asyncio.to_thread(pen._beat)
    claims = [
        pens[number % 2].claim(Claim(exchange(number).id, "codex", "website", f"s-{number % 3}", Decimal("0.01")), [_EVER])
        for number in range(20)
    ]
    seen = [found[0] for found in await asyncio.gather(*claims) if found is not None]
    assert sorted(held for _, held in seen) == [Decimal("0.01") * number for number in range(20)]
    assert {spent for spent, _ in seen} == {Decimal(0)}
    pens[0].record(exchange(0, cost_usd="0.002", client="codex"))
    assert await asyncio.to_thread(pens[0].flush)
    scopes = [
        _EVER,
        BudgetScope(client="other", until_ms=2**60),
        BudgetScope(session="s-1"),
        BudgetScope(project="website", until_ms=2**60),
    ]
    found = await pens[1].claim(Claim(), scopes)
    assert found == [
        (Decimal("0.002"), Decimal("0.19")),
        (Decimal(0), Decimal(0)),
        (Decimal("0.002"), Decimal("0.07")),
        (Decimal(0), Decimal("0.19")),
    ]


def budgeted(headless: Callable[..., Program], upstream: Upstream, folder: Path, url: str) -> Program:
    data = folder / "lynkr"
    data.mkdir(parents=True)
    settings = {"version": 1, "budgets": [{"amount_usd": "0.05", "stop_at": 100}]}
    (data / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    return headless(
        MODEL_PROVIDER="anthropic:claude-sonnet-4-5", LYNKR_DATA_DIR=str(data), LYNKR_DATABASE_URL=url, **account(upstream)
    )


def test_two_programs_hold_a_common_budget(
    server: postgres.PostgresServer, headless: Callable[..., Program], anthropic_upstream: Upstream, tmp_path: Path
) -> None:
    """Ten streams at once through two programs: what is served costs at most the budget and one request's estimate."""
    programs = [budgeted(headless, anthropic_upstream, tmp_path / name, server.url) for name in ("one", "two")]
    callers = [Caller(program.url, program.token) for program in programs]
    tokens = Tokens(input=1000, output=1000)  # $0.018 at 3 and 15 dollars a million
    anthropic_upstream.always = say("word " * 5, pieces=5, tokens=tokens, delivery=Delivery(ending=Ending.HOLD, cut_after=3))
    statuses: list[int] = []

    def ask(number: int) -> None:
        body = MESSAGES.ask("Write. " + "x" * 3000, is_streamed=True, max_tokens=1000)
        statuses.append(callers[number % 2].post("/v1/messages", body).status)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    released = 0
    while any(thread.is_alive() for thread in threads):
        for received in anthropic_upstream.received[released:]:
            received.release()
            released += 1
        for thread in threads:
            thread.join(0.02)
    assert set(statuses) <= {200, 402, 429, 403}
    served = statuses.count(200)
    assert 1 <= served <= 4, statuses
    for program in programs:
        program.stop()
    again = budgeted(headless, anthropic_upstream, tmp_path / "three", server.url)
    usage = Caller(again.url, again.token).get("/v1/usage").json
    assert usage["requests"] - usage["failed"] == served
    estimate = Decimal("0.02")
    assert Decimal(usage["cost_usd"]) <= Decimal("0.05") + estimate
    refused = Caller(again.url, again.token).post("/v1/messages", MESSAGES.ask("Again?"))
    assert refused.status != 200
    assert "budget" in MESSAGES.error_of(refused.json)
    for program in (*programs, again):
        assert server.password not in program.stderr


def test_requests_are_served_while_the_database_is_away(
    server: postgres.PostgresServer, headless: Callable[..., Program], anthropic_upstream: Upstream, tmp_path: Path
) -> None:
    server.stop()
    try:
        program = budgeted(headless, anthropic_upstream, tmp_path / "one", server.url)
        caller = Caller(program.url, program.token)
        for _ in range(3):
            assert caller.post("/v1/messages", MESSAGES.ask("Hello")).status == 200
        assert program.stop() == 0
        assert "The ledger cannot be written." in program.stderr
        assert server.password not in program.stderr
    finally:
        server.start()
    again = Program(tmp_path / "home0", program.env).wait_until_ready()
    try:
        usage: dict[str, Any] = {"requests": 0}
        for _ in range(100):
            usage = Caller(again.url, again.token).get("/v1/usage").json
            if usage["requests"] == 3:
                break
        assert usage["requests"] == 3
    finally:
        assert again.stop() == 0


def test_an_address_that_is_none_is_refused_without_being_said() -> None:
    with pytest.raises(ConfigError, match="is not a database's address") as refusal:
        Postgres(Secret("mysql://user:hidden@host/database"))
    assert "hidden" not in str(refusal.value)
