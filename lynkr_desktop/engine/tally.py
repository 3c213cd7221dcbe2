"""The day so far, kept up to date by events: what tray and overview show. No clock but the one given; safe from any thread."""

import datetime
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from statistics import median
from typing import Final

import msgspec

from lynkr_desktop.engine.events import Event, Exchange, RequestFinished, RequestStarted, Trouble
from lynkr_desktop.engine.metering import decimal_text

_FIRST_TOKENS_KEPT: Final = 500


def midnight_ms(now_ms: int) -> int:
    """The beginning of the local day of a moment, in milliseconds since 1970."""
    local = datetime.datetime.fromtimestamp(now_ms / 1000).astimezone()
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


class Today(msgspec.Struct, frozen=True):
    """The sums at one moment; `active` requests are being served now."""

    requests: int
    failed: int
    unpriced: int
    cost_usd: str
    tiers: dict[str, int]
    median_first_token_ms: float | None
    active: int
    last: Exchange | None
    troubles: tuple[Trouble, ...]


class Tally:
    """Sums of today. At midnight they begin anew with the next event or question."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        self._next_midnight = 0
        self._last: Exchange | None = None
        self._active: set[str] = set()
        self._troubles: dict[str, Trouble] = {}
        self._clear()

    def _clear(self) -> None:
        self._requests = 0
        self._failed = 0
        self._unpriced = 0
        self._cost = Decimal(0)
        self._tiers: Counter[str] = Counter()
        self._first_tokens: deque[float] = deque(maxlen=_FIRST_TOKENS_KEPT)

    def _turn_day(self) -> None:
        now = self._clock_ms()
        if now >= self._next_midnight or now < self._next_midnight - 90_000_000:
            self._clear()
            self._next_midnight = midnight_ms(midnight_ms(now) + 93_600_000)

    def restore(self, exchanges: Iterable[Exchange]) -> None:
        """Count what the ledger holds of today, oldest first."""
        with self._lock:
            self._turn_day()
            for exchange in exchanges:
                self._count(exchange)

    def hear(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            self._turn_day()
            match event:
                case RequestStarted(id=exchange_id):
                    self._active.add(exchange_id)
                case RequestFinished(exchange=exchange):
                    self._active.discard(exchange.id)
                    self._count(exchange)
                case Trouble(key=key, is_over=is_over):
                    self._troubles.pop(key, None)
                    if not is_over:
                        self._troubles[key] = event
                case _:
                    pass

    def _count(self, exchange: Exchange) -> None:
        self._last = exchange
        self._requests += 1
        self._failed += bool(exchange.error)
        if exchange.tier:
            self._tiers[exchange.tier] += 1
        if exchange.cost_usd is not None:
            self._cost += Decimal(exchange.cost_usd)
        elif exchange.account:
            self._unpriced += 1
        if exchange.first_token_ms is not None:
            self._first_tokens.append(exchange.first_token_ms)

    def figures(self) -> Today:
        """The sums now."""
        with self._lock:
            self._turn_day()
            return Today(
                requests=self._requests,
                failed=self._failed,
                unpriced=self._unpriced,
                cost_usd=decimal_text(self._cost),
                tiers=dict(self._tiers),
                median_first_token_ms=median(self._first_tokens) if self._first_tokens else None,
                active=len(self._active),
                last=self._last,
                troubles=tuple(self._troubles.values()),
            )
