"""Circuit breakers, one per target: who fails again and again is left alone for a while. Pure: monotonic seconds are passed in.

Closed → open after five failures in a row → half open after a minute, when one probe may pass: it closes or opens again.
What the request itself caused is neutral: it neither counts nor heals.
"""

from enum import StrEnum
from typing import Final

from lynkr_desktop.config.settings import Target

FAILURES_TO_OPEN: Final = 5
OPEN_SECONDS: Final = 60.0
PROBE_SECONDS: Final = 600.0  # a probe that never reports back gives its place free after this


class BreakerState(StrEnum):
    """Is a target used?"""

    CLOSED = "closed"  # yes
    OPEN = "open"  # not for now
    HALF_OPEN = "half_open"  # one request may try


class Breaker:
    """One target's breaker."""

    def __init__(self) -> None:
        self._failures = 0
        self._opened_at: float | None = None
        self._probe_since: float | None = None

    def state(self, now: float) -> BreakerState:
        """The state at a moment. Half open only while the probe's place is free."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        if now - self._opened_at < OPEN_SECONDS or (self._probe_since is not None and now - self._probe_since < PROBE_SECONDS):
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN

    def seconds_left(self, now: float) -> float:
        """How long an open breaker stays open; 0 if it is not."""
        return 0.0 if self._opened_at is None else max(0.0, self._opened_at + OPEN_SECONDS - now)

    def begin(self, now: float) -> None:
        """A request goes to the target. In the half-open state it takes the probe's place. Always follow with one outcome."""
        if self.state(now) is BreakerState.HALF_OPEN:
            self._probe_since = now

    def succeeded(self) -> None:
        """The target served: closed, all forgotten."""
        self._failures, self._opened_at, self._probe_since = 0, None, None

    def failed(self, now: float) -> None:
        """The target failed by its own fault."""
        self._failures += 1
        self._probe_since = None
        if self._opened_at is not None or self._failures >= FAILURES_TO_OPEN:
            self._opened_at = now

    @property
    def is_open(self) -> bool:
        """Was the target left alone, and has not served since?"""
        return self._opened_at is not None

    def undecided(self) -> None:
        """The outcome says nothing of the target: the request's own fault, or the client left. The probe's place is free."""
        self._probe_since = None


class Breakers:
    """The breakers of all targets. One that is closed and has nothing to remember is not kept, so the book stays small."""

    def __init__(self) -> None:
        self._by_target: dict[Target, Breaker] = {}

    def state(self, target: Target, now: float) -> BreakerState:
        """A target's state at a moment."""
        breaker = self._by_target.get(target)
        return BreakerState.CLOSED if breaker is None else breaker.state(now)

    def begin(self, target: Target, now: float) -> None:
        """A request goes to the target; follow with `succeeded`, `failed` or `undecided`."""
        if (breaker := self._by_target.get(target)) is not None:
            breaker.begin(now)

    def succeeded(self, target: Target) -> None:
        """The target served."""
        self._by_target.pop(target, None)

    def failed(self, target: Target, now: float) -> None:
        """The target failed by its own fault."""
        self._by_target.setdefault(target, Breaker()).failed(now)

    def undecided(self, target: Target) -> None:
        """The outcome says nothing of the target."""
        if (breaker := self._by_target.get(target)) is not None:
            breaker.undecided()

    def reset(self, account: str | None = None) -> int:
        """Close the breakers of an account, or all: its key or address is another one now. How many were not closed."""
        kept = {} if account is None else {target: each for target, each in self._by_target.items() if target.account != account}
        gone = [each for target, each in self._by_target.items() if target not in kept]
        self._by_target = kept
        return sum(each.is_open for each in gone)
