"""Reference cycles end on the window's thread."""

import gc
import threading
import weakref

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from lynkr_desktop.ui.garbage import GarbageCollector


class Knot:
    """Something that holds itself, and tells which thread let it go."""

    def __init__(self, ended_in: list[threading.Thread]) -> None:
        self.itself: Knot = self
        weakref.finalize(self, lambda: ended_in.append(threading.current_thread()))


def test_busy_thread_collects_nothing_and_the_windows_thread_does(qtbot: QtBot) -> None:
    ended_in: list[threading.Thread] = []
    owner = QObject()
    collector = GarbageCollector(owner)
    try:
        Knot(ended_in)
        worker = threading.Thread(target=lambda: [[number] for number in range(200_000)])
        worker.start()
        worker.join()
        assert ended_in == []
        kept = [[number] for number in range(2 * gc.get_threshold()[0])]
        collector.look()
        assert ended_in == [threading.main_thread()]
        assert kept
    finally:
        collector.close()
    assert gc.isenabled()
