"""The ledger's tables, their versions, and rows to and from exchanges. Opens no file.

A version is never edited once it was released: a change is one more script at the end.
"""

import sqlite3
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any, Final

import msgspec

from lynkr_desktop.engine.events import Alternative, Attempt, Exchange, KeptFacts, ScoredDimension

PICO: Final = Decimal(10) ** 12  # a cost is also kept as a whole number of 1e-12 USD, so that sums are exact

# Paging goes by id, one index per filter; further columns there let a second filter skip rows unread.
# `by_time` holds all that the figures need, so that they read no row.
_SCRIPTS: Final = (
    """
    CREATE TABLE exchanges (
        id TEXT PRIMARY KEY NOT NULL,
        started_at_ms INTEGER NOT NULL,
        client TEXT NOT NULL,
        surface TEXT NOT NULL,
        session TEXT NOT NULL,
        mode TEXT NOT NULL,
        requested_model TEXT NOT NULL,
        tier TEXT NOT NULL,
        score INTEGER,
        method TEXT NOT NULL,
        account TEXT NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        fidelity TEXT NOT NULL,
        input_tokens INTEGER,
        output_tokens INTEGER,
        cache_read_tokens INTEGER,
        cache_write_tokens INTEGER,
        cost_pico INTEGER,
        cost_usd TEXT,
        cost_basis TEXT NOT NULL,
        first_token_ms REAL,
        total_ms REAL NOT NULL,
        status INTEGER NOT NULL,
        error TEXT NOT NULL,
        error_detail TEXT NOT NULL,
        is_streamed INTEGER NOT NULL,
        reason TEXT NOT NULL,
        losses TEXT NOT NULL,
        dimensions TEXT NOT NULL,
        attempts TEXT NOT NULL
    );
    CREATE INDEX by_time ON exchanges (
        started_at_ms, cost_pico, cost_basis, error, first_token_ms, tier, score, account, model, client
    );
    CREATE INDEX by_account ON exchanges (account, id, tier, client);
    CREATE INDEX by_client ON exchanges (client, id, tier);
    CREATE INDEX by_tier ON exchanges (tier, id);
    CREATE INDEX by_failure ON exchanges (id) WHERE error <> '';
    """,
    """
    ALTER TABLE exchanges ADD COLUMN shadow_tier TEXT NOT NULL DEFAULT '';
    ALTER TABLE exchanges ADD COLUMN shadow_target TEXT NOT NULL DEFAULT '';
    ALTER TABLE exchanges ADD COLUMN alternatives TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE exchanges ADD COLUMN floor TEXT NOT NULL DEFAULT '';
    """,
    """
    ALTER TABLE exchanges ADD COLUMN project TEXT NOT NULL DEFAULT '';
    DROP INDEX by_time;
    CREATE INDEX by_time ON exchanges (
        started_at_ms, cost_pico, cost_basis, error, first_token_ms, tier, score, account, model, client, project
    );
    """,
    """
    ALTER TABLE exchanges ADD COLUMN verdict INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE exchanges ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
    CREATE INDEX by_verdict ON exchanges (id) WHERE verdict <> 0;
    CREATE INDEX by_fingerprint ON exchanges (id) WHERE fingerprint <> '';
    """,
    """
    ALTER TABLE exchanges ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
    """,
)
VERSION: Final = len(_SCRIPTS)

_JSON_COLUMNS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "losses": msgspec.json.Decoder(tuple[str, ...]),
    "dimensions": msgspec.json.Decoder(tuple[ScoredDimension, ...]),
    "attempts": msgspec.json.Decoder(tuple[Attempt, ...]),
    "alternatives": msgspec.json.Decoder(tuple[Alternative, ...]),
    "facts": msgspec.json.Decoder(KeptFacts),
}
_ENCODER: Final = msgspec.json.Encoder()
FIELDS: Final = Exchange.__struct_fields__
COLUMNS: Final = ", ".join(FIELDS)
_ROW: Final = f"({', '.join('?' * (len(FIELDS) + 1))})"
_INSERT: Final = f"INSERT OR IGNORE INTO exchanges ({COLUMNS}, cost_pico) VALUES "  # noqa: S608  our own names
_TOGETHER: Final = 25  # rows of one statement
_INSERT_MANY: Final = _INSERT + ", ".join([_ROW] * _TOGETHER)
_JSON_PLACES: Final = tuple(FIELDS.index(name) for name in _JSON_COLUMNS)


class NewerLedgerError(Exception):
    """The file was made by a newer program."""


def prepare(connection: sqlite3.Connection) -> None:
    """Bring a database to today's schema, wholly or not at all: no reader may see half of it.

    Raises `NewerLedgerError`, `sqlite3.Error`.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerLedgerError
    if version < VERSION:
        connection.executescript(f"BEGIN;{';'.join(_SCRIPTS[version:VERSION])};PRAGMA user_version = {VERSION};COMMIT;")


def insert(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write rows, those not yet there. Many with each statement: between statements Python changes threads, and requests wait."""
    whole = len(rows) - len(rows) % _TOGETHER
    for start in range(0, whole, _TOGETHER):
        connection.execute(_INSERT_MANY, tuple(chain.from_iterable(rows[start : start + _TOGETHER])))
    connection.executemany(_INSERT + _ROW, rows[whole:])


def row_of(exchange: Exchange) -> tuple[Any, ...]:
    """An exchange as values for `insert`. Raises `ValueError` if the ledger cannot hold it."""
    values = list(msgspec.structs.astuple(exchange))
    for place in _JSON_PLACES:
        values[place] = _ENCODER.encode(values[place]).decode()
    "".join(value for value in values if type(value) is str).encode()  # SQLite takes no lone surrogates
    if any(type(value) is int and value.bit_length() > 63 for value in values):
        raise ValueError("a number is too large")
    return (*values, pico_of(exchange.cost_usd))


def exchange_of(row: tuple[Any, ...]) -> Exchange:
    """The exchange of a row of `COLUMNS`."""
    values = dict(zip(FIELDS, row, strict=True))
    for name, decoder in _JSON_COLUMNS.items():
        values[name] = decoder.decode(values[name] or "{}")  # a column that came later, in a shared database
    values["is_streamed"] = bool(values["is_streamed"])
    return Exchange(**values)


def pico_of(cost_usd: str | None) -> int | None:
    """A decimal number of USD as a whole number of 1e-12 USD. Raises `ValueError` for anything else, and beyond a million USD."""
    if cost_usd is None:
        return None
    try:
        cost = Decimal(cost_usd)
    except InvalidOperation:
        raise ValueError("the cost is not a decimal number") from None
    if not cost.is_finite() or abs(cost) > 1_000_000:
        raise ValueError("the cost is out of range")
    return int((cost * PICO).to_integral_value())


def usd_of(pico: int | None) -> str:
    """A sum of 1e-12 USD as decimal text without needless zeros; `0` for none."""
    text = f"{Decimal(pico or 0).scaleb(-12):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
