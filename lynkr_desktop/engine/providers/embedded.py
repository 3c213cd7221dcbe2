"""Runs a built-in model as a child process: starts it, keeps it running, ends it. Speaks no HTTP and reads no settings."""

import asyncio
import json
import logging
import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lynkr_desktop.engine.providers import embedded_server
from lynkr_desktop.engine.tasks import Tasks
from lynkr_desktop.errors import FailureKind, UpstreamError

START_SECONDS: Final = 60.0
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 60.0
FROZEN_ARGUMENT: Final = "--embedded-server"  # tells the packaged program to be the model's server
_STOP_SECONDS: Final = 3.0
_log: Final = logging.getLogger(__name__)


class EmbeddedState(StrEnum):
    """What the built-in model does."""

    MISSING = "missing"  # its packages are not installed
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"  # it ended by itself; it is started again after a pause


@dataclass(frozen=True, slots=True)
class EmbeddedAddress:
    """Where the model answers, and the key that it wants as a bearer token."""

    base_url: str
    key: str = field(repr=False)


def server_command(*arguments: str) -> list[str]:
    """The command that runs `embedded_server`, from source or from the packaged program."""
    if getattr(sys, "frozen", False):
        return [sys.executable, FROZEN_ARGUMENT, *arguments]
    # By path and with -P: works wherever our package was imported from, and takes no module of this folder for a library.
    return [sys.executable, "-P", embedded_server.__file__, *arguments]


class EmbeddedModel:
    """The child process and its address. All methods belong to one event loop.

    `on_change` is called on that loop with each new state. `name` is for errors.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        on_change: Callable[[EmbeddedState], None] | None = None,
        name: str = "built-in model",
    ) -> None:
        self._name = name
        self._command = list(command) if command is not None else server_command()
        self._is_installed = command is not None or embedded_server.is_installed()
        self._on_change = on_change
        self._state = EmbeddedState.STOPPED if self._is_installed else EmbeddedState.MISSING
        self._address: EmbeddedAddress | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._tasks = Tasks()
        self._watch: asyncio.Task[None] | None = None

    def is_available(self) -> bool:
        """Can it be started at all?"""
        return self._is_installed

    @property
    def state(self) -> EmbeddedState:
        """What it does now."""
        return self._state

    @property
    def address(self) -> EmbeddedAddress | None:
        """Where it answers; None while it does not run. Changes when it was started again."""
        return self._address

    async def start(self) -> EmbeddedAddress:
        """Start it, unless it runs, and wait until it answers: about a second.

        From then on it is started again whenever it ends by itself. Raises `UpstreamError` if it does not start.
        """
        async with self._lock:
            if self._address is not None:
                return self._address
            if not self._is_installed:
                raise _unreachable(f"The {self._name} is not installed.", "Install the extra 'embedded'.")
            address = await self._launch()
            if self._watch is None or self._watch.done():
                self._watch = self._tasks.spawn(self._keep_running(), "embedded model")
            return address

    async def stop(self) -> None:
        """End it and do not start it again. Running answers break off."""
        await self._tasks.end()
        async with self._lock:
            await self._tasks.end()  # a start that held the lock may have begun to watch
            await self._end_process()
            if self._is_installed:
                self._change(EmbeddedState.STOPPED)

    async def _launch(self) -> EmbeddedAddress:
        """One attempt. Leaves no process behind if it fails."""
        self._change(EmbeddedState.STARTING)
        key = secrets.token_urlsafe(24)
        try:
            async with asyncio.timeout(START_SECONDS):
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
                self._address = EmbeddedAddress(await self._greet(self._process, key), key)
        except BaseException as error:
            await self._end_process()
            self._change(EmbeddedState.FAILED)
            if isinstance(error, TimeoutError | OSError):
                raise _unreachable(f"The {self._name} did not start.", str(error) or "It took too long.") from error
            raise
        self._change(EmbeddedState.RUNNING)
        return self._address

    async def _keep_running(self) -> None:
        """Wait for the process to end, start it again after a pause that doubles while it fails at once."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            if self._process is not None:
                started = asyncio.get_running_loop().time()
                code = await self._process.wait()
                lived = asyncio.get_running_loop().time() - started
                pause = FIRST_PAUSE_SECONDS if lived > LONGEST_PAUSE_SECONDS else pause
                _log.info("the %s ended with code %s; starting it again in %.1f s", self._name, code, pause)
                self._process = self._address = None
                self._change(EmbeddedState.FAILED)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            async with self._lock:
                try:
                    if self._address is None:
                        await self._launch()
                except UpstreamError as error:
                    _log.info("the %s did not start: %s", self._name, error)

    async def _end_process(self) -> None:
        """Close its input, which ends it; kill it if that takes too long."""
        process, self._process, self._address = self._process, None, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _greet(self, process: asyncio.subprocess.Process, key: str) -> str:
        """Hand over the key and read the one line that the server says. Gives its address. Raises `UpstreamError`."""
        assert process.stdin is not None  # noqa: S101  (both pipes were asked for)
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(key.encode() + b"\n")
        async for line in process.stdout:
            if line.startswith(b"{"):
                said = json.loads(line)
                if "url" in said:
                    return str(said["url"])
                raise _unreachable(f"The {self._name} did not start.", str(said.get("error", "")))
        raise _unreachable(f"The {self._name} did not start.", "Its process ended without a word.")

    def _change(self, state: EmbeddedState) -> None:
        if state is not self._state:
            self._state = state
            if self._on_change is not None:
                self._on_change(state)


def _unreachable(title: str, detail: str) -> UpstreamError:
    return UpstreamError(FailureKind.UNREACHABLE, title, detail, provider="embedded")
