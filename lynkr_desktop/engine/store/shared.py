"""The ledger that several programs share, and what they hold back together: rows and sums in PostgreSQL.

While the database is away, rows go to a file beside the journal and come from there once it is back. A row carries the name of
its run of the program, so nothing is doubled by being written twice.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from lynkr_desktop.engine.api import BudgetScope, Claim
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.engine.store import schema
from lynkr_desktop.engine.store.journal import locked
from lynkr_desktop.engine.store.pen import BATCH_ROWS, NotWrittenError, Pen
from lynkr_desktop.engine.store.postgres import QUARTER_MS, AwayError, Postgres, RefusedRowsError, column_types
from lynkr_desktop.errors import ConfigError

CLAIM_SECONDS: Final = 0.5  # the longest that a request waits for the others' word
_BEAT_SECONDS: Final = 5.0
_CLEAN_SECONDS: Final = 3600.0
_SLICE_ROWS: Final = 5000
_DAY_MS: Final = 86_400_000
_SUMS_DAYS: Final = 70  # more than the longest budget
_DECODER: Final = msgspec.json.Decoder(Exchange)
_NO_DATABASE_TEXT: Final = str.maketrans({"\0": "\ufffd"})
_COLUMNS: Final = column_types()

_INSERT: Final = f"""
    WITH new AS (
        INSERT INTO exchanges (instance, {", ".join(_COLUMNS)})
        SELECT $1, * FROM unnest({", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_COLUMNS.values(), 2))})
        ON CONFLICT DO NOTHING
        RETURNING id, started_at_ms, client, project, session, cost_pico
    ), paid AS (
        SELECT * FROM new WHERE cost_pico > 0
    ), sums AS (
        INSERT INTO spending AS s (quarter_ms, client, project, pico)
        SELECT started_at_ms / {QUARTER_MS} * {QUARTER_MS}, client, project, sum(cost_pico)
        FROM paid GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (quarter_ms, client, project) DO UPDATE SET pico = s.pico + EXCLUDED.pico
    ), session_sums AS (
        INSERT INTO session_spending AS s (session, pico, quarter_ms)
        SELECT session, sum(cost_pico), max(started_at_ms / {QUARTER_MS} * {QUARTER_MS})
        FROM paid WHERE session <> '' GROUP BY 1 ORDER BY 1
        ON CONFLICT (session)
        DO UPDATE SET pico = s.pico + EXCLUDED.pico, quarter_ms = greatest(s.quarter_ms, EXCLUDED.quarter_ms)
    )
    DELETE FROM holds WHERE instance = $1 AND id = ANY($2)
"""  # noqa: S608  our own names
_log: Final = logging.getLogger(__name__)
_BEAT: Final = "INSERT INTO instances VALUES ($1, now()) ON CONFLICT (instance) DO UPDATE SET seen = now()"


class SharedLedger(Pen):
    """Writes exchanges into a shared database, and asks it what all programs have spent. `path` says where the side files lie."""

    _side_files = ("spool", "journal")
    _idle_seconds = _BEAT_SECONDS

    def __init__(self, database: Postgres, path: Path, *arguments: Any, **options: Any) -> None:
        super().__init__(path, *arguments, **options)
        self.database = database
        self._spool = path.with_name(f"{path.stem}.spool-{self.instance}")
        self._spool_file: int | None = None
        self._tried_at = float("-inf")
        self._failure = ""
        self._claim_failed_at = float("-inf")
        self._beat_at = float("-inf")
        self._cleaned_at = float("-inf")

    def _prepare(self) -> None:
        self.database.start()

    def forget(self) -> None:
        """Delete all rows of all programs for good."""
        self.flush()
        try:
            self.database.run("TRUNCATE exchanges")
        except AwayError as error:
            raise ConfigError("The requests could not be deleted.", str(error)) from error

    def judge(self, exchange_id: str, verdict: int) -> None:
        """Keep the user's verdict on an exchange."""
        self.flush()
        try:
            self.database.run("UPDATE exchanges SET verdict = $1 WHERE id = $2", verdict, exchange_id)
        except AwayError as error:
            raise ConfigError("The verdict could not be kept.", str(error)) from error

    def _put(self, rows: Sequence[Exchange], instance: str) -> None:
        if self._failure and time.monotonic() - self._tried_at < self._retry_seconds:
            raise NotWrittenError(self._failure)
        try:
            self._beat()
            self._insert(rows, instance)
        except AwayError as error:
            self._tried_at = time.monotonic()
            self._failure = f"{error} Requests are served all the same; they are kept in a file and written later."
            raise NotWrittenError(self._failure) from error
        self._failure = ""

    def _insert(self, rows: Sequence[Exchange], instance: str) -> None:
        values = []
        for exchange in rows:
            try:
                values.append([_storable(value) for value in schema.row_of(exchange)])
            except (ValueError, TypeError) as error:
                self._drop(error)
        if not values:
            return
        try:
            self.database.run(_INSERT, instance, *map(list, zip(*values, strict=True)))
        except RefusedRowsError as error:
            if len(rows) == 1:
                self._drop(error)
                return
            for each in rows:
                self._insert([each], instance)

    def _beat(self) -> None:
        """Say that this program lives: what it holds back counts as long as it does."""
        now = time.monotonic()
        if self._failure or now - self._beat_at >= _BEAT_SECONDS:
            self.database.run(_BEAT, self.instance)
            self._beat_at = now

    def _on_idle(self) -> None:
        """Also while nothing is asked: live, and write what lies in files."""
        if not self._rows:
            with contextlib.suppress(NotWrittenError):
                self._put((), self.instance)
                self._say("")
                self._clean()

    def _clean(self) -> None:
        """Bring in what lies in files; from time to time delete what is too old. The size is the database's own matter."""
        with contextlib.suppress(NotWrittenError, OSError):
            self._drain()
        now = time.monotonic()
        if now - self._cleaned_at < _CLEAN_SECONDS:
            return
        oldest_ms = self._clock_ms() - self.keep_days * _DAY_MS
        old = "SELECT ctid FROM exchanges WHERE started_at_ms < $1 ORDER BY started_at_ms LIMIT $2"
        with contextlib.suppress(AwayError):
            gone = self.database.run(f"DELETE FROM exchanges WHERE ctid IN ({old}) RETURNING 1", oldest_ms, _SLICE_ROWS)  # noqa: S608
            sums_ms = self._clock_ms() - _SUMS_DAYS * _DAY_MS
            self.database.run("DELETE FROM spending WHERE quarter_ms < $1", sums_ms)
            self.database.run("DELETE FROM session_spending WHERE quarter_ms < $1", sums_ms)
            left = "SELECT instance FROM instances WHERE seen < now() - INTERVAL '1 day'"
            self.database.run(f"DELETE FROM holds WHERE instance IN ({left})")  # noqa: S608
            self.database.run("DELETE FROM instances WHERE seen < now() - INTERVAL '7 days'")
            self._cleaned_at = now if len(gone) < _SLICE_ROWS else self._cleaned_at

    # The file for rows that wait

    def _put_aside(self, rows: Sequence[Exchange]) -> bool:
        """Append them whole or not at all."""
        try:
            if self._spool_file is None:
                self._spool_file = os.open(self._spool, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
                locked(self._spool_file)
            size = os.fstat(self._spool_file).st_size
            text = b"".join(msgspec.json.encode(each) + b"\n" for each in rows)
            if os.write(self._spool_file, text) != len(text):
                os.ftruncate(self._spool_file, size)
                return False
        except (OSError, ValueError):
            return False
        return True

    def _drain(self) -> None:
        """Write what lies in our file. Raises `NotWrittenError`."""
        if self._spool_file is None:
            return
        rows = self._rows_left_in(self._spool)
        for start in range(0, len(rows), BATCH_ROWS):
            self._put(rows[start : start + BATCH_ROWS], self.instance)
        self._spool.unlink(missing_ok=True)
        os.close(self._spool_file)
        self._spool_file = None

    def _rows_left_in(self, path: Path) -> list[Exchange]:
        if ".spool-" not in path.name:
            return super()._rows_left_in(path)
        rows = []
        for line in filter(None, path.read_bytes().split(b"\n")):
            with contextlib.suppress(msgspec.DecodeError):  # half a line, from a kill
                rows.append(_DECODER.decode(line))
        return rows

    def _let_go(self) -> None:
        if self._spool_file is not None:
            os.close(self._spool_file)
            self._spool_file = None

    def close(self, seconds: float = 10.0) -> None:
        """Write what is left and stop."""
        super().close(seconds)
        self.database.stop()

    # Budgets

    async def claim(self, claim: Claim, scopes: Sequence[BudgetScope]) -> list[tuple[Decimal, Decimal]] | None:
        """Hold an amount back. What was spent in each scope, and what others held before.

        None if the database does not answer soon; then it is left alone for a while.
        """
        if time.monotonic() - self._claim_failed_at < self._retry_seconds:
            return None
        try:
            async with asyncio.timeout(CLAIM_SECONDS):
                rows = await self._asked(claim, scopes)
        except (AwayError, RefusedRowsError, TimeoutError) as error:
            self._claim_failed_at = time.monotonic()
            _log.warning("budgets hold for this program alone: %s", str(error) or "the database does not answer")
            return None
        return [(Decimal(spent) / schema.PICO, Decimal(held) / schema.PICO) for spent, held in rows]

    async def _asked(self, claim: Claim, scopes: Sequence[BudgetScope]) -> list[tuple[Any, ...]]:
        return await self.database.ask(
            "SELECT * FROM claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            self.instance,
            claim.exchange_id,
            *(each.translate(_NO_DATABASE_TEXT) for each in (claim.client, claim.project, claim.session)),
            int(claim.amount * schema.PICO),
            [each.client for each in scopes],
            [each.project for each in scopes],
            [each.session for each in scopes],
            [each.since_ms for each in scopes],
            [each.until_ms for each in scopes],
        )


def _storable(value: Any) -> Any:
    return value.translate(_NO_DATABASE_TEXT) if isinstance(value, str) and "\0" in value else value
