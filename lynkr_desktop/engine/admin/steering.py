"""The mode and the pins, read and changed from outside. For the administration only; `control` lets nobody else here."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

import msgspec

from lynkr_desktop.config.settings import TIERS, Mode, ModeKind, Pin, Settings, Target, Tier
from lynkr_desktop.engine.routing.pins import is_live, with_pin, without
from lynkr_desktop.errors import ClientError

Change = Callable[[Settings], Settings]
_Shape = TypeVar("_Shape", bound=msgspec.Struct)
_MINUTE_MS: Final = 60_000
_MOST_MINUTES: Final = 366 * 24 * 60


class _Mode(msgspec.Struct, forbid_unknown_fields=True):
    mode: ModeKind
    tier: Tier | None = None


class _Pin(msgspec.Struct, forbid_unknown_fields=True):
    scope: str
    tier: Tier | None = None
    target: str | None = None
    minutes: int | None = None


class Steering:
    """`change` keeps and uses what it makes of the settings, from the next request on. Raises `ClientError`."""

    def __init__(self, settings: Callable[[], Settings], clock_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._clock_ms = clock_ms

    async def page(
        self, method: str, place: str, body: bytes, change: Callable[[Change], Awaitable[None]]
    ) -> dict[str, Any] | None:
        """The answer; None if there is no such page."""
        match method, place:
            case ("GET", "mode"):
                return self._mode()
            case ("POST", "mode"):
                mode = _mode_in(body)
                await change(lambda settings: replace(settings, routing=replace(settings.routing, mode=mode)))
                return self._mode()
            case ("GET", "pins"):
                return self._pins()
            case ("POST", "pins"):
                pin = self._pin_in(body)
                await change(lambda settings: replace(settings, pins=with_pin(settings.pins, pin, self._clock_ms())))
                return self._pins()
            case ("DELETE", _) if place.startswith("pins/"):
                scope = place.removeprefix("pins/")
                if all(pin.scope != scope for pin in self._settings().pins):
                    raise ClientError(f"{scope[:80]!r} is not pinned.", "GET lists what is.", status=404)
                await change(lambda settings: replace(settings, pins=without(settings.pins, scope, self._clock_ms())))
                return self._pins()
        return None

    def _mode(self) -> dict[str, Any]:
        mode = self._settings().routing.mode
        return {"mode": mode.kind, "tier": mode.tier}

    def _pins(self) -> dict[str, Any]:
        now_ms = self._clock_ms()
        return {"pins": [_row(pin) for pin in self._settings().pins if is_live(pin, now_ms)]}

    def _pin_in(self, body: bytes) -> Pin:
        asked = _read(body, _Pin, '{"scope": "project:website", "tier": "COMPLEX", "minutes": 30}, or a target as account:model')
        target = None
        if asked.target is not None:
            account, _, model = asked.target.partition(":")
            if not model or self._settings().account(account) is None:
                raise ClientError(f"{asked.target[:80]!r} is no target.", "Give account:model with an account of the settings.")
            target = Target(account, model)
        if asked.minutes is not None and not 1 <= asked.minutes <= _MOST_MINUTES:
            raise ClientError("The minutes are out of range.", f"Use 1 to {_MOST_MINUTES}, or none for good.")
        until_ms = None if asked.minutes is None else self._clock_ms() + asked.minutes * _MINUTE_MS
        return Pin(asked.scope, asked.tier, target, until_ms)


def _mode_in(body: bytes) -> Mode:
    asked = _read(body, _Mode, '{"mode": "auto"}, or pin with a tier, direct, observe or local')
    if (asked.mode is ModeKind.PIN) != (asked.tier is not None):
        raise ClientError("The mode pin, and only that, has a tier.", f"Use one of: {', '.join(TIERS)}.")
    return Mode(asked.mode, asked.tier)


def _read(body: bytes, shape: type[_Shape], example: str) -> _Shape:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError as error:
        raise ClientError("The body cannot be read.", f"{error}. Send {example}.") from None


def _row(pin: Pin) -> dict[str, Any]:
    return {"scope": pin.scope, "tier": pin.tier, "target": str(pin.target) if pin.target else None, "until_ms": pin.until_ms}
