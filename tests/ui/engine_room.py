"""The real engine behind the real bridge, for tests of the window: its own thread, a real ledger, settings saved in memory."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import qasync
from PySide6.QtWidgets import QApplication

from lynkr_desktop.config.secrets import Secret, SessionSecrets
from lynkr_desktop.config.settings import Endpoint, Settings
from lynkr_desktop.engine.service import EngineService
from lynkr_desktop.hosts import OwnThread
from lynkr_desktop.ui.bridge import Bridge
from lynkr_desktop.ui.garbage import GarbageCollector
from tests.fakes.program import free_port

T = TypeVar("T")
PATIENCE = 30.0  # seconds; only ever used up by a failing test
TOKEN = "endpoint-token-of-the-tests"


class EngineRoom:
    """Engine and bridge, started. `saved` lists what was written to the settings' file; `refuses` makes writing fail."""

    def __init__(self, application: QApplication, folder: Path, settings: Settings, keys: dict[str, str] | None = None) -> None:
        self._garbage = GarbageCollector(application)
        self.loop = qasync.QEventLoop(application, already_running=False)
        asyncio.set_event_loop(self.loop)
        settings = replace(settings, endpoint=Endpoint(port=free_port()))
        self.saved: list[Settings] = []
        self.refuses: Exception | None = None
        self.secrets = SessionSecrets({account: Secret(key) for account, key in (keys or {}).items()})
        self.engine = EngineService(settings, {}, Secret(TOKEN), folder / "ledger.db")
        self.host = OwnThread(self.engine, None)
        self.bridge = Bridge(self.engine, self.host.run, settings, self._save, self.secrets, parent=application)
        self.run(self.host.start())
        self.run(self.bridge.load_keys())

    def _save(self, settings: Settings) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.saved.append(settings)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await something, with the window alive meanwhile."""
        task = self.loop.create_task(asyncio.wait_for(coroutine, PATIENCE))
        # Not run_until_complete: qasync lets tasks go on for a moment after it, when no loop counts as running.
        task.add_done_callback(lambda _: self.loop.stop())
        self.loop.run_forever()
        answer: T = task.result()
        return answer

    def until(self, claim: Callable[[], object], what: str) -> None:
        """Let the window live until a claim is true."""

        async def wait() -> None:
            end = time.monotonic() + PATIENCE
            while not claim():
                assert time.monotonic() < end, f"waited in vain for {what}"
                await asyncio.sleep(0.01)

        self.run(wait())

    def do(self, action: Callable[[], object]) -> None:
        """Run a slot as Qt would: inside the running loop."""

        async def act() -> None:
            action()

        self.run(act())

    def close(self) -> None:
        """Stop everything."""
        self.bridge.close()
        self.run(self.host.stop())
        self.bridge.deleteLater()
        self._garbage.close()
        self._garbage.deleteLater()
        self.loop.close()
        asyncio.set_event_loop(None)


@contextlib.contextmanager
def opened(
    application: QApplication, folder: Path, settings: Settings, keys: dict[str, str] | None = None
) -> Iterator[EngineRoom]:
    """A room that is closed at the end."""
    room = EngineRoom(application, folder, settings, keys)
    yield room
    room.close()
