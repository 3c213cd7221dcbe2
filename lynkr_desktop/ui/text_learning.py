"""Every sentence that a user reads about what routing learns. Constants and small functions; no widgets, no decisions."""

from typing import Final

from lynkr_desktop.config.settings import TIERS, Boundaries, Cascade
from lynkr_desktop.engine.api import TargetRecord, Thresholds, TierOrder, Trials
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.engine.routing.learners.history import Effect as HistoryEffect
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui.language import say, say_number

LEARNING: Final = "Learning"
LEARNING_NOTE: Final = "each is off until you switch it on, and shows what it does"
SHOULD_HAVE_BEEN: Final = "Should have been"
HIGHER: Final = "higher"
LOWER: Final = "lower"
HIGHER_TIP: Final = "The tier was too low for this request. Noted beside it in the ledger; it changes nothing by itself."
LOWER_TIP: Final = "A lower tier would have done. Noted beside the request in the ledger; it changes nothing by itself."

BOUNDARIES: Final = "Boundaries by your verdicts"
BOUNDARIES_HINT: Final = (
    "Say “should have been higher” or “lower” of requests on the Activity page. A boundary moves once two more of your verdicts "
    "are for it than against it, and only when you apply it."
)
HISTORY: Final = "Follow my verdicts on like asks"
HISTORY_HINT: Final = (
    "An ask much like one that you corrected goes where you wanted that one. While this is on, the ledger keeps a fingerprint of "
    "each ask, 32 bytes: its words cannot be read from it, but who has the file and guesses a sentence can see that it fits."
)
ORDER: Final = "Order a tier's models by how they do"
ORDER_HINT: Final = (
    "Of a tier's models the one goes first that lately failed less, cost less and answered sooner. Your order counts where "
    "little is known; about one request in a hundred tries another."
)
CASCADE: Final = "Try a cheaper model first"
CASCADE_HINT: Final = (
    "First asks without tools, scored MEDIUM or COMPLEX: the tier beneath answers, and its answer is checked before anything "
    "goes out. It must be whole, of the wanted form and not repeat itself; nobody judges whether it is good. Streams then come "
    "late and at once."
)
CASCADES: Final = (
    (Cascade.OFF, "off"),
    (Cascade.WHOLE, "answers in one piece"),
    (Cascade.ALL, "streams too, held back"),
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


def history_line(found: HistoryEffect, *, is_on: bool) -> str:
    """What verdicts on like asks would have done to one another."""
    if not found.examples:
        return say("Nothing is kept yet.") if is_on else say("Off: nothing is kept.")
    kept = say_number(found.examples, "{number} ask is kept.", "{number} asks are kept.")
    if not found.verdicts:
        return f"{kept} {say('None has a verdict.')}"
    met = say("{met} of {all} verdicts would have been met by the other ones; without, none.", met=found.met, all=found.verdicts)
    moved = say("Of the asks without a verdict {moved} would have moved.", moved=found.moved)
    return f"{met} {moved} {kept}"


def order_line(order: TierOrder) -> str:
    """How a tier's models did in the last two weeks, and which goes first: `MEDIUM: haiku 212 tries, 3 % failed, 0.9 s; …`."""
    records = "; ".join(map(_record_line, order.targets))
    return say(
        "{tier}: {records}. First by this: {first}.", tier=order.tier, records=records, first=order.first.partition(":")[2]
    )


def _record_line(record: TargetRecord) -> str:
    number, model = record.answers + record.failed, record.target.partition(":")[2]
    if not number:
        return say("{model} not tried", model=model)
    tries = say_number(number, "{model} {number} try", "{model} {number} tries", model=model)
    failed = say("{share} failed", share=shown.percent(record.failed, number)) if record.failed else say("none failed")
    seconds = [shown.duration(record.first_token_ms)] if record.first_token_ms is not None else []
    return ", ".join((tries, failed, *seconds))


def orders_line(orders: tuple[TierOrder, ...]) -> str:
    """All tiers with several models."""
    tried = [order for order in orders if any(record.answers or record.failed for record in order.targets)]
    return "\n".join(map(order_line, tried)) or say("No tier with several models was used in the last two weeks.")


def trials_line(found: Trials) -> str:
    """What came of the trials of the last month."""
    if not found.tried:
        return say("No trial in the last 30 days.")
    parts = {"passed": found.passed, "all": shown.count(found.tried), "amount": shown.money(found.saved_usd.removeprefix("-"))}
    if found.saved_usd.startswith("-"):
        told = say("Last 30 days: {passed} of {all} answers passed, {amount} lost.", **parts)
    else:
        told = say("Last 30 days: {passed} of {all} answers passed, {amount} saved.", **parts)
    return f"{told} {say_number(found.unpriced, '{number} has no price.', '{number} have no price.')}" if found.unpriced else told
