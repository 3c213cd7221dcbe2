"""What a page may ask for and hear of. A protocol and its signals; the bridge implements it. No logic.

All coroutines are awaited on the window's loop: a page starts them with `spawn` and never blocks.
"""

from collections.abc import Coroutine
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from lynkr_desktop.config.settings import Account, Routing, Settings
from lynkr_desktop.engine.api import (
    ActivityQuery,
    Analysis,
    Bucket,
    Figures,
    LatencyBucket,
    Learned,
    LocalServer,
    ProbeResult,
    Snapshot,
)
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.routing.replay import WhatIf


class DeskSignals(QObject):
    """What happened, already on the window's thread."""

    snapshot_changed = Signal()  # ask `Desk.snapshot` for it
    exchange_finished = Signal(object)  # list[Exchange], oldest first; at most ten times a second
    settings_changed = Signal()  # ask `Desk.settings` for them
    trouble = Signal(object)  # Trouble


class Desk(Protocol):
    """The engine, the settings and the keys as a page sees them."""

    signals: DeskSignals

    @property
    def settings(self) -> Settings:
        """The settings in use."""
        ...

    def snapshot(self) -> Snapshot:
        """The engine's state now. Cheap."""
        ...

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        """Start a coroutine from a slot. Keeps the reference and logs a failure."""
        ...

    async def change(self, settings: Settings) -> None:
        """Validate, save and apply other settings. Raises `ConfigError`; then nothing has changed."""
        ...

    async def undo(self) -> None:
        """Take the last change back, with the keys that it removed. Raises like `change`."""
        ...

    @property
    def can_undo(self) -> bool:
        """Is there a change to take back?"""
        ...

    async def set_key(self, ref: str, key: str) -> None:
        """Keep a key in the system's keychain, under its name (`Account.ref`), and use it. Raises `LynkrError`."""
        ...

    async def delete_key(self, ref: str) -> None:
        """Forget a key."""
        ...

    def key_hint(self, ref: str) -> str:
        """The end of a key (`…4f2a`); empty if there is none."""
        ...

    def key_place(self) -> str:
        """Where keys are kept, in words: `GNOME Keyring`, `macOS Keychain`, `this session only`."""
        ...

    async def activity(self, query: ActivityQuery) -> tuple[Exchange, ...]:
        """Exchanges of the ledger, newest first."""
        ...

    async def figures(self, since_ms: int) -> Figures:
        """The overview's numbers since a moment."""
        ...

    async def spend(self, since_ms: int, buckets: int, by: str) -> tuple[Bucket, ...]:
        """Spend over time in equal buckets, by `tier`, `account`, `model` or `client`."""
        ...

    async def latency(self, since_ms: int, buckets: int) -> tuple[LatencyBucket, ...]:
        """First tokens over time in equal buckets."""
        ...

    async def histogram(self, since_ms: int) -> tuple[int, ...]:
        """How many exchanges had each score: 101 numbers, for 0 to 100."""
        ...

    async def what_if(self, routing: Routing, since_ms: int) -> WhatIf:
        """What the requests since a moment would have cost under other tiers."""
        ...

    async def judge(self, exchange_id: str, verdict: int) -> None:
        """Keep the user's verdict on an exchange: 1 it should have been higher, -1 lower, 0 takes it back."""
        ...

    async def learned(self) -> Learned:
        """What routing has learned, measured over the ledger."""
        ...

    async def analyze(self, text: str) -> Analysis:
        """What a bare prompt would score, and where it would go."""
        ...

    async def reset_breakers(self, account: str = "") -> int:
        """Let the targets of an account, or of all, be tried again at once. How many had been left alone."""
        ...

    async def probe(self, account: str, key_id: str | None = None) -> ProbeResult:
        """Make the cheapest real call to an account of the applied settings, with this key or the one that serves now."""
        ...

    async def probe_candidate(self, account: Account, key: str) -> ProbeResult:
        """The same for an account as it stands in a form. An empty key means the one that is kept for its id."""
        ...

    async def models(self, account: str) -> tuple[ModelFacts, ...]:
        """The models that an account offers. Raises `UpstreamError`."""
        ...

    async def candidate_models(self, account: Account, key: str) -> tuple[ModelFacts, ...]:
        """The same for an account as it stands in a form. Raises `UpstreamError`."""
        ...

    async def discover(self) -> tuple[LocalServer, ...]:
        """Model servers on their usual ports on this machine."""
        ...

    def facts_of(self, name: str, model: str) -> ModelFacts:
        """What is known of a model of an account, or of a provider."""
        ...
