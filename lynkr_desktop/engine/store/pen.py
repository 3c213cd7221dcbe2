"""What every ledger's pen does: takes finished exchanges from any thread and has them written in batches from one. Knows no SQL.

Recording never blocks and never fails. While nothing can be written, rows wait in memory and are tried again; what had to be
dropped is counted and said. What was not written when the program was killed is in its journal, and written at the next start.
"""

import logging
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from lynkr_desktop.engine.events import Exchange, Sent, Trouble
from lynkr_desktop.engine.store.journal import Journal, left_behind, notes_in

BATCH_ROWS: Final = 200
BATCH_SECONDS: Final = 0.25
WAITING_ROWS: Final = 10_000
RETRY_SECONDS: Final = 2.0
MOST_BYTES: Final = 1_000_000_000

TROUBLE_KEY: Final = "ledger"

_log = logging.getLogger(__name__)


class NotWrittenError(Exception):
    """Rows could not be written now; they have to be tried again. The text is for the user."""


class Pen(ABC):
    """Writes exchanges from `open` to `close`, after which it can be opened again. Beside `path` lies its journal.

    `on_trouble` is called from the writer's thread and must not raise. `instance` names this run of the program.
    """

    _side_files: tuple[str, ...] = ("journal",)  # what a killed program may leave, in the order of taking over
    _idle_seconds: float | None = None  # how often `_on_idle` is called while there is nothing to write; None: never

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
        self.instance = secrets.token_hex(6)
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
        self._thread: threading.Thread | None = None
        self._journal: Journal | None = None
        self._left: list[Path] = []  # journals of programs that were killed, until their rows are written

    @property
    def dropped(self) -> int:
        """How many exchanges could not be kept since the start."""
        return self._dropped

    @property
    def was_interrupted(self) -> bool:
        """Are there rows of a program that was killed, on their way into the ledger?"""
        return bool(self._left)

    @abstractmethod
    def forget(self) -> None:
        """Delete all rows for good. Blocks; for a worker thread. Raises `ConfigError`; then they are still there."""

    @abstractmethod
    def judge(self, exchange_id: str, verdict: int) -> None:
        """Keep the user's verdict on an exchange: 1, -1, or 0 to take it back. Blocks. Raises `ConfigError`."""

    @abstractmethod
    def _prepare(self) -> None:
        """Once at the start, before anybody reads. What is wrong is said at the first row."""

    @abstractmethod
    def _put(self, rows: Sequence[Exchange], instance: str) -> None:
        """Write rows of a run of the program, those not yet there. In the writer's thread. Raises `NotWrittenError`."""

    @abstractmethod
    def _clean(self) -> None:
        """Delete what is too old or too much, a little at a time. In the writer's thread, after rows were written."""

    @abstractmethod
    def _let_go(self) -> None:
        """Close what is open. In the writer's thread, at the end."""

    def _put_aside(self, rows: Sequence[Exchange]) -> bool:
        """Keep rows that could not be written somewhere safer than memory. False if there is no such place."""
        return False

    def _on_idle(self) -> None:  # noqa: B027  most have nothing to do then
        """Called now and then, in the writer's thread."""

    def open(self) -> None:
        """Start to write. The file is touched with the first row, and a file that cannot be used is a trouble, not an error."""
        if self._thread is None:
            self._is_closing = False
            self._prepare()
            self._open_journal()
            self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
            self._thread.start()

    def _open_journal(self) -> None:
        """Begin our own, and see what killed programs left in theirs."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._left = [
                path for kind in self._side_files for path in left_behind(self._path.parent, f"{self._path.stem}.{kind}-*")
            ]
            self._journal = Journal(self._path.with_name(f"{self._path.stem}.journal-{self.instance}"))
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
            return self._changed.wait_for(lambda: not self._rows and not self._left, seconds)

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
        while True:
            is_well = self._take_over()
            batch = self._next_batch() if is_well or not self._is_closing else []
            if not batch and self._is_closing:
                break
            if not batch and is_well:
                self._on_idle()
            is_well = (not batch or self._write(batch)) and is_well
            with self._changed:
                if not is_well and self._is_closing:
                    break
                if not is_well:
                    self._changed.wait_for(lambda: self._is_closing, self._retry_seconds)
                if not self._rows and not self._left:
                    self._is_flushing = False
                    self._changed.notify_all()
        self._lose_the_rest()
        self._let_go()

    def _take_over(self) -> bool:
        """Write what killed programs left behind. False if that has to be tried again."""
        while self._left:
            path = self._left[0]
            try:
                rows = self._rows_left_in(path)
                for start in range(0, len(rows), BATCH_ROWS):
                    self._put(rows[start : start + BATCH_ROWS], path.name.rpartition("-")[2])
                path.unlink(missing_ok=True)
            except NotWrittenError as error:
                self._say(str(error))
                return False
            except OSError as error:
                _log.warning("What a killed program left cannot be read: %s", error)
            with self._changed:
                self._left.pop(0)
        return True

    def _rows_left_in(self, path: Path) -> list[Exchange]:
        return notes_in(path)

    def _next_batch(self) -> list[Exchange]:
        """The oldest rows, which stay in the queue until they are written. Empty if there is something else to do, or nothing."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._rows) or self._is_closing or bool(self._left), self._idle_seconds)
            if self._rows and not self._left:
                is_enough = lambda: len(self._rows) >= BATCH_ROWS or self._is_closing or self._is_flushing  # noqa: E731
                self._changed.wait_for(is_enough, BATCH_SECONDS)
            return list(islice(self._rows, BATCH_ROWS))

    def _write(self, batch: list[Exchange]) -> bool:
        """Write a batch and take it off the queue. False if it has to be tried again."""
        try:
            self._put(batch, self.instance)
        except NotWrittenError as error:
            self._say(str(error))
            if not self._put_aside(batch):
                return False
            self._done(batch)
            return True
        self._done(batch)
        self._say("")
        self._clean()
        return True

    def _done(self, batch: Sequence[Exchange]) -> None:
        with self._changed:
            for _ in batch:
                self._rows.popleft()
        self._forget_notes(batch)

    def _forget_notes(self, exchanges: Sequence[Exchange]) -> None:
        if self._journal is not None:
            self._journal.kept(each.id for each in exchanges)

    def _drop(self, error: Exception) -> None:
        """A row that no ledger can hold."""
        self._dropped += 1
        _log.error("An exchange cannot be kept: %s", error)

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
            self._left.clear()
            self._changed.notify_all()
        if lost:
            self._say("")
