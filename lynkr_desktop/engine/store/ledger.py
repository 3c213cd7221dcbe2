"""The ledger's pen: takes finished exchanges from any thread and writes them in batches from one. Reads nothing for the window.

Recording never blocks and never fails. While the disk is full, rows wait in memory and are tried again; what had to be dropped
is counted and said. What was not written when the program was killed is in its journal, and written at the next start.
"""

import contextlib
import logging
import os
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Final

from lynkr_desktop.engine.events import Exchange, Sent, Trouble
from lynkr_desktop.engine.store import schema
from lynkr_desktop.engine.store.journal import Journal, left_behind, notes_in
from lynkr_desktop.errors import ConfigError

BATCH_ROWS: Final = 200
BATCH_SECONDS: Final = 0.25
WAITING_ROWS: Final = 10_000
RETRY_SECONDS: Final = 2.0
_THIN_SLICE_ROWS: Final = 200  # where there is too much, so that not more than needed goes
MOST_BYTES: Final = 1_000_000_000
CLEANING_SECONDS: Final = 6 * 3600.0
_DAY_MS: Final = 86_400_000
_EVER_MS: Final = 2**62
_SLICE_ROWS: Final = 2000  # old rows are deleted in slices, so that fresh ones need not wait long
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

TROUBLE_KEY: Final = "ledger"
REPLACED_KEY: Final = "ledger-replaced"

_log = logging.getLogger(__name__)


class Ledger:
    """Writes exchanges into a database file, from `open` to `close`, after which it can be opened again.

    `on_trouble` is called from the writer's thread and must not raise.
    """

    def __init__(
        self,
        path: Path,
        on_trouble: Callable[[Trouble], None] = lambda _: None,
        *,
        keep_days: int = 90,
        most_bytes: int = MOST_BYTES,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self.keep_days = keep_days  # may be changed at any time, as may the next
        self.most_bytes = most_bytes
        self._path = path
        self._on_trouble = on_trouble
        self._clock_ms = clock_ms
        self._retry_seconds = retry_seconds
        self._rows: deque[Exchange] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._is_flushing = False
        self._dropped = 0
        self._said: Trouble | None = None
        self._connection: sqlite3.Connection | None = None
        self._cleaned_at: float | None = None
        self._thread: threading.Thread | None = None
        self._journal: Journal | None = None
        self._adopted: list[Path] = []  # journals of programs that were killed, until their rows are written

    @property
    def dropped(self) -> int:
        """How many exchanges could not be kept since the start."""
        return self._dropped

    @property
    def was_interrupted(self) -> bool:
        """Are there rows of a program that was killed, on their way into the ledger?"""
        return bool(self._adopted)

    def open(self) -> None:
        """Start to write. The file is touched with the first row, and a file that cannot be used is a trouble, not an error."""
        if self._thread is None:
            self._is_closing = False
            self._upgrade()
            self._open_journal()
            self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
            self._thread.start()

    def _upgrade(self) -> None:
        """Bring an older file up to date before anybody reads it. What is wrong with it is said at the first row."""
        if self._path.exists():
            with contextlib.suppress(sqlite3.Error, OSError, schema.NewerLedgerError):
                self._connect()
            self._disconnect()

    def _open_journal(self) -> None:
        """Begin our own, and take over what killed programs left in theirs."""
        name = f"{self._path.stem}.journal-"
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in left_behind(self._path.parent, f"{name}*"):
                self._rows.extend(notes_in(path))
                self._adopted.append(path)
            self._journal = Journal(self._path.with_name(name + secrets.token_hex(4)))
        except OSError as error:
            _log.warning("What is not written yet would not survive a kill: %s", error)

    def begin(self, sent: Sent) -> None:
        """A request goes out. Should the program be killed before `record`, there is a row of it all the same."""
        if self._journal is not None:
            self._journal.sent(sent)

    def record(self, exchange: Exchange) -> None:
        """Keep an exchange soon. From any thread; never blocks, never raises."""
        with self._changed:
            if self._is_closing or len(self._rows) >= WAITING_ROWS:
                self._dropped += 1
                self._forget_notes([exchange])
                return
            if self._journal is not None:
                self._journal.finished(exchange)
            self._rows.append(exchange)
            if len(self._rows) in {1, BATCH_ROWS}:
                self._changed.notify_all()

    def flush(self, seconds: float = 10.0) -> bool:
        """Write everything recorded so far without waiting for a batch. False if it is not written in that time."""
        with self._changed:
            self._is_flushing = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._rows, seconds)

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

    def close(self, seconds: float = 10.0) -> None:
        """Write what is left, once more even if the disk was full, and stop. Waits that long at most."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)
            self._thread = None
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _work(self) -> None:
        while batch := self._next_batch():
            has_failed = not self._write(batch)
            with self._changed:
                if has_failed and self._is_closing:
                    break
                if has_failed:
                    self._changed.wait_for(lambda: self._is_closing, self._retry_seconds)
                if not self._rows:
                    self._is_flushing = False
                    self._changed.notify_all()
        self._lose_the_rest()
        self._disconnect()

    def _next_batch(self) -> list[Exchange]:
        """The oldest rows, which stay in the queue until they are written. Empty once the ledger is closed and all is written."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._rows) or self._is_closing)
            self._changed.wait_for(lambda: len(self._rows) >= BATCH_ROWS or self._is_closing or self._is_flushing, BATCH_SECONDS)
            return list(islice(self._rows, BATCH_ROWS))

    def _write(self, batch: list[Exchange]) -> bool:
        """Write a batch and take it off the queue. False if it has to be tried again."""
        try:
            connection = self._connect()
            rows = self._rows_of(batch)
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                schema.insert(connection, rows)
        except sqlite3.Error as error:
            self._disconnect()
            if _is_damaged(error):
                return self._set_aside("It is damaged.") and self._write(batch)
            self._say(
                f"{self._path}: {_plain(error)}. Requests are served all the same; they are kept in memory and tried again."
            )
            return False
        except schema.NewerLedgerError:
            self._disconnect()
            return self._set_aside("It comes from a newer Lynkr Desktop.") and self._write(batch)
        except OSError as error:
            self._disconnect()
            self._say(f"{self._path}: {error.strerror or error}. Requests are served all the same; they are tried again.")
            return False
        with self._changed:
            for _ in batch:
                self._rows.popleft()
            is_all = not self._rows
        self._forget_notes(batch)
        if is_all:
            self._drop_adopted()
        self._say("")
        self._clean()
        return True

    def _forget_notes(self, exchanges: list[Exchange]) -> None:
        if self._journal is not None:
            self._journal.kept(each.id for each in exchanges)

    def _drop_adopted(self) -> None:
        """Everything that killed programs left is in the ledger now."""
        while self._adopted:
            with contextlib.suppress(OSError):
                self._adopted.pop().unlink()

    def _rows_of(self, batch: list[Exchange]) -> list[tuple[object, ...]]:
        rows = []
        for exchange in batch:
            try:
                rows.append(schema.row_of(exchange))
            except (ValueError, TypeError) as error:
                self._dropped += 1
                _log.error("An exchange cannot be kept: %s", error)
        return rows

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its side files the same mode
            self._connection = sqlite3.connect(self._path, timeout=5, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            schema.prepare(self._connection)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _set_aside(self, why: str) -> bool:
        """Move the file and its side files out of the way. False if that fails too."""
        number = 1
        while (aside := self._path.with_name(f"{self._path.stem}.aside-{number}{self._path.suffix}")).exists():
            number += 1
        try:
            for ending in ("", "-wal", "-shm"):
                part = self._path.with_name(self._path.name + ending)
                if part.exists():
                    part.replace(aside.with_name(aside.name + ending))
        except OSError as error:
            self._say(f"{self._path}: {why} It cannot be moved away: {error.strerror or error}.")
            return False
        detail = f"{why} It is kept as {aside}; a new one was begun."
        self._on_trouble(Trouble(REPLACED_KEY, "The ledger could not be opened.", detail))
        return True

    def _say(self, detail: str) -> None:
        """Report a trouble, or its end, once. Rows that were dropped stay a trouble."""
        if self._dropped:
            detail = f"{detail} {self._dropped} requests are not in the ledger.".strip()
        trouble = Trouble(TROUBLE_KEY, "The ledger cannot be written." if detail else "", detail, is_over=not detail)
        if trouble != (self._said or Trouble(TROUBLE_KEY, "", is_over=True)):
            self._said = trouble
            self._on_trouble(trouble)

    def _lose_the_rest(self) -> None:
        with self._changed:
            lost = 0 if self._journal is not None else len(self._rows)  # else the next start finds them there
            self._dropped += lost
            self._rows.clear()
            self._changed.notify_all()
        if lost:
            self._say("")

    def _clean(self) -> None:
        """Delete what is too old or too much, a slice after each batch until nothing is left, then not for hours."""
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
