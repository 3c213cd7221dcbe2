"""Every sentence that a user reads about what routing learns. Constants and small functions; no widgets, no decisions."""

from typing import Final

from lynkr_desktop.config.settings import TIERS, Boundaries
from lynkr_desktop.engine.api import Thresholds
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui.language import say

LEARNING: Final = "Learning"
LEARNING_NOTE: Final = "each is off until you switch it on, and shows what it does"
SHOULD_HAVE_BEEN: Final = "Should have been"
HIGHER: Final = "higher"
LOWER: Final = "lower"
HIGHER_TIP: Final = "The tier was too low for this request. Noted beside it in the ledger; it changes nothing by itself."
LOWER_TIP: Final = "A lower tier would have done. Noted beside the request in the ledger; it changes nothing by itself."
NOT_KEPT: Final = "not kept"

BOUNDARIES: Final = "Boundaries by your verdicts"
BOUNDARIES_HINT: Final = (
    "Say “should have been higher” or “lower” of requests on the Activity page. A boundary moves once two more of your verdicts "
    "are for it than against it, and only when you apply it."
)
APPLY: Final = "Apply"
UNDO: Final = "Undo"


def can_be_judged(exchange: Exchange) -> bool:
    """Did routing choose the tier, and did a model serve?"""
    return bool(exchange.tier) and bool(exchange.account) and exchange.method not in {"requested", "pin", "direct"}


def boundaries_line(boundaries: Boundaries) -> str:
    """Where the tiers end: `SIMPLE to 21, MEDIUM to 50, COMPLEX to 75`."""
    ends = (boundaries.simple, boundaries.medium, boundaries.complex)
    return ", ".join(say("{tier} to {end}", tier=tier, end=end) for tier, end in zip(TIERS, ends, strict=False))


def thresholds_line(found: Thresholds, now: Boundaries) -> str:
    """What the verdicts ask for, and what the last month would have been."""
    if not found.verdicts:
        return say("No verdict yet.")
    if found.boundaries == now:
        return say(
            "{agreed} of {all} verdicts agree with the boundaries in force; no move has enough of them behind it.",
            agreed=found.agreed,
            all=shown.count(found.verdicts),
        )
    told = say(
        "{boundaries}: {new} would agree instead of {old}.",
        boundaries=boundaries_line(found.boundaries),
        new=found.would_agree,
        old=found.agreed,
    )
    if not found.requests:
        return told
    last = say(
        "Over the last 30 days: {moved} of {all} requests move, ≈ {then} instead of {before}.",
        moved=shown.count(found.moved),
        all=shown.count(found.requests),
        then=shown.money(found.cost_usd),
        before=shown.money(found.before_usd),
    )
    return f"{told} {last}"
