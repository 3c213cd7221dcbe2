"""How accounts do, from their exchanges of the last hour. Pure: monotonic seconds are passed in; bounded; recording is cheap."""

import math
from collections import deque
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from lynkr_desktop.errors import FailureKind

WINDOW_SECONDS: Final = 3600.0
KEPT_PER_ACCOUNT: Final = 500
RECENT: Final = 5  # the newest exchanges decide the state, the whole window the numbers
SLOW_FIRST_TOKEN_MS: Final = 15_000.0

HealthState = Literal["unknown", "healthy", "slow", "failing"]


class Health(msgspec.Struct, frozen=True):
    """An account in numbers of the last hour. `detail` says why it is slow or failing; empty otherwise."""

    state: HealthState = "unknown"
    detail: str = ""
    requests: int = 0
    errors: int = 0
    p50_first_token_ms: float | None = None
    p95_first_token_ms: float | None = None


class _Outcome(msgspec.Struct, frozen=True):
    at: float
    kind: FailureKind | None
    first_token_ms: float | None


class HealthBook:
    """The outcomes of all accounts, and what they add up to."""

    def __init__(self) -> None:
        self._outcomes: dict[str, deque[_Outcome]] = {}

    def record(self, account: str, now: float, *, kind: FailureKind | None = None, first_token_ms: float | None = None) -> None:
        """Note one attempt at an account: `kind` None if it served. What the request itself caused is not for this book."""
        outcomes = self._outcomes.setdefault(account, deque(maxlen=KEPT_PER_ACCOUNT))
        outcomes.append(_Outcome(now, kind, first_token_ms))

    def forget(self, account: str) -> None:
        """Begin anew: the account's key or address is another one now, or it is gone."""
        self._outcomes.pop(account, None)

    def of(self, account: str, now: float) -> Health:
        """An account's health at a moment."""
        outcomes = self._outcomes.get(account)
        if outcomes is None:
            return Health()
        while outcomes and now - outcomes[0].at > WINDOW_SECONDS:
            outcomes.popleft()
        if not outcomes:
            return Health()
        times = sorted(outcome.first_token_ms for outcome in outcomes if outcome.first_token_ms is not None)
        state, detail = _state(list(outcomes)[-RECENT:])
        return Health(
            state=state,
            detail=detail,
            requests=len(outcomes),
            errors=sum(outcome.kind is not None for outcome in outcomes),
            p50_first_token_ms=_percentile(times, 0.5),
            p95_first_token_ms=_percentile(times, 0.95),
        )


def _state(recent: Sequence[_Outcome]) -> tuple[HealthState, str]:
    """Failing: at least half of the newest failed, the last one among them. Slow: half of the newest kept the user waiting."""
    failures = [outcome.kind for outcome in recent if outcome.kind is not None]
    last = recent[-1].kind
    if last is not None and len(failures) * 2 >= len(recent):
        return "failing", f"{len(failures)} of the last {len(recent)} attempts failed, the last one with: {last.value}."
    times = sorted(outcome.first_token_ms for outcome in recent if outcome.first_token_ms is not None)
    median = _percentile(times, 0.5)
    if median is not None and median > SLOW_FIRST_TOKEN_MS:
        return "slow", f"The first token takes about {median / 1000:.0f} seconds."
    return "healthy", ""


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile of sorted numbers; None of none."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None
