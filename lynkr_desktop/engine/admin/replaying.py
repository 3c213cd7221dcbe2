"""`POST /routing/what-if`: the last days under other boundaries, tiers or prices. Calls no model and changes nothing."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import msgspec

from lynkr_desktop.config.settings import Boundaries, Routing, Target, Tier
from lynkr_desktop.engine.routing.gate import Rates
from lynkr_desktop.engine.routing.replay import WhatIf
from lynkr_desktop.errors import ClientError

Replay = Callable[[Routing, int, Mapping[Target, Rates]], Awaitable[WhatIf]]
_DAY_MS: Final = 86_400_000
_MOST_DAYS: Final = 3650
_MOST_USD: Final = 1_000_000
_EXAMPLE: Final = (
    '{"days": 7, "boundaries": {"medium": 60}, "tiers": {"SIMPLE": ["a:m"]}, "prices": {"a:m": {"input": 1, "output": 5}}}'
)


class _Boundaries(msgspec.Struct, forbid_unknown_fields=True):
    simple: int | None = None
    medium: int | None = None
    complex: int | None = None


class _Prices(msgspec.Struct, forbid_unknown_fields=True):
    """USD for a million tokens. What is not said of the cache costs as any input."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    days: int = 7
    boundaries: _Boundaries = msgspec.field(default_factory=_Boundaries)
    tiers: dict[Tier, list[str]] = {}
    prices: dict[str, _Prices] = {}


async def replayed(body: bytes, routing: Routing, now_ms: int, replay: Replay) -> dict[str, Any]:
    """The answer to a body. Raises `ClientError`, `ConfigError`."""
    try:
        asked = msgspec.json.decode(body, type=_Asked)
    except msgspec.DecodeError as error:
        raise ClientError("The body cannot be read.", f"{error}. Send for example {_EXAMPLE}.") from None
    if not 1 <= asked.days <= _MOST_DAYS:
        raise ClientError("The days are out of range.", f"Use 1 to {_MOST_DAYS}.")
    other = replace(routing, boundaries=_boundaries(asked.boundaries, routing.boundaries))
    for tier, names in asked.tiers.items():
        other = replace(other, tiers=other.tiers.with_tier(tier, tuple(map(_target, names))))
    prices = {_target(name): _rates(name, each) for name, each in asked.prices.items()}
    found = await replay(other, now_ms - asked.days * _DAY_MS, prices)
    answer: dict[str, Any] = msgspec.to_builtins(found)
    return {"days": asked.days, **answer}


def _boundaries(asked: _Boundaries, now: Boundaries) -> Boundaries:
    said = {name: value for name, value in msgspec.structs.asdict(asked).items() if value is not None}
    found = replace(now, **said)
    if not 0 <= found.simple < found.medium < found.complex < 100:
        raise ClientError("The tiers' boundaries are out of order.", "They must rise from 0 to 99, for example 25, 50, 75.")
    return found


def _target(name: str) -> Target:
    account, _, model = name.partition(":")
    if not (account and model):
        raise ClientError(f"{name[:80]!r} is no target.", "Give an account and its model as account:model.")
    return Target(account, model)


def _rates(name: str, asked: _Prices) -> Rates:
    prices = (asked.input, asked.output, asked.cache_read, asked.cache_write)
    if not all(price is None or 0 <= price <= _MOST_USD for price in prices):
        raise ClientError(f"The prices of {name[:80]!r} are out of range.", "Use US dollars for a million tokens, from 0.")
    own, output, read, write = (Decimal(str(asked.input if price is None else price)) for price in prices)
    return Rates(own, output, read, write)
