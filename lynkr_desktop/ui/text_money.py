"""Every sentence that a user reads about budgets and savings. Constants and small functions; no widgets, no decisions."""

from collections.abc import Sequence
from typing import Final

from lynkr_desktop.config.settings import ASKED_BASELINE, COMPLEX_BASELINE, TIERS, Budget, BudgetPeriod, Settings
from lynkr_desktop.engine.api import BudgetState, Figures
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui.language import say, say_back
from lynkr_desktop.ui.text import client_title, unpriced_line

# ---------------------------------------------------------------- budgets

BUDGETS: Final = "Budgets"
NO_BUDGET: Final = (
    "Requests may cost any amount. A budget tells you, uses cheaper models or refuses, in the order that you choose."
)
ADD_BUDGET: Final = "Add a budget"
REMOVE_BUDGET: Final = "Remove"
SCOPE: Final = "What counts"
ALL_REQUESTS: Final = "All requests"
EACH_SESSION: Final = "Each session"
PERIOD: Final = "Begins anew"
PERIODS: Final = (
    (BudgetPeriod.DAY, "each day"),
    (BudgetPeriod.WEEK, "each week"),
    (BudgetPeriod.MONTH, "each month"),
)
NEVER_ANEW: Final = ((BudgetPeriod.NONE, "never"),)
AMOUNT: Final = "US dollars"
NOTIFY_AT: Final = "Tell me from"
CAP_AT: Final = "Cap the tier from"
HIGHEST_TIER: Final = "Highest tier"
FREE_AT: Final = "Only free models from"
STOP_AT: Final = "Refuse requests from"
AT: Final = "at"
PERCENT: Final = "%"
NEVER: Final = "never"
NOT_AN_AMOUNT: Final = "Type US dollars above 0 as a plain number, for example 10 or 2.50."
NOT_A_PERCENT: Final = "Type a whole number from 1 to 100, or nothing for never."


def scope_title(scope: str) -> str:
    """What a budget counts."""
    if scope == "session":
        return EACH_SESSION
    budget = Budget("1", scope)
    if budget.project:
        return say("Project {name}", name=budget.project)
    return client_title(budget.client) if budget.client else ALL_REQUESTS


def budget_title(budget: Budget) -> str:
    """A budget in a few words: `$10.00 each day for Claude Code`."""
    period = say("each session") if budget.scope == "session" else dict(PERIODS)[budget.period]
    title = say("{amount} {period}", amount=shown.money(budget.amount), period=period)
    whose = scope_title(budget.scope) if budget.client or budget.project else ""
    return say("{budget} for {program}", budget=title, program=whose) if whose else title


def budget_standing(state: BudgetState) -> str:
    """How much of a budget is used, and until when it counts."""
    amount = shown.money(state.budget.amount)
    held = shown.decimal(state.reserved_usd)
    parts = [
        say("{spent} of {amount} spent", spent=shown.money(state.spent_usd), amount=amount),
        say("in today's fullest session") if state.budget.scope == "session" else "",
        say("{held} held back for answers that still come", held=shown.money(held)) if held else "",
        "" if state.ends_at_ms is None else say("begins anew {moment}", moment=_begin(state.ends_at_ms)),
    ]
    return " · ".join(part for part in parts if part)


def _begin(moment_ms: int) -> str:
    return f"{shown.weekday(moment_ms)} {shown.day(moment_ms)}, {shown.clock_minutes(moment_ms)}"


def of_today(states: Sequence[BudgetState]) -> BudgetState | None:
    """The tightest budget that today's spend counts against as a whole."""
    whole = [each for each in states if each.budget.scope == "all" and each.budget.period is BudgetPeriod.DAY]
    return min(whole, key=lambda each: each.budget.amount, default=None)


def spent_line(states: Sequence[BudgetState], unpriced: int) -> str:
    """Under the money spent today: its budget, and what is not in the sum."""
    budget = of_today(states)
    if budget is None:
        return unpriced_line(unpriced)
    amount = shown.money(budget.budget.amount)
    return (
        f"{say('of {amount}', amount=amount)} · {unpriced_line(unpriced)}"
        if unpriced
        else say("of {amount} budget", amount=amount)
    )


# ---------------------------------------------------------------- savings

SAVINGS: Final = "Savings"
BASELINE: Final = "Compared with"
BASELINE_HINT: Final = (
    "What the same tokens would have cost there, at the prices of the table. It may be less than what was paid, and failed "
    "requests count against us. Measured: that provider itself counted the tokens. Estimated: another one did."
)
FIXED_BASELINES: Final = (
    ("", "nothing: do not count"),
    (ASKED_BASELINE, "the model asked for"),
    (COMPLEX_BASELINE, "always COMPLEX"),
)
SAVED_LABELS: Final = {"measured": "measured", "estimated": "estimated"}


def baselines(settings: Settings) -> list[tuple[str, str]]:
    """What savings can be counted against, with its words."""
    routing = settings.routing
    targets = [target for tier in reversed(TIERS) for target in routing.tiers.of(tier)]
    names = dict.fromkeys(str(target) for target in (*targets, *([routing.direct] if routing.direct else [])))
    fixed = list(FIXED_BASELINES)
    own = [settings.baseline] if ":" in settings.baseline and settings.baseline not in names else []
    return [*fixed, *((name, say("always {model}", model=name)) for name in (*names, *own))]


def saved(figures: Figures) -> str:
    """The money saved, with its sign and, if it is estimated, its mark."""
    number = shown.signed_money(figures.saved_usd)
    is_estimate = figures.saved_label == "estimated" and shown.decimal(figures.saved_usd)
    return f"{shown.ABOUT} {number}" if is_estimate else number


def saved_line(figures: Figures) -> str:
    """Under the money saved: against what, how well it is known, and what is not in it."""
    left_out = figures.unmeasurable
    missing = say("without {number} not measurable", number=shown.count(left_out)) if left_out else ""
    against = say("against {baseline}", baseline=say_back(figures.baseline)) if figures.baseline else ""
    label = SAVED_LABELS.get(figures.saved_label, figures.saved_label)
    return " · ".join(part for part in (against, label, missing) if part)
