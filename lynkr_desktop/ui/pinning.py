"""Settings with a pin more or less, and pins from words. Pure; window and command line pin alike."""

import re
from dataclasses import replace
from typing import Final

from lynkr_desktop.config.settings import TIERS, Pin, Settings, Target, Tier
from lynkr_desktop.engine.routing.pins import is_live, with_pin, without
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.ui import text_pins as words

_SCOPE: Final = re.compile(r"all|(?:client|project|session):\S+")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIME: Final = re.compile(r"(\d{1,4})([smhd])")


def pinned(settings: Settings, pin: Pin, now_ms: int) -> Settings:
    """The settings with this pin, in place of any other of its scope."""
    return replace(settings, pins=with_pin(settings.pins, pin, now_ms))


def unpinned(settings: Settings, scope: str, now_ms: int) -> Settings:
    """The settings without the pin of a scope."""
    return replace(settings, pins=without(settings.pins, scope, now_ms))


def live_pins(settings: Settings, now_ms: int) -> tuple[Pin, ...]:
    """The pins that hold, in the order in which they were made."""
    return tuple(pin for pin in settings.pins if is_live(pin, now_ms))


def pin_of(settings: Settings, scope: str) -> Pin | None:
    """The pin of a scope."""
    return next((pin for pin in settings.pins if pin.scope == scope), None)


def pin_named(settings: Settings, scope: str, goal: str, time: str, now_ms: int) -> Pin:
    """A pin from a user's words: `project:website`, `COMPLEX` or `account:model`, `30m` or nothing. Raises `ConfigError`."""
    if not _SCOPE.fullmatch(scope):
        raise ConfigError(words.NOT_A_SCOPE)
    until_ms = None
    if time:
        found = _TIME.fullmatch(time)
        if found is None:
            raise ConfigError(words.NOT_A_TIME)
        until_ms = now_ms + int(found[1]) * _SECONDS[found[2]] * 1000
    if goal.upper() in TIERS:
        tier = Tier(goal.upper())
        if not settings.routing.tiers.of(tier):
            raise ConfigError(words.not_set_up(tier))
        return Pin(scope, tier, None, until_ms)
    account, _, model = goal.partition(":")
    if not model:
        raise ConfigError(words.NOT_A_TARGET)
    if settings.account(account) is None:
        raise ConfigError(words.not_set_up(goal))
    return Pin(scope, None, Target(account, model), until_ms)
