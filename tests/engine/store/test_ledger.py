"""The ledger's pen: nothing is lost that can be kept, and nothing that goes wrong reaches the request."""

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lynkr_desktop.engine.api import ActivityQuery
from lynkr_desktop.engine.events import Exchange, Trouble
from lynkr_desktop.engine.store import ledger as ledger_module
from lynkr_desktop.engine.store import pen, schema
from lynkr_desktop.engine.store.ledger import REPLACED_KEY, Ledger
from lynkr_desktop.engine.store.pen import TROUBLE_KEY
from lynkr_desktop.engine.store.queries import Queries
from tests.engine.store.exchanges import NOW_MS, exchange

_DAY_MS = 86_400_000
_ROOT = Path(__file__).parents[3]


class Troubles:
    """What the user would be told, in order; `wait` for the first that matches."""

    def __init__(self) -> None:
        self.all: list[Trouble] = []
        self._changed = threading.Condition()

    def __call__(self, trouble: Trouble) -> None:
        with self._changed:
            self.all.append(trouble)
            self._changed.notify_all()

    def wait(self, matches: Callable[[Trouble], bool]) -> Trouble:
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(matches, self.all)), 30), self.all
            return next(filter(matches, self.all))


@pytest.fixture
def troubles() -> Troubles:
    return Troubles()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path, troubles: Troubles) -> Iterator[Ledger]:
    made = Ledger(path, troubles, clock_ms=lambda: NOW_MS, retry_seconds=0.05)
    made.open()
    yield made
    made.close()


def rows(path: Path) -> list[Exchange]:
    connection = sqlite3.connect(path)
    found = [schema.exchange_of(row) for row in connection.execute(f"SELECT {schema.COLUMNS} FROM exchanges ORDER BY id")]
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    return found


def test_an_exchange_comes_back_as_it_was(ledger: Ledger, path: Path) -> None:
    whole = exchange(1)
    empty = exchange(
        2, score=None, cost_usd=None, cost_basis="unpriced", first_token_ms=None, dimensions=(), attempts=(), losses=()
    )
    ledger.record(whole)
    ledger.record(empty)
    assert ledger.flush()
    assert rows(path) == [whole, empty]


def test_rows_are_written_without_flush_or_close(ledger: Ledger, path: Path) -> None:
    ledger.record(exchange(1))
    written = threading.Event()
    while not written.wait(0.02):
        if path.exists() and path.stat().st_size and _count(path) == 1:
            written.set()


def _count(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        (count,) = connection.execute("SELECT count(*) FROM exchanges").fetchone()
    except sqlite3.OperationalError:  # the table is not there yet
        return 0
    finally:
        connection.close()
    return int(count)


def test_many_threads_at_once_lose_nothing(ledger: Ledger, path: Path) -> None:
    def work(start: int) -> None:
        for number in range(start, start + 1000):
            ledger.record(exchange(number))

    threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 8000, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.close()
    assert [row.started_at_ms - NOW_MS for row in rows(path)] == list(range(8000))
    assert ledger.dropped == 0


def test_the_files_are_for_this_user_only(ledger: Ledger, path: Path) -> None:
    ledger.record(exchange(1))
    assert ledger.flush()
    modes = {entry.name.partition("-")[0]: entry.stat().st_mode & 0o777 for entry in path.parent.iterdir()}
    assert modes == {"ledger.db": 0o600, "ledger.journal": 0o600}
    assert {entry.name for entry in path.parent.iterdir()} >= {"ledger.db", "ledger.db-wal", "ledger.db-shm"}


def test_the_same_exchange_twice_is_one_row(ledger: Ledger, path: Path) -> None:
    ledger.record(exchange(1))
    ledger.record(exchange(1))
    ledger.close()
    assert len(rows(path)) == 1


def test_a_ledger_can_be_opened_again(ledger: Ledger, path: Path) -> None:
    ledger.record(exchange(1))
    ledger.close()
    ledger.open()
    ledger.record(exchange(2))
    ledger.close()
    assert len(rows(path)) == 2


def test_what_is_recorded_before_opening_is_kept(path: Path) -> None:
    ledger = Ledger(path)
    ledger.record(exchange(1))
    ledger.open()
    ledger.close()
    assert len(rows(path)) == 1


def test_an_exchange_that_cannot_be_kept_does_not_stop_the_others(ledger: Ledger, path: Path, troubles: Troubles) -> None:
    ledger.record(exchange(1, cost_usd="much"))
    ledger.record(exchange(2, error_detail="\ud800"))
    ledger.record(exchange(3, input_tokens=2**70))
    ledger.record(exchange(4))
    assert ledger.flush()
    assert [row.started_at_ms - NOW_MS for row in rows(path)] == [4]
    assert ledger.dropped == 3
    assert "3 requests are not in the ledger" in troubles.wait(lambda trouble: not trouble.is_over).detail


def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(path: Path, troubles: Troubles) -> None:
    path.write_bytes(b"this is no database" * 500)
    ledger = Ledger(path, troubles)
    ledger.open()
    ledger.record(exchange(1))
    ledger.close()
    assert len(rows(path)) == 1
    aside = path.with_name("ledger.aside-1.db")
    assert aside.read_bytes().startswith(b"this is no database")
    trouble = troubles.wait(lambda trouble: trouble.key == REPLACED_KEY)
    assert str(aside) in trouble.detail
    assert ledger.dropped == 0


def test_damage_in_the_middle_of_the_file_is_survived(path: Path, troubles: Troubles) -> None:
    first = Ledger(path)
    first.open()
    for number in range(500):
        first.record(exchange(number))
    first.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xee" * (len(content) - 4096)
    path.write_bytes(content)
    ledger = Ledger(path, troubles)
    ledger.open()
    ledger.record(exchange(1000))
    ledger.close()
    assert [row.started_at_ms - NOW_MS for row in rows(path)] == [1000]
    assert troubles.wait(lambda trouble: trouble.key == REPLACED_KEY)


def test_a_newer_file_is_kept_aside_untouched(path: Path, troubles: Troubles) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.execute("CREATE TABLE future (x)")
    connection.close()
    ledger = Ledger(path, troubles)
    ledger.open()
    ledger.record(exchange(1))
    ledger.close()
    assert len(rows(path)) == 1
    assert "newer" in troubles.wait(lambda trouble: trouble.key == REPLACED_KEY).detail
    kept = sqlite3.connect(path.with_name("ledger.aside-1.db"))
    assert kept.execute("SELECT count(*) FROM future").fetchone() == (0,)
    kept.close()


def test_a_passing_failure_loses_nothing_and_its_end_is_told(ledger: Ledger, path: Path, troubles: Troubles) -> None:
    """A folder stands where the file should be, until somebody takes it away."""
    path.mkdir()
    for number in range(300):
        ledger.record(exchange(number))
    trouble = troubles.wait(lambda trouble: not trouble.is_over)
    assert (trouble.key, str(path) in trouble.detail) == (TROUBLE_KEY, True)
    path.rmdir()
    assert troubles.wait(lambda trouble: trouble.is_over).key == TROUBLE_KEY
    assert ledger.flush()
    assert len(rows(path)) == 300
    assert ledger.dropped == 0


def test_a_lasting_failure_keeps_the_first_rows_and_counts_the_rest(
    path: Path, troubles: Troubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pen, "WAITING_ROWS", 100)
    path.mkdir()
    ledger = Ledger(path, troubles, retry_seconds=0.05)
    ledger.open()
    for number in range(130):
        ledger.record(exchange(number))
    assert ledger.dropped == 30
    assert troubles.wait(lambda trouble: "30 requests are not in the ledger" in trouble.detail)
    ledger.close()
    assert ledger.dropped == 30
    path.rmdir()
    after = Ledger(path, troubles)
    after.open()
    after.close()
    assert [row.started_at_ms - NOW_MS for row in rows(path)] == list(range(100))


def test_closing_and_flushing_end_even_if_nothing_can_be_written(path: Path) -> None:
    path.mkdir()
    ledger = Ledger(path, retry_seconds=0.05)
    ledger.open()
    ledger.record(exchange(1))
    assert not ledger.flush(0.2)
    ledger.close()
    ledger.close()


_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from lynkr_desktop.engine.store.ledger import Ledger
from tests.engine.store.exchanges import exchange
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
told = []
def tell(trouble):
    print(trouble.is_over, trouble.detail, flush=True)
    told.append(trouble)
ledger = Ledger(Path(sys.argv[1]), tell, retry_seconds=0.05)
ledger.open()
for number in range(2000):
    ledger.record(exchange(number))
while not told:
    ledger.flush(0.05)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
print("written", ledger.flush(30), ledger.dropped)
ledger.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit for the size of files")
def test_a_full_disk_that_gets_room_again_loses_nothing(path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-B", "-c", _FULL_DISK, str(path)], capture_output=True, text=True, check=True, cwd=_ROOT, timeout=60
    )
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("False ")
    assert str(path) in lines[0]
    assert lines[-2].strip() == "True", lines
    assert lines[-1] == "written True 0"
    assert len(rows(path)) == 2000


_CRASH = """
import sys, time
from pathlib import Path
from lynkr_desktop.engine.store import pen
from lynkr_desktop.engine.store.ledger import Ledger
from tests.engine.store.exchanges import exchange, sent
pen.BATCH_SECONDS, pen.BATCH_ROWS = 60, int(sys.argv[2])
ledger = Ledger(Path(sys.argv[1]))
ledger.open()
for number in range(3000):
    ledger.record(exchange(number))
assert ledger.flush(30)
for number in range(3000, 3400):
    ledger.begin(sent(number))
    ledger.record(exchange(number))
ledger.begin(sent(3400))
print("noted", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
@pytest.mark.parametrize("batch_rows", [200, 1000], ids=["while it writes", "before it writes"])
def test_a_kill_takes_no_row_away_and_doubles_none(path: Path, batch_rows: int) -> None:
    program = subprocess.Popen(
        [sys.executable, "-B", "-c", _CRASH, str(path), str(batch_rows)], stdout=subprocess.PIPE, text=True, cwd=_ROOT
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "noted\n"
    program.send_signal(signal.SIGKILL)
    program.wait()
    program.stdout.close()
    assert len(rows(path)) < 3401
    for _ in range(2):
        after = Ledger(path)
        after.open()
        after.close()
        assert [row.started_at_ms - NOW_MS for row in rows(path)] == list(range(3401))
    *whole, last = rows(path)
    assert whole == [exchange(number) for number in range(3400)]
    assert (last.error, last.status, last.cost_basis, last.cost_usd) == ("interrupted", 0, "estimated", "0.003")
    assert list(path.parent.glob("ledger.journal-*")) == []


def test_old_exchanges_are_deleted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "_SLICE_ROWS", 3)
    ledger = Ledger(path, keep_days=30, clock_ms=lambda: NOW_MS)
    ledger.open()
    for age in (31, 30.5, 32, 29, 0):
        ledger.record(exchange(started_at_ms=int(NOW_MS - age * _DAY_MS)))
    assert ledger.flush()
    ledger.record(exchange(1))
    ledger.close()
    assert [(NOW_MS - row.started_at_ms) // _DAY_MS for row in rows(path)] == [29, 0, -1]


def test_too_much_makes_the_oldest_go_early_and_no_more_than_needed(path: Path) -> None:
    for bound, numbers in ((10**9, range(-2_000, 0)), (1_500_000, range(20))):
        ledger = Ledger(path, clock_ms=lambda: NOW_MS, most_bytes=bound)
        ledger.open()
        for number in numbers:
            ledger.record(exchange(number))
            assert number < 0 or ledger.flush()
        ledger.close()
    left = [row.started_at_ms - NOW_MS for row in rows(path)]
    assert left == list(range(20 - len(left), 20))
    connection = sqlite3.connect(path)
    used = ledger_module._bytes_used(connection)
    connection.close()
    assert 1_000_000 < used < 1_500_000


def test_migrating_is_all_or_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    schema.prepare(connection)
    version = schema.VERSION
    schema.insert(connection, [schema.row_of(exchange(1))])
    monkeypatch.setattr(schema, "_SCRIPTS", (*schema._SCRIPTS, "ALTER TABLE exchanges ADD COLUMN x; SELECT nonsense;"))
    monkeypatch.setattr(schema, "VERSION", len(schema._SCRIPTS))
    with pytest.raises(sqlite3.OperationalError):
        schema.prepare(connection)
    connection.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    assert "x" not in [row[1] for row in connection.execute("PRAGMA table_info(exchanges)")]
    connection.close()
    assert len(rows(path)) == 1


def test_a_ledger_of_the_first_version_is_read_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its first new row; what was not kept then is empty now."""
    connection = sqlite3.connect(path, isolation_level=None)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "VERSION", 1)
        schema.prepare(connection)
    old = exchange(1, shadow_tier="", shadow_target="", alternatives=())
    values = dict(zip(schema.FIELDS, schema.row_of(old), strict=False))
    names = [row[1] for row in connection.execute("PRAGMA table_info(exchanges)") if row[1] in values]
    marks = ", ".join("?" * len(names))
    connection.execute(f"INSERT INTO exchanges ({', '.join(names)}) VALUES ({marks})", [values[name] for name in names])
    connection.close()
    ledger = Ledger(path)
    ledger.open()
    assert asyncio.run(Queries(path).activity(ActivityQuery())) == (old,)
    ledger.close()


def test_a_new_file_gets_its_whole_schema_at_once(tmp_path: Path) -> None:
    """The window asks while the writer makes the file: it must find all columns or no table at all."""
    said: list[str] = []
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as connection:
        connection.set_trace_callback(said.append)
        schema.prepare(connection)
    changes = [index for index, statement in enumerate(said) if "CREATE" in statement or "ALTER" in statement]
    ends = [index for index, statement in enumerate(said) if statement.strip().upper().startswith("COMMIT")]
    assert len(changes) > 2
    assert [end for end in ends if end < max(changes)] == []
