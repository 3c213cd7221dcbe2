"""Collect reference cycles on the window's thread only. Knows nothing of what is collected.

Python collects in whatever thread happens to allocate. On the engine's thread that may end a Qt object of the window, and Qt
objects die well only on their own thread: elsewhere it ends in a warning or in a crash.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

_LOOK_MS: Final = 1000


class GarbageCollector(QObject):
    """Takes over from Python's own collector until `close`. Made, used and closed on the window's thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)
        gc.disable()
        self._timer.start()

    def look(self) -> None:
        """Collect the generations that are due by Python's own thresholds; the oldest that is due includes the younger ones."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        due = [generation for generation in range(3) if counts[generation] > thresholds[generation] > 0]
        if due:
            gc.collect(due[-1])

    def close(self) -> None:
        """Give the work back to Python."""
        self._timer.stop()
        gc.enable()
