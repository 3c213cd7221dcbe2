"""The ledger of one machine: rows in a SQLite file. Reads nothing for the window."""

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Sequence
from typing import Any, Final

from lynkr_desktop.engine.events import Exchange, Trouble
from lynkr_desktop.engine.store import schema
from lynkr_desktop.engine.store.pen import NotWrittenError, Pen
from lynkr_desktop.errors import ConfigError

_THIN_SLICE_ROWS: Final = 200  # where there is too much, so that not more than needed goes
CLEANING_SECONDS: Final = 6 * 3600.0
_DAY_MS: Final = 86_400_000
_EVER_MS: Final = 2**62
_SLICE_ROWS: Final = 2000  # old rows are deleted in slices, so that fresh ones need not wait long
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

REPLACED_KEY: Final = "ledger-replaced"

_log = logging.getLogger(__name__)


class Ledger(Pen):
    """Writes exchanges into a database file."""

    _connection: sqlite3.Connection | None = None
    _cleaned_at: float | None = None

    def _prepare(self) -> None:
        """Bring an older file up to date before anybody reads it."""
        if self._path.exists():
            with contextlib.suppress(sqlite3.Error, OSError, schema.NewerLedgerError):
                self._connect()
            self._let_go()

    def forget(self) -> None:
        """Delete all rows for good. Blocks; for a worker thread. Raises `ConfigError`; then they are still there."""
        self.flush()
        if not self._path.exists():
            return
        try:
            with contextlib.closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as connection:
                connection.execute("DELETE FROM exchanges")
                connection.execute("VACUUM")  # else the bytes stay readable in the file
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise ConfigError("The requests could not be deleted.", f"{self._path}: {_plain(error)}.") from error

    def judge(self, exchange_id: str, verdict: int) -> None:
        """Keep the user's verdict on an exchange: 1, -1, or 0 to take it back. Blocks. Raises `ConfigError`."""
        self.flush()
        try:
            with contextlib.closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as connection:
                connection.execute("UPDATE exchanges SET verdict = ? WHERE id = ?", (verdict, exchange_id))
        except sqlite3.Error as error:
            raise ConfigError("The verdict could not be kept.", f"{self._path}: {_plain(error)}.") from error

    def _put(self, rows: Sequence[Exchange], instance: str) -> None:
        try:
            connection = self._connect()
            values = self._values_of(rows)
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                schema.insert(connection, values)
        except sqlite3.Error as error:
            self._let_go()
            if _is_damaged(error):
                self._set_aside("It is damaged.")
                return self._put(rows, instance)
            text = f"{self._path}: {_plain(error)}. Requests are served all the same; they are kept in memory and tried again."
            raise NotWrittenError(text) from error
        except schema.NewerLedgerError:
            self._let_go()
            self._set_aside("It comes from a newer Lynkr Desktop.")
            return self._put(rows, instance)
        except OSError as error:
            self._let_go()
            text = f"{self._path}: {error.strerror or error}. Requests are served all the same; they are tried again."
            raise NotWrittenError(text) from error

    def _values_of(self, rows: Sequence[Exchange]) -> list[tuple[Any, ...]]:
        values = []
        for exchange in rows:
            try:
                values.append(schema.row_of(exchange))
            except (ValueError, TypeError) as error:
                self._drop(error)
        return values

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its side files the same mode
            self._connection = sqlite3.connect(self._path, timeout=5, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            schema.prepare(self._connection)
        return self._connection

    def _let_go(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _set_aside(self, why: str) -> None:
        """Move the file and its side files out of the way. Raises `NotWrittenError` if that fails too."""
        number = 1
        while (aside := self._path.with_name(f"{self._path.stem}.aside-{number}{self._path.suffix}")).exists():
            number += 1
        try:
            for ending in ("", "-wal", "-shm"):
                part = self._path.with_name(self._path.name + ending)
                if part.exists():
                    part.replace(aside.with_name(aside.name + ending))
        except OSError as error:
            raise NotWrittenError(f"{self._path}: {why} It cannot be moved away: {error.strerror or error}.") from error
        detail = f"{why} It is kept as {aside}; a new one was begun."
        self._on_trouble(Trouble(REPLACED_KEY, "The ledger could not be opened.", detail))

    def _clean(self) -> None:
        """A slice after each batch until nothing is left, then not for hours."""
        now = time.monotonic()
        if self._connection is None or (self._cleaned_at is not None and now - self._cleaned_at < CLEANING_SECONDS):
            return
        try:
            too_old = self._delete_oldest(_SLICE_ROWS, self._clock_ms() - self.keep_days * _DAY_MS)
            is_clean = too_old < _SLICE_ROWS
            if is_clean and _bytes_used(self._connection) > self.most_bytes:
                is_clean = self._delete_oldest(_THIN_SLICE_ROWS) == 0
        except sqlite3.Error as error:
            _log.warning("Old exchanges could not be deleted: %s", error)
            is_clean = True
        if is_clean:
            self._cleaned_at = now

    def _delete_oldest(self, rows: int, before_ms: int = _EVER_MS) -> int:
        """Delete so many of the oldest, of those before a moment; how many were deleted."""
        if self._connection is None:
            return 0
        oldest = "SELECT id FROM exchanges WHERE started_at_ms < ? ORDER BY started_at_ms LIMIT ?"
        return self._connection.execute(f"DELETE FROM exchanges WHERE id IN ({oldest})", (before_ms, rows)).rowcount  # noqa: S608


def _bytes_used(connection: sqlite3.Connection) -> int:
    """What the rows take. The file itself does not shrink, but what was deleted makes room for what comes."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    return (pages - free) * size


def _is_damaged(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def _plain(error: sqlite3.Error) -> str:
    """SQLite's own words, as a sentence's beginning."""
    text = str(error)
    return text[:1].upper() + text[1:]
