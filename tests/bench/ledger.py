"""The ledger with a million rows: how long pages, sums and searches take, and what retention costs.

Run as `python -m tests.bench.ledger`. The rows are the made-up week's, repeated over ninety days. Fails if a page takes more than
50 ms; searches and sums read many rows, and are only shown. Bounded: about two minutes.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from lynkr_desktop.engine.api import ActivityQuery
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.engine.store import schema
from lynkr_desktop.engine.store.ids import first_id_at
from lynkr_desktop.engine.store.ledger import Ledger
from lynkr_desktop.engine.store.queries import Queries
from tests.seed import seed_week

WORST_PAGE_MS: Final = 50.0
ROUNDS: Final = 7
_WEEK_MS: Final = 7 * 86_400_000
_NOW_MS: Final = 1_800_000_000_000
_WEEKS: Final = 13


class _Collected(Ledger):
    """Takes rows and keeps them in memory."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.all: list[Exchange] = []

    def record(self, exchange: Exchange) -> None:
        self.all.append(exchange)

    def flush(self, seconds: float = 10.0) -> bool:
        return True


def fill(path: Path, rows: int) -> float:
    """Make the ledger. Seconds that it took."""
    collected = _Collected()
    seed_week(collected, _NOW_MS, exchanges=rows // _WEEKS + 1)
    began = time.perf_counter()
    ledger = Ledger(path, clock_ms=lambda: _NOW_MS)
    connection = ledger._connect()
    for week in reversed(range(_WEEKS)):
        moved = [_moved(each, week * _WEEK_MS) for each in collected.all]
        with connection:
            connection.execute("BEGIN")
            schema.insert(connection, moved)
    ledger._let_go()
    return time.perf_counter() - began


def _moved(exchange: Exchange, by_ms: int) -> tuple[Any, ...]:
    at_ms = exchange.started_at_ms - by_ms
    low = int(exchange.id, 16) & 0xFFFF
    return schema.row_of(msgspec.structs.replace(exchange, started_at_ms=at_ms, id=f"{int(first_id_at(at_ms), 16) | low:016x}"))


async def measured(question: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Median and longest, in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await question()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), max(times)


async def measure(path: Path) -> bool:
    """Ask everything. Do the pages keep their bound?"""
    queries = Queries(path, lambda: _NOW_MS)
    middle = first_id_at(_NOW_MS - 45 * 86_400_000)
    pages = {
        "first page": ActivityQuery(),
        "page in the middle": ActivityQuery(before=middle),
        "one tier": ActivityQuery(tiers=("REASONING",)),
        "two tiers, one client": ActivityQuery(tiers=("SIMPLE", "COMPLEX"), clients=("aider",)),
        "one account, in the middle": ActivityQuery(accounts=("openrouter",), before=middle),
        "only failed": ActivityQuery(only_failed=True),
        "only failed of one client": ActivityQuery(only_failed=True, clients=("aider",)),
        "since a day": ActivityQuery(since_ms=_NOW_MS - 86_400_000),
        "text that is common": ActivityQuery(text="sonnet"),
    }
    sums: dict[str, Callable[[], Awaitable[Any]]] = {
        "text of one client": lambda: queries.activity(ActivityQuery(text="deepseek", clients=("cursor",))),
        "text that is nowhere": lambda: queries.activity(ActivityQuery(text="no-such-word")),
        "text that is nowhere, since a week": lambda: queries.activity(
            ActivityQuery(text="no-such-word", since_ms=_NOW_MS - _WEEK_MS)
        ),
        "figures of a day": lambda: queries.figures(_NOW_MS - 86_400_000),
        "figures of a week": lambda: queries.figures(_NOW_MS - _WEEK_MS),
        "spend of a week by model": lambda: queries.spend(_NOW_MS - _WEEK_MS, 7, "model"),
        "histogram of a week": lambda: queries.histogram(_NOW_MS - _WEEK_MS),
        "figures of ninety days": lambda: queries.figures(0),
    }
    holds = True
    for name, query in pages.items():
        typical, worst = await measured(lambda query=query: queries.activity(query))  # type: ignore[misc]
        holds = holds and typical < WORST_PAGE_MS
        print(f"page: {name:32} {typical:9.2f} ms, longest {worst:9.2f}")
    for name, question in sums.items():
        typical, worst = await measured(question)
        print(f"      {name:32} {typical:9.2f} ms, longest {worst:9.2f}")
    return holds


def retire(path: Path) -> None:
    """What a day's retention costs, as the writer does it beside fresh rows."""
    ledger = Ledger(path, keep_days=89, clock_ms=lambda: _NOW_MS)
    ledger._connect()
    began, slices, longest = time.perf_counter(), 0, 0.0
    while ledger._cleaned_at is None:
        part = time.perf_counter()
        ledger._clean()
        longest, slices = max(longest, time.perf_counter() - part), slices + 1
    took = time.perf_counter() - began
    ledger._let_go()
    print(f"      one day too old: {slices} slices in {took:.2f} s, the longest {longest * 1000:.0f} ms")


def main() -> int:
    """The whole run. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ledger", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lynkr-ledger-") as name:
        path = Path(name) / "ledger.db"
        took = fill(path, options.rows)
        print(f"{options.rows:,} rows in {took:.0f} s, {path.stat().st_size / 1e6:.0f} MB")
        holds = asyncio.run(measure(path))
        retire(path)
    print("holds" if holds else "FAILS")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
