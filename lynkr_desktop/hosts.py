"""Where the engine lives in the desktop program: on a loop of its own in a thread, or on the window's loop. No Qt here."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

from lynkr_desktop.engine.service import EngineService

T = TypeVar("T")
LoopFactory = Callable[[], asyncio.AbstractEventLoop]
_JOIN_SECONDS: Final = 10.0


class Host(Protocol):
    """Runs the engine; all methods are called on the window's loop."""

    def run(self, coroutine: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Run one of the engine's coroutines where the engine lives."""
        ...

    async def start(self) -> None:
        """Start the engine. Raises what `EngineService.start` raises."""
        ...

    async def stop(self) -> None:
        """Stop the engine and free its loop."""
        ...


class SameLoop:
    """The engine on the window's own loop."""

    def __init__(self, engine: EngineService) -> None:
        self._engine = engine

    def run(self, coroutine: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Just await it."""
        return coroutine

    async def start(self) -> None:
        """Start the engine."""
        await self._engine.start()

    async def stop(self) -> None:
        """Stop the engine."""
        await self._engine.stop()


class OwnThread:
    """The engine on a loop in a thread of its own: a busy window is never felt by the proxy."""

    def __init__(self, engine: EngineService, loop_factory: LoopFactory | None) -> None:
        self._engine = engine
        self._loop = loop_factory() if loop_factory else asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="engine", daemon=True)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Hand it over to the engine's loop."""
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    async def start(self) -> None:
        """Start the thread, then the engine in it."""
        self._thread.start()
        await self.run(self._engine.start())

    async def stop(self) -> None:
        """Stop the engine, then its thread."""
        if not self._thread.is_alive():
            return
        await self.run(self._engine.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, _JOIN_SECONDS)
