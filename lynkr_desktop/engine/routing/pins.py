"""What the user pinned: which pin holds for a request, and the pins after a change. Pure: the time is passed in.

A pin is an order: it beats the score, the mode and what the conversation did before. Above it stand only the mode Local only, and
a client that names a tier or a target of ours itself.
"""

from typing import Final

from lynkr_desktop.config.settings import TIERS, Pin, Routing, Target, Tier
from lynkr_desktop.engine.routing.route import Facts

_WHOSE: Final = {"session": "this session", "project": "this project", "client": "this program"}


def pin_for(pins: tuple[Pin, ...], facts: Facts, now_ms: int) -> Pin | None:
    """The narrowest pin that holds: of the session, else the project, else the program, else all.

    What a program asks on its own behalf, such as a title, is never pinned.
    """
    if facts.is_side_request:
        return None
    live = {pin.scope: pin for pin in pins if is_live(pin, now_ms)}
    names = (("session", facts.session), ("project", facts.project), ("client", facts.client))
    scopes = [f"{kind}:{name}" for kind, name in names if name]
    return next((live[scope] for scope in (*scopes, "all") if scope in live), None)


def is_live(pin: Pin, now_ms: int) -> bool:
    """Does it still count?"""
    return pin.until_ms is None or now_ms < pin.until_ms


def with_pin(pins: tuple[Pin, ...], pin: Pin, now_ms: int) -> tuple[Pin, ...]:
    """The pins with one more, which replaces that of its scope. Those that are over are dropped."""
    return (*without(pins, pin.scope, now_ms), pin)


def without(pins: tuple[Pin, ...], scope: str, now_ms: int) -> tuple[Pin, ...]:
    """The pins without that of a scope and without those that are over."""
    return tuple(pin for pin in pins if pin.scope != scope and is_live(pin, now_ms))


def tier_of(target: Target, routing: Routing) -> Tier | None:
    """The lowest tier that has the target; None if it is in none."""
    return next((tier for tier in TIERS if target in routing.tiers.of(tier)), None)


def reason_of(pin: Pin, tier: Tier | None) -> str:
    """`COMPLEX: pinned by you for this session.`"""
    whose = _WHOSE.get(pin.kind, "")
    return f"{tier or pin.target}: pinned by you{f' for {whose}' if whose else ''}{' for a time' if pin.until_ms else ''}."
