"""The ledger against the providers' own logs and against what the clients saw: nothing lost, nothing doubled, nothing wrong."""

import sqlite3
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Final

from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.engine.store import schema
from tests.soak.clients import Outcome
from tests.soak.vendors import Provider

_SESSION: Final = "soak-"


def rows_of(path: Path) -> dict[str, list[Exchange]]:
    """The ledger's rows by nonce. The file must be sound."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found: defaultdict[str, list[Exchange]] = defaultdict(list)
        for row in connection.execute(f"SELECT {schema.COLUMNS} FROM exchanges"):
            exchange = schema.exchange_of(row)
            if exchange.error == "client" and not exchange.session:
                continue  # nonsense, which names no session
            found[exchange.session.removeprefix(_SESSION)].append(exchange)
        return found
    finally:
        connection.close()


def differences(rows: dict[str, list[Exchange]], providers: tuple[Provider, ...], seen: dict[str, Outcome]) -> list[str]:
    """Every way in which the three accounts contradict each other."""
    asked: Counter[str] = Counter()
    for provider in providers:
        asked.update({nonce: len(kinds) for nonce, kinds in provider.log.items()})
    wrong = [f"{nonce}: {len(own)} rows" for nonce, own in rows.items() if len(own) != 1]
    wrong += [
        f"{nonce}: {times} requests reached a provider, and there is no row"
        for nonce, times in asked.items()
        if nonce not in rows
    ]
    for nonce, own in rows.items():
        wrong += [f"{nonce}: {words}" for words in _of_one(own[0], asked[nonce], providers, seen.get(nonce))]
    for nonce, outcome in seen.items():
        if outcome.kind in ("answered", "broken") and nonce not in rows:
            wrong.append(f"{nonce}: the client was served, and there is no row")
    return wrong


def _of_one(row: Exchange, asked: int, providers: tuple[Provider, ...], outcome: Outcome | None) -> list[str]:
    wrong = []
    heard = sum(attempt.status is not None for attempt in row.attempts)
    if row.error != "interrupted" and heard > asked:
        wrong.append(f"{heard} attempts were answered, but only {asked} requests reached a provider")
    if row.error == "interrupted" or outcome is None:
        return wrong
    if outcome.kind == "answered":
        if row.status != 200 or row.error:
            wrong.append(f"the client was served, and the row says {row.status} {row.error}")
        told = next(
            (provider.told[key] for provider in providers if (key := _nonce(row)) in provider.told and _is(provider, row)), None
        )
        if told is not None and (row.input_tokens, row.output_tokens) != (told.input, told.output):
            wrong.append(f"told {told.input}/{told.output} tokens, kept {row.input_tokens}/{row.output_tokens}")
    if outcome.kind == "broken" and not row.error:
        wrong.append("the client was told of a failure, and the row knows none")
    if outcome.kind == "refused" and row.status != outcome.status:
        wrong.append(f"the client got {outcome.status}, and the row says {row.status}")
    return wrong


def _nonce(row: Exchange) -> str:
    return row.session.removeprefix(_SESSION)


def _is(provider: Provider, row: Exchange) -> bool:
    return provider.vendor.name == row.provider


def figures(rows: dict[str, list[Exchange]]) -> dict[str, Any]:
    """What the ledger has, in numbers."""
    every = [row for own in rows.values() for row in own]
    return {
        "rows": len(every),
        "attempts": sum(len(row.attempts) for row in every),
        "served by another target": sum(bool(row.attempts) and not row.error and len(row.attempts) > 1 for row in every),
        "by error": dict(Counter(row.error or "none" for row in every).most_common()),
        "by cost": dict(Counter(row.cost_basis or "never served" for row in every).most_common()),
    }
