"""Which of an account's keys serves: the first that is not resting. Pure: monotonic seconds are passed in.

Only accounts with several keys come here. A key that was refused, used up or asked too often rests for a while, and the next one
serves; after that it is tried again, for keys come back: limits end and bills get paid. If all rest, the one that is free soonest
is tried, so that a request never fails unasked.
"""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Account, AccountKey
from lynkr_desktop.engine.api import KeyState
from lynkr_desktop.engine.events import Trouble
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.resilience.health import Health, HealthBook
from lynkr_desktop.errors import FailureKind, UpstreamError

# Seconds of rest where the provider names none; what it names counts up to an hour.
REST_SECONDS: Final[Mapping[FailureKind, float]] = {
    FailureKind.AUTH: 600.0,
    FailureKind.QUOTA: 600.0,
    FailureKind.RATE: 30.0,
}
LONGEST_REST_SECONDS: Final = 3600.0
# Of these the user is told: what was asked too often recovers by itself.
_TITLES: Final[Mapping[FailureKind, str]] = {
    FailureKind.AUTH: "A key of {} was refused.",
    FailureKind.QUOTA: "A key of {} is used up.",
}


class Rest(msgspec.Struct, frozen=True):
    """A key's pause: until when, and for which failure in the provider's words."""

    until: float
    kind: FailureKind
    detail: str


class KeyRing:
    """What is known of all keys of accounts that have several, by the name under which each is kept.

    `tell` takes what the user should see.
    """

    def __init__(self, tell: Callable[[Trouble], None]) -> None:
        self._tell = tell
        self._told: set[str] = set()
        self._rests: dict[str, Rest] = {}
        self._health = HealthBook()

    def chosen(self, first: Access, tried: Collection[str], now: float) -> Access | None:
        """The key to use now, of those not tried yet for this request; None if there is no use in another."""
        if not first.spares:
            return None if tried else first
        left = [each for each in (first, *first.spares) if ref_of(each) not in tried]
        awake = next((each for each in left if self.rest(ref_of(each), now) is None), None)
        if awake is not None or tried or not left:
            return awake
        return min(left, key=lambda each: self._rests[ref_of(each)].until)

    def failed(self, access: Access, error: UpstreamError, now: float) -> None:
        """A call with this key failed."""
        ref = ref_of(access)
        if (usual := REST_SECONDS.get(error.kind)) is not None:
            seconds = min(error.retry_after or usual, LONGEST_REST_SECONDS)
            self._rests[ref] = Rest(now + seconds, error.kind, str(error)[:300])
            if error.kind in _TITLES and ref not in self._told:
                self._told.add(ref)
                title = _TITLES[error.kind].format(access.account.title or access.provider.title)
                detail = f"It is its {access.key_name}. {str(error)[:300]} Another key is used; enter a new one under Providers."
                self._tell(Trouble(f"key-{ref}", title, detail))
        self._health.record(ref, now, kind=error.kind)

    def served(self, access: Access, now: float, kind: FailureKind | None, first_token_ms: float | None) -> None:
        """A call with this key was answered; `kind` if it broke off later."""
        self.wake(access)
        self._health.record(ref_of(access), now, kind=kind, first_token_ms=first_token_ms)

    def rest(self, ref: str, now: float) -> Rest | None:
        """The key's pause; None if it is not resting."""
        rest = self._rests.get(ref)
        return rest if rest is not None and rest.until > now else None

    def health(self, ref: str, now: float) -> Health:
        """How a key did in the last hour."""
        return self._health.of(ref, now)

    def states(self, account: Account, first: Access | None, known: Collection[str], now: float) -> tuple[KeyState, ...]:
        """How an account's keys do, in the order of use, where it has several. `known` are the names of those that are here."""
        if len(account.keys) < 2:
            return ()
        usable = {each.key_id for each in (first, *first.spares)} if first is not None else {key.id for key in account.keys}
        return tuple(self._state(account.ref(key.id), key, usable, known, now) for key in account.keys)

    def _state(self, ref: str, key: AccountKey, usable: set[str], known: Collection[str], now: float) -> KeyState:
        health, rest = self.health(ref, now), self.rest(ref, now)
        state: str = health.state if rest is None else "resting"
        if ref not in known or key.id not in usable:
            state = "elsewhere" if ref in known else "no_key"
        left = math.ceil(rest.until - now) if rest else 0
        detail = rest.detail if rest else health.detail
        return KeyState(key.id, key.name, state, detail, health.requests, health.errors, left)

    def wake(self, access: Access) -> None:
        """The key is served again."""
        self._end(ref_of(access))

    def forget(self, ref: str) -> None:
        """The key is another one now, or it is gone."""
        self._end(ref)
        self._health.forget(ref)

    def _end(self, ref: str) -> None:
        self._rests.pop(ref, None)
        if ref in self._told:
            self._told.discard(ref)
            self._tell(Trouble(f"key-{ref}", "", is_over=True))


def is_keys_fault(kind: FailureKind) -> bool:
    """Could another key of the same account be served where this one was not?"""
    return kind in REST_SECONDS


def ref_of(access: Access) -> str:
    """The name under which the access's key is kept."""
    return access.account.ref(access.key_id)
