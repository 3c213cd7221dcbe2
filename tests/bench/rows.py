"""A hundred thousand requests in the Activity table: how long the window's thread works at a time while they move.

`python -m tests.bench.rows` fills a real ledger, shows the real page over the real engine, loads every row, jumps through them
and filters them. A frame is one turn of the window's event loop; its time is the thread's own, so other programs do not count.
"""

import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLineEdit

from lynkr_desktop.config.settings import Theme as Choice
from lynkr_desktop.engine.store.ids import first_id_at
from lynkr_desktop.engine.store.ledger import Ledger
from lynkr_desktop.ui.pages.activity import ActivityPage
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.exchange_view import ExchangeView
from tests.ui import engine_room
from tests.ui.engine_room import EngineRoom, opened
from tests.ui.ledger_desk import SETTINGS, an_exchange

ROWS = 100_000
JUMPS = 300
FILTER_SECONDS = 1.5  # for each filter to be typed, asked for and shown
MOST_FRAME_MS = 50.0


class Frames:
    """The longest turn of the event loop since the last look, in milliseconds of this thread's own time."""

    def __init__(self) -> None:
        self._last = time.thread_time()
        self._longest = 0.0
        self._timer = QTimer(interval=0)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def longest_ms(self) -> float:
        """The longest frame; begins anew."""
        longest, self._longest = self._longest, 0.0
        return 1000 * longest

    def _beat(self) -> None:
        now = time.thread_time()
        self._longest = max(self._longest, now - self._last)
        self._last = now


def fill(path: Path) -> None:
    """Write the ledger that the engine will find."""
    ledger = Ledger(path, keep_days=3650)
    ledger.open()
    started = round(time.time() * 1000)
    for number in range(ROWS):
        moment = started - (ROWS - number) * 1000
        client = ("claude-code", "codex", "cursor")[number % 3]
        ledger.record(
            an_exchange(client=client, score=number % 101, started_at_ms=moment, id=f"{first_id_at(moment)[:-6]}{number:06x}")
        )
        if number % 5000 == 0:
            ledger.flush()
    ledger.flush()
    ledger.close()


def measure(room: EngineRoom, theme: Theme) -> dict[str, float]:
    """The longest frame of each kind of work."""
    page = ActivityPage(theme, room.bridge)
    page.resize(1280, 800)
    room.do(page.show)
    (view,) = page.findChildren(ExchangeView)
    bar, found = view.verticalScrollBar(), {}
    room.until(lambda: view.model().rowCount() > 0, "the first page")
    frames = Frames()

    def load() -> bool:
        bar.setValue(bar.maximum())
        return view.model().rowCount() >= ROWS

    room.until(load, "all rows")
    found["load every row by scrolling"] = frames.longest_ms()
    places = iter(range(JUMPS))

    def jump() -> bool:
        place = next(places, None)
        if place is None:
            return True
        bar.setValue(bar.maximum() * (place * 7919 % JUMPS) // JUMPS)
        return False

    room.until(jump, "all jumps")
    found["jump through them"] = frames.longest_ms()
    (field,) = page.findChildren(QLineEdit)
    for words in ("codex", "codex sonnet", "no such thing", ""):
        room.do(partial(field.setText, words))
        end = time.monotonic() + FILTER_SECONDS
        room.until(partial(_is_past, end), f"the filter {words}")
    found["filter them"] = frames.longest_ms()
    page.close()
    page.deleteLater()
    return found


def _is_past(end: float) -> bool:
    return time.monotonic() > end


def main() -> int:
    """Measure and print. Exit code 1 if a frame is too long."""
    application = QApplication([])
    engine_room.PATIENCE = 600.0
    theme = Theme(application, Choice.LIGHT)
    with tempfile.TemporaryDirectory(prefix="lynkr-bench-") as folder:
        begun = time.monotonic()
        fill(Path(folder) / "ledger.db")
        print(f"{ROWS:,} rows written in {time.monotonic() - begun:.1f} s")
        with opened(application, Path(folder), SETTINGS) as room:
            found = measure(room, theme)
    for name, longest in found.items():
        print(f"{name:28} longest frame {longest:6.1f} ms (most {MOST_FRAME_MS:.0f})")
    return 0 if max(found.values()) <= MOST_FRAME_MS else 1


if __name__ == "__main__":
    sys.exit(main())
