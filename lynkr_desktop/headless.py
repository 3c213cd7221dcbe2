"""The same engine without Qt: for servers, containers, CI and tests. Configured by settings file, `.env` and environment."""

import asyncio
import dataclasses
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lynkr_desktop import command_line, logs, startup, traces
from lynkr_desktop.config import file as settings_file
from lynkr_desktop.config.secrets import (
    ADMIN_REF,
    DATABASE_REF,
    TOKEN_REF,
    EnvironmentSecrets,
    KeychainSecrets,
    KeychainState,
    Secret,
    endpoint_token,
)
from lynkr_desktop.config.settings import Settings
from lynkr_desktop.engine.admin import Steward
from lynkr_desktop.engine.events import Event, Trouble
from lynkr_desktop.engine.service import EngineService
from lynkr_desktop.errors import ConfigError, LynkrError

_log: Final = logging.getLogger(__name__)
OK: Final = 0
BAD_CONFIG: Final = 2
_ON: Final = frozenset({"true", "1", "yes", "on"})
_COLLECT_AFTER: Final = (20_000, 20, 50)


def run(env_file: Path | None) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code."""
    _configure_log(None)
    logs.catch_crashes()
    try:
        start = startup.read(startup.current_environment(), env_file)
        if os.environ.get("LOG_FILE_ENABLED", "").strip().lower() in _ON:
            _configure_log(start.places.log_dir)
        for notice in start.notices:
            _say(notice)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve(start, env_file))
    except LynkrError as error:
        _say(str(error))
        return BAD_CONFIG
    return OK


def _configure_log(folder: Path | None) -> None:
    is_json = os.environ.get("LOG_FORMAT", "").strip().lower() == "json"
    logs.configure(folder, os.environ.get("LOG_LEVEL", "").strip().upper() or "WARNING", is_json=is_json)


def print_token() -> int:
    """Print the endpoint token for use in other programs' settings. Returns the exit code.

    Where the keychain does not give it, the desktop program that runs is asked.
    """
    try:
        start = startup.read(startup.current_environment(), None)
        try:
            token, _ = asyncio.run(_secrets(dataclasses.replace(start, settings=Settings())))
        except ConfigError as refusal:
            token = _token_of_running_program(refusal)
    except LynkrError as error:
        _say(str(error))
        return BAD_CONFIG
    print(token.reveal())
    return OK


def _token_of_running_program(refusal: ConfigError) -> Secret:
    try:
        return Secret(command_line.token_of_running_program())
    except ConfigError:
        raise refusal from None


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The fastest loop of this system; None is asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop


async def serve(start: startup.Startup, env_file: Path | None = None) -> None:
    """Run the engine until a signal."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    token, keys = await _secrets(start)
    logs.REDACTOR.learn(secret.reveal() for secret in (token, *keys.values()))
    database = start.given.get(DATABASE_REF)
    if database is not None:
        logs.REDACTOR.learn(filter(None, [urlsplit(database.reveal()).password]))
    engine = EngineService(start.settings, keys, token, start.places.ledger_file, database)
    engine.subscribe(_tell, Trouble)
    _open_administration(engine, start, env_file)
    end_traces = await asyncio.to_thread(traces.of_this_process, engine)
    await engine.start()
    calm_collector()
    if engine.note:
        _say(engine.note)
    print(json.dumps({"url": engine.url, "pid": os.getpid()}), flush=True)
    try:
        await stop.wait()
    finally:
        await engine.stop()
        await asyncio.to_thread(end_traces)


def _open_administration(engine: EngineService, start: startup.Startup, env_file: Path | None) -> None:
    """Let whoever has the administration's token change settings and have them read again. Without one, nobody can."""
    admin = start.given.get(ADMIN_REF)
    if admin is None:
        return

    async def change(make: Callable[[Settings], Settings]) -> None:
        await asyncio.to_thread(startup.save_change, start, make)
        await engine.apply(make(engine.settings))

    async def reload() -> None:
        await asyncio.to_thread(settings_file.check, start.places.settings_file)
        again = await asyncio.to_thread(startup.read, startup.current_environment(), env_file)
        token, keys = await _secrets(again)
        logs.REDACTOR.learn(secret.reveal() for secret in (token, *keys.values()))
        await engine.replace(again.settings, keys, token)
        for notice in again.notices:
            _say(notice)

    engine.open_administration(Steward(admin, change, reload))


def calm_collector() -> None:
    """Let Python look for reference cycles seldom: what a request leaves behind has none, and each look costs all requests."""
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def _tell(event: Event) -> None:
    """What a window would show goes to the standard error stream."""
    if isinstance(event, Trouble):
        end = "It is over." if event.is_over else event.detail
        _say(f"{event.title or event.key} {end}".rstrip())


def _say(words: str) -> None:
    """A notice on the standard error stream."""
    print(logs.REDACTOR.masked(f"lynkr-desktop: {words}"), file=sys.stderr, flush=True)


async def _secrets(start: startup.Startup) -> tuple[Secret, dict[str, Secret]]:
    """The endpoint token and the accounts' keys. The keychain is asked only for what the environment does not give."""
    needed = [ref for account in start.settings.accounts for ref in account.refs if ref not in start.given]
    if TOKEN_REF in start.given and not needed:
        return start.given[TOKEN_REF], dict(start.given)
    keychain = KeychainSecrets()
    store = EnvironmentSecrets(start.given, keychain)
    token = await endpoint_token(store)
    if keychain.state is not KeychainState.READY and TOKEN_REF not in start.given:
        raise ConfigError("There is no endpoint token.", f"{keychain.detail} Set LYNKR_TOKEN to a token of your choice.")
    keys = dict(start.given)
    for ref in needed:
        if (key := await store.get(ref)) is not None:
            keys[ref] = key
    return token, keys
