"""Which of a tier's targets goes first, from how each did: failures, cost, time to the first token, verdicts. Pure.

Discounted upper confidence bounds: the mean reward of what a target did lately, plus a little for what is not known of it. The
user's own order is the prior. Nothing is drawn by lot: the same state gives the same order.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

FAILED: Final = 0.0
COST_SHARE: Final = 0.3
TIME_SHARE: Final = 0.1
VERDICT_SHARE: Final = 0.5  # what "should have been higher" takes from an answer's reward
DISCOUNT: Final = 0.99  # of what is known, with each answer of the tier: after 70 it counts half
CURIOSITY: Final = 0.05  # while the first does as usual, another one is tried about once in a hundred
PRIOR_COUNT: Final = 3.0
PRIOR_FIRST: Final = 0.8  # what the user's first target is thought to be worth, and how much less each further one
PRIOR_STEP: Final = 0.05
_MEMORY: Final = 0.9  # of the tier's usual cost and time


class Outcome(msgspec.Struct, frozen=True):
    """What a target did once. `usd_per_token` and `first_token_ms` None: not known."""

    tier: str
    target: str
    is_failed: bool = False
    usd_per_token: float | None = None
    first_token_ms: float | None = None
    verdict: int = 0


class Arm(msgspec.Struct, frozen=True):
    """What is known of a target in a tier: discounted count and sum of rewards."""

    count: float = 0.0
    rewards: float = 0.0


class TierState(msgspec.Struct, frozen=True):
    """What is known of a tier: its targets, and its usual cost and time."""

    arms: Mapping[str, Arm] = {}
    usual_usd: float | None = None
    usual_ms: float | None = None


State = Mapping[str, TierState]  # by tier
EMPTY: Final[State] = {}


def learned(state: State, outcome: Outcome) -> State:
    """The state after one more outcome."""
    before = state.get(outcome.tier, TierState())
    usual_usd = _usual(before.usual_usd, outcome.usd_per_token)
    usual_ms = _usual(before.usual_ms, outcome.first_token_ms)
    reward = _reward(outcome, usual_usd, usual_ms)
    arms = {name: Arm(arm.count * DISCOUNT, arm.rewards * DISCOUNT) for name, arm in before.arms.items()}
    arm = arms.get(outcome.target, Arm())
    arms[outcome.target] = Arm(arm.count + 1, arm.rewards + reward)
    return {**state, outcome.tier: TierState(arms, usual_usd, usual_ms)}


def state_of(outcomes: Iterable[Outcome]) -> State:
    """The state after these outcomes, oldest first."""
    state = EMPTY
    for outcome in outcomes:
        state = learned(state, outcome)
    return state


def ordered(state: State, tier: str, targets: Sequence[str]) -> tuple[str, ...]:
    """A tier's targets, the most promising first; those that promise the same stay in their order."""
    known = state.get(tier)
    if known is None:
        return tuple(targets)
    total = sum(known.arms.get(target, Arm()).count for target in targets)
    promise = {target: _promise(known.arms.get(target, Arm()), place, total) for place, target in enumerate(targets)}
    return tuple(sorted(targets, key=lambda target: -promise[target]))


def worth(state: State, tier: str, target: str, place: int) -> float:
    """What a target is thought to be worth, 0 to 1, without curiosity."""
    arm = state.get(tier, TierState()).arms.get(target, Arm())
    return (arm.rewards + PRIOR_COUNT * (PRIOR_FIRST - PRIOR_STEP * place)) / (arm.count + PRIOR_COUNT)


def _promise(arm: Arm, place: int, total: float) -> float:
    count = arm.count + PRIOR_COUNT
    mean = (arm.rewards + PRIOR_COUNT * (PRIOR_FIRST - PRIOR_STEP * place)) / count
    return mean + CURIOSITY * math.sqrt(math.log(total + math.e) / count)


def _reward(outcome: Outcome, usual_usd: float | None, usual_ms: float | None) -> float:
    if outcome.is_failed:
        return FAILED
    reward = 1.0 - COST_SHARE * _share(outcome.usd_per_token, usual_usd) - TIME_SHARE * _share(outcome.first_token_ms, usual_ms)
    return reward - VERDICT_SHARE if outcome.verdict > 0 else reward


def _share(amount: float | None, usual: float | None) -> float:
    """Where an amount lies beside the usual one: 0 for nothing, a half for as usual, towards 1 for much more."""
    if amount is None or usual is None or amount + usual <= 0:
        return 0.5 if amount is None else 0.0
    return amount / (amount + usual)


def _usual(before: float | None, now: float | None) -> float | None:
    if now is None:
        return before
    return now if before is None else _MEMORY * before + (1 - _MEMORY) * now
