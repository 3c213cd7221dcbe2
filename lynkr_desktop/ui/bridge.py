"""The only crossing between engine and window: calls go over as coroutines, events come back as lists. Shows nothing itself."""

import asyncio
import collections
import dataclasses
import logging
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from lynkr_desktop.config.secrets import KeychainState, Secret, SecretStore
from lynkr_desktop.config.settings import Account, AccountKey, Routing, Settings, validate
from lynkr_desktop.engine.api import (
    ActivityQuery,
    Analysis,
    Bucket,
    Engine,
    Figures,
    LatencyBucket,
    Learned,
    LocalServer,
    ProbeResult,
    Snapshot,
)
from lynkr_desktop.engine.events import Event, Exchange, FailedOver, RequestFinished, Trouble
from lynkr_desktop.engine.providers import auth, catalogue
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.routing.replay import WhatIf
from lynkr_desktop.errors import ConfigError, LynkrError
from lynkr_desktop.ui import text_setup
from lynkr_desktop.ui.desk import DeskSignals

_log: Final = logging.getLogger(__name__)

DELIVERY_MS: Final = 100  # events reach the window at most this often
SNAPSHOT_MS: Final = 250  # and the snapshot is pulled at most this often
_HELD_EVENTS: Final = 20_000  # while the window is blocked; the ledger has them all anyway
_UNDO_STEPS: Final = 20
_HINT_LETTERS: Final = 4
_SHORTEST_HINTED: Final = 12  # of a shorter key even four letters would tell too much
_T = TypeVar("_T")


class Run(Protocol):
    """Runs a coroutine on the engine's loop and can be awaited on the window's."""

    def __call__(self, coroutine: Coroutine[Any, Any, _T]) -> Awaitable[_T]:
        """What the coroutine returns or raises."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class _Step:
    """What one change replaced. The keys that went with it live here only, until it can no longer be taken back."""

    settings: Settings
    keys: dict[str, Secret] = dataclasses.field(default_factory=dict)


class Bridge(QObject):
    """The `Desk` of all pages, over one engine.

    `run` and `save` come from the composition root: `run` knows the engine's loop; `save` writes the settings' file, may
    block, and is called in a worker thread. Everything else here happens on the window's thread and loop, save `_listen`.
    """

    failed_over = Signal(list)  # list[FailedOver]
    _woken = Signal()

    def __init__(
        self,
        engine: Engine,
        run: Run,
        settings: Settings,
        save: Callable[[Settings], None],
        secrets: SecretStore,
        *,
        is_read_only: bool = False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.signals = DeskSignals(self)
        self.is_read_only = is_read_only
        self._engine = engine
        self._run = run
        self._settings = settings
        self._save = save
        self._secrets = secrets
        self._hints: dict[str, str] = {}
        self._steps: list[_Step] = []
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._snapshot = engine.snapshot()

        self._lock = threading.Lock()
        self._events: collections.deque[Event] = collections.deque(maxlen=_HELD_EVENTS)
        self._is_woken = False
        self._delivered_at = 0.0
        self._delivery = QTimer(self, singleShot=True)
        self._delivery.timeout.connect(self._deliver)
        self._pulled_at = time.monotonic()
        self._pull = QTimer(self, singleShot=True)
        self._pull.timeout.connect(self._pull_snapshot)
        self._woken.connect(self._wake, Qt.ConnectionType.QueuedConnection)
        self._unsubscribe = engine.subscribe(self._listen)

    def close(self) -> None:
        """Hear no more of the engine. Tasks that run are cancelled."""
        self._unsubscribe()
        self._delivery.stop()
        self._pull.stop()
        for task in list(self._tasks):
            task.cancel()

    # ------------------------------------------------------------ events

    def _listen(self, event: Event) -> None:
        """Called on the engine's loop, often in another thread. Wakes the window once for all that comes until it looks."""
        with self._lock:
            self._events.append(event)
            if self._is_woken:
                return
            self._is_woken = True
        self._woken.emit()

    def _wake(self) -> None:
        self._delivery.start(_rest(DELIVERY_MS, self._delivered_at))

    def _deliver(self) -> None:
        with self._lock:
            events = list(self._events)
            self._events.clear()
            self._is_woken = False
        self._delivered_at = time.monotonic()
        finished = [event.exchange for event in events if isinstance(event, RequestFinished)]
        if finished:
            self.signals.exchange_finished.emit(finished)
        failovers = [event for event in events if isinstance(event, FailedOver)]
        if failovers:
            self.failed_over.emit(failovers)
        for event in events:
            if isinstance(event, Trouble):
                self.signals.trouble.emit(event)
        self._refresh()

    def _refresh(self) -> None:
        if not self._pull.isActive():
            self._pull.start(_rest(SNAPSHOT_MS, self._pulled_at))

    def _pull_snapshot(self) -> None:
        self._pulled_at = time.monotonic()
        snapshot = self._engine.snapshot()
        if snapshot != self._snapshot:
            self._snapshot = snapshot
            self.signals.snapshot_changed.emit()

    def snapshot(self) -> Snapshot:
        """The engine's state as last pulled: at most a quarter of a second old."""
        return self._snapshot

    # ------------------------------------------------------------ settings

    @property
    def settings(self) -> Settings:
        """The settings in use."""
        return self._settings

    @property
    def can_undo(self) -> bool:
        """Is there a change to take back?"""
        return bool(self._steps)

    async def change(self, settings: Settings) -> None:
        """Validate, save and apply other settings. Raises `ConfigError`; then nothing has changed."""
        async with self._changing:
            before = self._settings
            if settings != before:
                await self._use(settings)
                self._remember(_Step(before))

    async def undo(self) -> None:
        """Take the last change back, with the keys that it removed. Raises like `change`."""
        async with self._changing:
            if not self._steps:
                return
            step = self._steps[-1]
            await self._use(step.settings)
            self._steps.pop()
            for account_id, key in step.keys.items():
                await self._keep_key(account_id, key)
            self.signals.settings_changed.emit()

    async def _use(self, settings: Settings) -> None:
        if self.is_read_only:
            raise ConfigError(*text_setup.READ_ONLY)
        validate(settings)
        before = self._settings
        await asyncio.to_thread(self._save, settings)
        try:
            await self._run(self._engine.apply(settings))
        except BaseException:
            await asyncio.to_thread(self._save, before)
            raise
        self._settings = settings
        self.signals.settings_changed.emit()
        self._refresh()

    def _remember(self, step: _Step) -> None:
        self._steps.append(step)
        del self._steps[:-_UNDO_STEPS]

    # ------------------------------------------------------------ keys

    async def load_keys(self) -> None:
        """Give the engine the keys that were entered. Waits as long as the keychain does; what is missing is no error."""
        for account in self._settings.accounts:
            for ref in account.refs:
                if (key := await self._secrets.get(ref)) is not None:
                    await self._hand_over(ref, key)
        self.signals.settings_changed.emit()
        self._refresh()

    async def set_key(self, ref: str, key: str) -> None:
        """Keep a key in the system's keychain, under its name, and use it."""
        await self._keep_key(ref, Secret(key.strip()))
        self.signals.settings_changed.emit()
        self._refresh()

    async def delete_key(self, ref: str) -> None:
        """Forget a key. The last change remembers it, so that `undo` can bring it back."""
        key = await self._secrets.get(ref)
        if key is not None and self._steps:
            self._steps[-1].keys[ref] = key
        await self._secrets.delete(ref)
        await self._run(self._engine.set_key(ref, ""))
        self._hints.pop(ref, None)
        self.signals.settings_changed.emit()
        self._refresh()

    async def _keep_key(self, ref: str, key: Secret) -> None:
        await self._secrets.set(ref, key)
        await self._hand_over(ref, key)

    async def _hand_over(self, ref: str, key: Secret) -> None:
        value = key.reveal()
        self._hints[ref] = f"…{value[-_HINT_LETTERS:]}" if len(value) >= _SHORTEST_HINTED else "…"
        await self._run(self._engine.set_key(ref, value))

    def key_hint(self, ref: str) -> str:
        """The end of a key (`…4f2a`); empty if there is none."""
        return self._hints.get(ref, "")

    def key_place(self) -> str:
        """Where keys are kept, in words."""
        match self._secrets.state:
            case KeychainState.READY | KeychainState.UNKNOWN:
                return text_setup.keychain_name(sys.platform, os.environ.get("XDG_CURRENT_DESKTOP", ""))
            case KeychainState.WAITING:
                return text_setup.KEYCHAIN_WAITING
            case KeychainState.LOCKED | KeychainState.MISSING:
                return text_setup.KEYCHAIN_SESSION

    async def _candidate_key(self, account: Account, key: str) -> str:
        """The typed key, or the kept one if it was entered for this very address."""
        if key.strip():
            return key.strip()
        known = self._settings.account(account.id)
        if known is None:
            return ""
        for place in account.keys or known.keys or (AccountKey(_origin(known)),):
            if place.origin in ("", _origin(account)) and (kept := await self._secrets.get(account.ref(place.id))) is not None:
                return kept.reveal()
        return ""

    # ------------------------------------------------------------ tasks

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        """Start a coroutine from a slot. Keeps the reference and logs a failure."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # Qt still calls slots after the loop has ended: widgets that close, fields that lose the focus
            coroutine.close()
            return
        task = loop.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, LynkrError):
            self.signals.trouble.emit(Trouble(task.get_name(), error.title, error.detail))
        elif error is not None:
            _log.error("the task %r failed", task.get_name(), exc_info=error)

    # ------------------------------------------------------------ questions

    async def activity(self, query: ActivityQuery) -> tuple[Exchange, ...]:
        """Exchanges of the ledger, newest first."""
        return await self._run(self._engine.activity(query))

    async def figures(self, since_ms: int) -> Figures:
        """The overview's numbers since a moment."""
        return await self._run(self._engine.figures(since_ms))

    async def spend(self, since_ms: int, buckets: int, by: str) -> tuple[Bucket, ...]:
        """Spend over time in equal buckets, by `tier`, `account`, `model` or `client`."""
        return await self._run(self._engine.spend(since_ms, buckets, by))

    async def latency(self, since_ms: int, buckets: int) -> tuple[LatencyBucket, ...]:
        """First tokens over time in equal buckets."""
        return await self._run(self._engine.latency(since_ms, buckets))

    async def histogram(self, since_ms: int) -> tuple[int, ...]:
        """How many exchanges had each score: 101 numbers, for 0 to 100."""
        return await self._run(self._engine.histogram(since_ms))

    async def judge(self, exchange_id: str, verdict: int) -> None:
        """Keep the user's verdict on an exchange."""
        await self._run(self._engine.judge(exchange_id, verdict))

    async def learned(self) -> Learned:
        """What routing has learned, measured over the ledger."""
        return await self._run(self._engine.learned())

    async def what_if(self, routing: Routing, since_ms: int) -> WhatIf:
        """What the requests since a moment would have cost under other tiers."""
        return await self._run(self._engine.what_if(routing, since_ms))

    async def analyze(self, text: str) -> Analysis:
        """What a bare prompt would score, and where it would go."""
        return await self._run(self._engine.analyze(text))

    async def reset_breakers(self, account: str = "") -> int:
        """Let the targets of an account, or of all, be tried again at once. How many had been left alone."""
        return await self._run(self._engine.reset_breakers(account))

    async def probe(self, account: str, key_id: str | None = None) -> ProbeResult:
        """Make the cheapest real call to an account of the applied settings, with this key or the one that serves now."""
        return await self._run(self._engine.probe(account, key_id))

    async def probe_candidate(self, account: Account, key: str) -> ProbeResult:
        """The same for an account as it stands in a form."""
        return await self._run(self._engine.probe_candidate(account, await self._candidate_key(account, key)))

    async def models(self, account: str) -> tuple[ModelFacts, ...]:
        """The models that an account offers. Raises `UpstreamError`."""
        return await self._run(self._engine.models(account))

    async def candidate_models(self, account: Account, key: str) -> tuple[ModelFacts, ...]:
        """The same for an account as it stands in a form. Raises `UpstreamError`."""
        return await self._run(self._engine.candidate_models(account, await self._candidate_key(account, key)))

    async def discover(self) -> tuple[LocalServer, ...]:
        """Model servers on their usual ports on this machine."""
        return await self._run(self._engine.discover())

    def facts_of(self, name: str, model: str) -> ModelFacts:
        """What is known of a model of an account, or of a provider."""
        return self._engine.facts_of(name, model)


def _origin(account: Account) -> str:
    """Where an account's key may travel to. Empty if the address is none."""
    entry = catalogue.provider(account.provider)
    try:
        return auth.origin_of(account.base_url or (entry.base_url if entry else ""))
    except ConfigError:
        return ""


def _rest(pause_ms: int, since: float) -> int:
    """Milliseconds until `pause_ms` have gone by since a moment."""
    return max(0, round(pause_ms - (time.monotonic() - since) * 1000))
