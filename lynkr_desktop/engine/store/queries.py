"""Questions to the ledger: read-only, each on a connection of its own in a worker thread. Writes nothing.

A failed exchange is one whose `error` is not empty. Money is summed as whole numbers, so sums are exact; it comes out as
decimal text. A ledger that does not exist yet is an empty one.
"""

import asyncio
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeVar

import msgspec

from lynkr_desktop.config.settings import Target, Tier
from lynkr_desktop.engine.api import ActivityQuery, Bucket, Figures, LatencyBucket
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.engine.routing.gate import Tokens
from lynkr_desktop.engine.routing.learners.history import Example, example_of
from lynkr_desktop.engine.routing.learners.thresholds import Verdict
from lynkr_desktop.engine.routing.replay import Past
from lynkr_desktop.engine.store import schema
from lynkr_desktop.engine.store.ids import first_id_at
from lynkr_desktop.engine.store.postgres import AwayError, Postgres, RefusedRowsError
from lynkr_desktop.engine.store.reader import Reader
from lynkr_desktop.engine.store.savings import Baseline, Filter, Saved, Savings
from lynkr_desktop.errors import ConfigError

T = TypeVar("T")

LINE_POINTS: Final = 24
KEYS: Final = ("tier", "account", "model", "client", "project")
_SEARCHED: Final = ("client", "project", "session", "requested_model", "account", "model", "error", "error_detail", "reason")
_QUARTER_MS: Final = 900_000
_SLACK_MS: Final = 60_000  # an id is made at most this long before its exchange's start is noted


class Today(msgspec.Struct, frozen=True):
    """The snapshot's numbers since a moment. `unpriced` exchanges are not in `cost_usd`."""

    requests: int = 0
    failed: int = 0
    cost_usd: str = "0"
    unpriced: int = 0
    tiers: dict[str, int] = {}
    median_first_token_ms: float | None = None
    last: Exchange | None = None


class ModelUsage(msgspec.Struct, frozen=True):
    """What one model at one account did since a moment. Tokens that nobody told count as none."""

    account: str
    provider: str
    model: str
    requests: int
    failed: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: str
    unpriced: int


class Queries:
    """The questions of window and admin endpoints. Raises `ConfigError` if the ledger cannot be read."""

    def __init__(self, path: Path, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._path = path
        self._clock_ms = clock_ms
        self._savings = Savings()

    async def activity(self, query: ActivityQuery) -> tuple[Exchange, ...]:
        """Exchanges that match, newest first."""
        return await self._ask(lambda connection: _activity(connection, query), ())

    async def exchange(self, exchange_id: str) -> Exchange | None:
        """One exchange by its id."""
        return await self._ask(lambda connection: _exchange(connection, exchange_id), None)

    async def figures(self, since_ms: int, baseline: Baseline | None = None) -> Figures:
        """The overview's numbers from a moment until now; 0 is from the first exchange. Without a baseline, no savings."""
        until_ms = self._clock_ms()
        nothing = Figures("0", 0, 0, 0, None)
        if baseline is None:
            return await self._ask(lambda connection: _figures(connection, since_ms, until_ms), nothing)

        def ask(connection: Reader) -> Figures:
            saved = self._savings.since(connection, since_ms, baseline)
            return _with_savings(_figures(connection, since_ms, until_ms), baseline, saved)

        return await self._ask(ask, _with_savings(nothing, baseline, Saved()))

    async def spend(self, since_ms: int, buckets: int, by: str) -> tuple[Bucket, ...]:
        """Cost over time in equal buckets until now, by one of `KEYS`. Unpriced exchanges count as requests only."""
        if by not in KEYS or buckets < 1:
            raise ValueError(f"spend takes one of {KEYS} and at least one bucket")
        until_ms = self._clock_ms()
        return await self._ask(lambda connection: _spend(connection, _Span(connection, since_ms, until_ms, buckets), by), ())

    async def latency(self, since_ms: int, buckets: int) -> tuple[LatencyBucket, ...]:
        """First tokens over time in equal buckets until now."""
        until_ms = self._clock_ms()
        return await self._ask(lambda connection: _latency(connection, _Span(connection, since_ms, until_ms, buckets)), ())

    async def histogram(self, since_ms: int) -> tuple[int, ...]:
        """How many exchanges had each score: 101 numbers."""
        return await self._ask(lambda connection: _histogram(connection, since_ms), (0,) * 101)

    async def today(self, since_ms: int) -> Today:
        """The snapshot's sums since a moment, and the last exchange of all."""
        return await self._ask(lambda connection: _today(connection, since_ms), Today())

    async def saved(self, since_ms: int, baseline: Baseline, of: Filter) -> Saved:
        """What was saved against a baseline since a moment."""
        return await self._ask(lambda connection: Savings().since(connection, since_ms, baseline, of), Saved())

    async def past(self, since_ms: int) -> tuple[Past, ...]:
        """What a replay needs of the exchanges since a moment that a model served."""
        return await self._ask(lambda connection: _past(connection, since_ms), ())

    async def verdicts(self) -> tuple[Verdict, ...]:
        """What the user said of exchanges whose tier the score decided, oldest first."""
        return await self._ask(_verdicts, ())

    async def trials(self, since_ms: int) -> tuple[Exchange, ...]:
        """Exchanges since a moment for which a cheaper model was tried, whether it passed or not."""
        return await self._ask(lambda connection: _trials(connection, since_ms), ())

    async def examples(self, limit: int) -> tuple[Example, ...]:
        """The newest asks with a fingerprint, so many at most without a verdict, then so many with one; oldest first."""
        return await self._ask(lambda connection: _examples(connection, limit), ())

    async def usage(self, since_ms: int) -> tuple[ModelUsage, ...]:
        """Tokens and cost by account and model since a moment, the most requests first."""
        return await self._ask(lambda connection: _usage(connection, since_ms), ())

    async def spent(self, since_ms: int, until_ms: int) -> tuple[tuple[int, str, str, str, str], ...]:
        """Money spent from one moment until before another: about when, program, session, project, decimal text."""
        return await self._ask(lambda connection: _spent(connection, since_ms, until_ms), ())

    async def _ask(self, question: Callable[[Reader], T], nothing: T) -> T:
        return await asyncio.to_thread(self._ask_now, question, nothing)

    def _ask_now(self, question: Callable[[Reader], T], nothing: T) -> T:
        try:
            if not self._path.exists() or self._path.stat().st_size == 0:
                return nothing
            connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
            try:
                if connection.execute("PRAGMA user_version").fetchone() < (schema.VERSION,):
                    return nothing  # the writer is about to bring it up to date
                return question(connection)
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as error:
            raise ConfigError("The ledger cannot be read.", f"{self._path}: {error}.", field="ledger") from error


class SharedQueries(Queries):
    """The same questions to a shared database."""

    def __init__(self, database: Postgres, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        super().__init__(Path(), clock_ms)
        self._database = database

    def _ask_now(self, question: Callable[[Reader], T], nothing: T) -> T:
        self._savings = Savings()  # rows of others come in no order that could be gone on from
        try:
            return question(self._database)
        except (AwayError, RefusedRowsError) as error:
            raise ConfigError("The shared ledger cannot be read.", str(error), field="ledger") from error


def _activity(connection: Reader, query: ActivityQuery) -> tuple[Exchange, ...]:
    """One ordered walk down an index per value of the most telling filter, each cut at the limit, then merged.

    A single `IN` would make SQLite sort everything that matches.
    """
    drive, values = _drive(query)
    conditions, arguments = _conditions(query, drive)
    parts, bound = [], []
    for value in values or (None,):
        own = [*conditions, f"{drive} = ?"] if value is not None else conditions
        bound += [*arguments, *([value] if value is not None else []), query.limit]
        where = f"WHERE {' AND '.join(own)}" if own else ""
        parts.append(f"SELECT * FROM (SELECT {schema.COLUMNS} FROM exchanges {where} ORDER BY id DESC LIMIT ?) AS part")  # noqa: S608
    rows = connection.execute(f"{' UNION ALL '.join(parts)} ORDER BY id DESC LIMIT ?", (*bound, query.limit))
    return tuple(map(schema.exchange_of, rows))


def _drive(query: ActivityQuery) -> tuple[str, tuple[str, ...]]:
    """The filter whose index is walked, and its values."""
    for column, values in (("account", query.accounts), ("client", query.clients), ("tier", query.tiers)):
        if values and not query.only_failed:
            return column, tuple(dict.fromkeys(values))
    return "", ()


def _conditions(query: ActivityQuery, drive: str) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    arguments: list[Any] = []
    for column, values in (("account", query.accounts), ("client", query.clients), ("tier", query.tiers)):
        if values and column != drive:
            # An expression keeps SQLite from walking this column's index instead of the chosen one.
            conditions.append(f"{column} || '' IN ({', '.join('?' * len(values))})")
            arguments += values
    if query.only_failed:
        conditions.append("error <> ''")
    if query.since_ms:
        conditions.append("id >= ? AND started_at_ms >= ?")
        arguments += [first_id_at(query.since_ms - _SLACK_MS), query.since_ms]
    if query.before:
        conditions.append("id < ?")
        arguments.append(query.before)
    for word in query.text.split():
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        conditions.append("(" + " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for column in _SEARCHED) + ")")
        arguments += [pattern] * len(_SEARCHED)
    return conditions, arguments


def _exchange(connection: Reader, exchange_id: str) -> Exchange | None:
    row = connection.execute(f"SELECT {schema.COLUMNS} FROM exchanges WHERE id = ?", (exchange_id,)).fetchone()  # noqa: S608
    return None if row is None else schema.exchange_of(row)


class _Span:
    """A time cut into equal buckets. What lies after its end (a clock set back) counts into the last one."""

    def __init__(self, connection: Reader, since_ms: int, until_ms: int, buckets: int) -> None:
        if since_ms <= 0:
            (first,) = connection.execute("SELECT min(started_at_ms) FROM exchanges").fetchone()
            since_ms = until_ms - 1 if first is None else first
        self.since_ms = since_ms
        self.buckets = buckets
        self.length_ms = max(1, until_ms - since_ms)
        bucket = f"(started_at_ms - {since_ms}) * {buckets} / {self.length_ms}"
        self.index = f"CASE WHEN {bucket} < {buckets} THEN {bucket} ELSE {buckets - 1} END"

    def start_of(self, bucket: int) -> int:
        """The first millisecond that counts into a bucket."""
        return self.since_ms + -(-bucket * self.length_ms // self.buckets)


_SUMS: Final = (
    "count(*), count(*) FILTER (WHERE error <> ''), sum(cost_pico), count(*) FILTER (WHERE cost_basis = 'unpriced') "
    "FROM exchanges INDEXED BY by_time"
)
_SINCE: Final = "WHERE started_at_ms >= ?"


def _figures(connection: Reader, since_ms: int, until_ms: int) -> Figures:
    span = _Span(connection, since_ms, until_ms, LINE_POINTS)
    start = (span.since_ms,)
    requests, failed, pico, unpriced = connection.execute(f"SELECT {_SUMS} {_SINCE}", start).fetchone()
    lines = {row[0]: row[1:] for row in connection.execute(f"SELECT {span.index}, {_SUMS} {_SINCE} GROUP BY 1", start)}
    times: defaultdict[int, list[float]] = defaultdict(list)
    select = f"SELECT {span.index}, first_token_ms FROM exchanges INDEXED BY by_time {_SINCE} AND first_token_ms IS NOT NULL"  # noqa: S608
    for bucket, first_token_ms in connection.execute(select, start):
        times[bucket].append(first_token_ms)
    every = [value for values in times.values() for value in values]
    points = range(LINE_POINTS)
    return Figures(
        cost_usd=schema.usd_of(pico),
        unpriced=unpriced,
        requests=requests,
        failed=failed,
        median_first_token_ms=median(every) if every else None,
        cost_line=tuple(int(lines[point][2] or 0) / 1e12 if point in lines else 0.0 for point in points),
        requests_line=tuple(float(lines[point][0]) if point in lines else 0.0 for point in points),
        first_token_line=_held({point: median(values) for point, values in times.items()}),
    )


def _with_savings(figures: Figures, baseline: Baseline, saved: Saved) -> Figures:
    return msgspec.structs.replace(
        figures, saved_usd=saved.usd, baseline=baseline.name, saved_label=saved.label, unmeasurable=saved.unmeasurable
    )


def _held(values: dict[int, float]) -> tuple[float, ...]:
    """A line in which a point without a value keeps the one before it; empty if there is none at all."""
    if not values:
        return ()
    last = values[min(values)]
    line = []
    for point in range(LINE_POINTS):
        last = values.get(point, last)
        line.append(last)
    return tuple(line)


def _spend(connection: Reader, span: _Span, by: str) -> tuple[Bucket, ...]:
    costs: list[dict[str, str]] = [{} for _ in range(span.buckets)]
    requests = [0] * span.buckets
    select = f"SELECT {span.index}, {by}, count(*), sum(cost_pico) FROM exchanges INDEXED BY by_time {_SINCE} GROUP BY 1, 2"  # noqa: S608
    for bucket, key, count, pico in connection.execute(select, (span.since_ms,)):
        requests[bucket] += count
        if pico is not None:
            costs[bucket][key] = schema.usd_of(pico)
    return tuple(Bucket(span.start_of(index), costs[index], requests[index]) for index in range(span.buckets))


def _latency(connection: Reader, span: _Span) -> tuple[LatencyBucket, ...]:
    times: list[list[float]] = [[] for _ in range(span.buckets)]
    select = f"SELECT {span.index}, first_token_ms FROM exchanges INDEXED BY by_time {_SINCE} AND first_token_ms IS NOT NULL"  # noqa: S608
    for bucket, first_token_ms in connection.execute(select, (span.since_ms,)):
        times[bucket].append(first_token_ms)
    found = []
    for bucket, values in enumerate(times):
        values.sort()
        last = len(values) - 1
        p50, p95 = (values[round(share * last)] for share in (0.5, 0.95)) if values else (None, None)
        found.append(LatencyBucket(span.start_of(bucket), len(values), p50, p95))
    return tuple(found)


def _histogram(connection: Reader, since_ms: int) -> tuple[int, ...]:
    select = f"SELECT score, count(*) FROM exchanges INDEXED BY by_time {_SINCE} AND score BETWEEN 0 AND 100 GROUP BY score"  # noqa: S608
    counts: dict[int, int] = dict(connection.execute(select, (since_ms,)).fetchall())
    return tuple(counts.get(score, 0) for score in range(101))


def _today(connection: Reader, since_ms: int) -> Today:
    start = (since_ms,)
    requests, failed, pico, unpriced = connection.execute(f"SELECT {_SUMS} {_SINCE}", start).fetchone()
    tiers = f"SELECT tier, count(*) FROM exchanges INDEXED BY by_time {_SINCE} AND tier <> '' GROUP BY tier"  # noqa: S608
    times = f"SELECT first_token_ms FROM exchanges INDEXED BY by_time {_SINCE} AND first_token_ms IS NOT NULL"  # noqa: S608
    first_tokens = [row[0] for row in connection.execute(times, start)]
    last = connection.execute(f"SELECT {schema.COLUMNS} FROM exchanges ORDER BY id DESC LIMIT 1").fetchone()  # noqa: S608
    return Today(
        requests=requests,
        failed=failed,
        cost_usd=schema.usd_of(pico),
        unpriced=unpriced,
        tiers=dict(connection.execute(tiers, start).fetchall()),
        median_first_token_ms=median(first_tokens) if first_tokens else None,
        last=None if last is None else schema.exchange_of(last),
    )


def _spent(connection: Reader, since_ms: int, until_ms: int) -> tuple[tuple[int, str, str, str, str], ...]:
    """Summed by quarters of an hour, on which the local days of all zones begin."""
    select = (
        f"SELECT started_at_ms / {_QUARTER_MS} * {_QUARTER_MS}, client, session, project, sum(cost_pico) FROM exchanges "  # noqa: S608
        "WHERE started_at_ms >= ? AND started_at_ms < ? AND cost_pico > 0 GROUP BY 1, 2, 3, 4"
    )
    rows = connection.execute(select, (since_ms, until_ms))
    return tuple((*row, schema.usd_of(pico)) for *row, pico in rows)


def _past(connection: Reader, since_ms: int) -> tuple[Past, ...]:
    tokens = ", ".join(
        f"coalesce({name}, 0)" for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    )
    select = (
        f"SELECT score, floor, tier, method, account, model, cost_pico, {tokens} FROM exchanges "  # noqa: S608
        f"{_SINCE} AND model <> '' AND method <> '' AND status = 200"
    )
    targets: dict[tuple[str, str], Target] = {}
    return tuple(
        Past(
            score,
            floor,
            tier,
            method,
            targets.setdefault((account, model), Target(account, model)),
            Tokens(*counts),
            None if pico is None else Decimal(pico).scaleb(-12),
        )
        for score, floor, tier, method, account, model, pico, *counts in connection.execute(select, (since_ms,))
    )


def _verdicts(connection: Reader) -> tuple[Verdict, ...]:
    select = (
        "SELECT score, tier, verdict FROM exchanges INDEXED BY by_verdict WHERE verdict <> 0 AND score IS NOT NULL "
        "AND tier <> '' AND method IN ('score', 'sticky', 'window') ORDER BY id"
    )
    return tuple(Verdict(score, Tier(tier), verdict > 0) for score, tier, verdict in connection.execute(select))


def _examples(connection: Reader, limit: int) -> tuple[Example, ...]:
    select = (
        "SELECT fingerprint, tier, method, verdict FROM exchanges INDEXED BY by_fingerprint WHERE fingerprint <> '' "
        "AND error = '' AND (verdict <> 0) = ? ORDER BY id DESC LIMIT ?"
    )
    rows = [row for is_judged in (True, False) for row in connection.execute(select, (is_judged, limit))]
    return tuple(each for row in reversed(rows) if (each := example_of(*row)) is not None)


def _trials(connection: Reader, since_ms: int) -> tuple[Exchange, ...]:
    select = f"SELECT {schema.COLUMNS} FROM exchanges WHERE started_at_ms >= ? AND (method = 'cascade' OR attempts LIKE ?)"  # noqa: S608
    return tuple(map(schema.exchange_of, connection.execute(select, (since_ms, '%"error":"unverified"%'))))


def _usage(connection: Reader, since_ms: int) -> tuple[ModelUsage, ...]:
    tokens = ", ".join(
        f"coalesce(sum({name}), 0)" for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    )
    select = (
        "SELECT account, provider, model, count(*), count(*) FILTER (WHERE error <> ''), "  # noqa: S608
        f"{tokens}, sum(cost_pico), count(*) FILTER (WHERE cost_basis = 'unpriced') FROM exchanges {_SINCE} "
        "GROUP BY account, provider, model ORDER BY count(*) DESC, account, model"
    )
    rows = connection.execute(select, (since_ms,))
    return tuple(
        ModelUsage(**dict(zip(ModelUsage.__struct_fields__, (*row[:-2], schema.usd_of(row[-2]), row[-1]), strict=True)))
        for row in rows
    )
