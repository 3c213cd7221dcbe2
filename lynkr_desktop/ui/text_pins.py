"""Every sentence that a user reads about pins and projects. Constants and small functions; no widgets, no decisions."""

from typing import Final

from lynkr_desktop.config.settings import TIERS, Pin
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui.language import say
from lynkr_desktop.ui.text import client_title

PINS: Final = "Pins"
PINS_NOTE: Final = "what you pinned, whatever the score says; the narrowest holds"
NO_PINS: Final = (
    "Nothing is pinned. A pinned session, project or program always gets the tier that you choose, for a time or for good."
)
PIN: Final = "Pin"
UNPIN: Final = "Take away"
UNDO: Final = "Undo"
WHAT: Final = "What to pin"
TO: Final = "To which tier"
HOW_LONG: Final = "For how long"
HOW_LONG_MINUTES: Final = ((0, "until taken away"), (30, "for 30 minutes"), (120, "for 2 hours"), (480, "for 8 hours"))
ALL: Final = "All requests"
PIN_SESSION: Final = "Pin session"
NO_PIN: Final = "No pin"
NOT_A_SCOPE: Final = "Name what to pin: all, client:ID, project:NAME or session:ID, as in project:website."
NOT_A_TARGET: Final = "Name what to pin it to: SIMPLE, MEDIUM, COMPLEX, REASONING, or an account and its model as account:model."
NOT_A_TIME: Final = "Name a time as 30m, 2h or 1d."
_SHORT: Final = 12


def scope_title(scope: str) -> str:
    """What a pin is for: `Project website`, `Session 3f2a91c0…`."""
    kind, _, name = scope.partition(":")
    match kind:
        case "client":
            return client_title(name)
        case "project":
            return say("Project {name}", name=name)
        case "session":
            return say("Session {name}", name=name if len(name) <= _SHORT else f"{name[:_SHORT]}…")
        case _:
            return ALL


def until(pin: Pin) -> str:
    """When a pin ends: `until taken away`, `until 15:30`."""
    if pin.until_ms is None:
        return HOW_LONG_MINUTES[0][1]
    return say("until {moment}", moment=f"{shown.day(pin.until_ms)}, {shown.clock_minutes(pin.until_ms)}")


def goal(pin: Pin) -> str:
    """What a pin leads to: a tier's name, or a target's."""
    return pin.tier.value if pin.tier else str(pin.target)


def pin_line(pin: Pin) -> str:
    """One pin in the terminal."""
    return f"{pin.scope:<32} {goal(pin):<10} {until(pin)}"


def this_model(model: str) -> str:
    """The menu's line for the model that served."""
    return say("This model: {model}", model=model)


def in_menu(project: str) -> str:
    """The menu's part for a project."""
    return say("Pin project {name}", name=project)


def not_set_up(name: str) -> str:
    """A tier or account that cannot serve."""
    tiers = ", ".join(TIERS)
    return say(
        "Nothing is set up for {name}. Use a tier that has a model ({tiers}), or account:model with an account of yours.",
        name=name,
        tiers=tiers,
    )
